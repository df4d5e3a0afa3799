using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Schedules;
using Kohakku.Controller.Status;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Webhooks;
using Kohakku.Controller.Workflows;
using Kohakku.Scheduler;
using Kohakku.ServiceDefaults;

return await ServiceProcess.RunAsync(args, "scheduler", Add, static async builder =>
{
    await using var app = builder.Build();
    app.UseServiceDefaults();
    await app.RunAsync();
});

static void Add(WebApplicationBuilder builder)
{
    builder.AddServiceDefaults("scheduler").AddPostgres("controller").AddRedis().AddObjectStorage().AddSigning();
    builder.AddControllerOptions();
    builder.AddControllerData().AddAgents().AddTaskSubmission().AddTaskChanges().AddRunSubmission().AddScheduleFiring().AddTaskLifetime().AddWebhookSending().AddFailureDigests();
    builder.Services.AddSingleton<ProbeRecord>();
    builder.Services.AddHostedService<AwaitSchema>()
        .AddHostedService<FireSchedules>().AddHostedService<ExpireTasks>().AddHostedService<RemoveOldWork>().AddHostedService<ProbeServices>().AddHostedService<SendWebhooks>()
        .AddHostedService<SendDigests>();
}
