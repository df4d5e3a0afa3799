using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Connection;

return await ServiceProcess.RunAsync(args, "temporal-worker", Add, static async builder =>
{
    await using var app = builder.Build();
    app.UseServiceDefaults();
    await app.RunAsync();
});

static void Add(WebApplicationBuilder builder)
{
    builder.AddServiceDefaults("temporal-worker").AddSigning();
    builder.AddTemporal().AddRunWorker();
}
