using Kohakku.Controller;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Backup;
using Kohakku.Controller.Console;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Projects;
using Kohakku.Controller.Schedules;
using Kohakku.Controller.Skills;
using Kohakku.Controller.Status;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Triggers;
using Kohakku.Controller.Webhooks;
using Kohakku.Controller.Workflows;
using Kohakku.ServiceDefaults;

return await ServiceProcess.RunAsync(args, "controller", Add, async builder =>
{
    var command = Commands.Of(args);
    await using var app = builder.Build();
    app.UseServiceDefaults();
    app.UseConsole();
    app.UseIdentity();
    var api = app.MapGroup("/api/v1");
    api.MapProjects();
    api.MapAgents();
    api.MapSkills();
    api.MapTasks();
    api.MapDispatching();
    api.MapWorkflows();
    api.MapSchedules();
    api.MapTriggers();
    api.MapStatus();
    api.MapFailures();
    api.MapWebhooks();
    app.MapIdentity();
    app.MapConsole();
    app.MapApiDocumentation();

    if (command is not null) return await app.RunAsync(args, CancellationToken.None);
    await app.ServeAsync();
    return 0;
});

static void Add(WebApplicationBuilder builder)
{
    builder.AddServiceDefaults("controller").AddPostgres("controller").AddRedis().AddObjectStorage().AddSigning();
    builder.AddControllerData().AddIdentity().AddProjects().AddAgents().AddSkills().AddTasks().AddDispatching().AddWorkflows().AddSchedules().AddTriggers().AddStatus().AddFailures().AddWebhooks().AddBackup().AddConsole().AddApiDocumentation();
}
