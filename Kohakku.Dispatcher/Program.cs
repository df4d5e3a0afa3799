using Kohakku.Dispatcher;
using Kohakku.ServiceDefaults;

return await ServiceProcess.RunAsync(args, "dispatcher", DispatcherApplication.Add, static async builder =>
{
    await using var app = DispatcherApplication.Build(builder);
    await app.RunAsync();
});
