using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Connection;

return await ServiceProcess.RunAsync(args, "temporal-worker", static async arguments =>
{
    var builder = WebApplication.CreateBuilder(arguments);
    builder.AddServiceDefaults("temporal-worker").AddSigning();
    builder.AddTemporal().AddRunWorker();
    await using var app = builder.Build();
    app.UseServiceDefaults();
    await app.RunAsync();
});
