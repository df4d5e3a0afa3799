using Kohakku.Dispatcher;
using Kohakku.Dispatcher.AgentApi;
using Kohakku.Dispatcher.Logs;
using Kohakku.ServiceDefaults;

return await ServiceProcess.RunAsync(args, "dispatcher", async arguments =>
{
    var builder = WebApplication.CreateBuilder(arguments);
    builder.AddServiceDefaults("dispatcher");
    builder.AddPostgres("dispatcher");
    builder.AddObjectStorage();
    builder.AddSigning();
    builder.AddDispatcher();

    await using var app = builder.Build();
    app.UseAgentSocketFence();
    app.UseServiceDefaults();
    app.MapAgentApi();
    app.MapLogs();
    await app.RunAsync();
});
