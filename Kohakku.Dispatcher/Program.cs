using Kohakku.Dispatcher;
using Kohakku.ServiceDefaults;

return await ServiceProcess.RunAsync(args, "dispatcher", async arguments =>
{
    await using var app = DispatcherApplication.Build(arguments);
    await app.RunAsync();
});
