using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Workflows.Definitions;
using Kohakku.Controller.Workflows.Inbox;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.Controller.Workflows.Turns;
using Kohakku.Workflows.Activities;
using Kohakku.Workflows.Connection;

namespace Kohakku.Controller.Workflows;

/// <summary>Definitions and runs of workflows. What a run does next is decided in Temporal; here is what people see and say, and the work itself.</summary>
internal static class WorkflowsFeature
{
    public static WebApplicationBuilder AddWorkflows(this WebApplicationBuilder builder)
    {
        builder.AddRunSubmission();
        var services = builder.Services;
        services.AddSingleton<WorkflowRegistry>().AddSingleton<SampleWorkflows>();
        services.AddSingleton<RunQueries>().AddSingleton<RunTimeline>().AddSingleton<RunHistory>().AddSingleton<RunAnswers>();
        services.AddSingleton<RunLoading>().AddSingleton<UnitTasks>().AddSingleton<ChildRuns>().AddSingleton<TurnCommit>();
        services.AddSingleton<InboxDelivery>();
        services.AddSingleton<IOutboxHandler>(provider => provider.GetRequiredService<InboxDelivery>());
        services.AddSingleton<Reconciliation>().AddSingleton<IOutboxHandler, RunStarter>().AddSingleton<IOutboxHandler, OrphanHandler>().AddSingleton<IOutboxHandler, AdmitHandler>().AddSingleton<IOutboxHandler, CancelHandler>();
        services.AddHostedService<RunOutbox>().AddHostedService<InboxSweep>();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, EngineJson.Default));
        return builder;
    }

    /// <summary>What it takes to begin runs and to cancel them; all that the scheduler needs of them.</summary>
    public static WebApplicationBuilder AddRunSubmission(this WebApplicationBuilder builder)
    {
        builder.AddTemporal();
        builder.Services.AddSingleton<RunCreation>().AddSingleton<RunSubmission>().AddSingleton<RunEnding>().AddSingleton<RunSteering>();
        return builder;
    }

    public static void MapWorkflows(this IEndpointRouteBuilder endpoints)
    {
        WorkflowEndpoints.Map(endpoints);
        RunEndpoints.Map(endpoints);
        EngineEndpoints.Map(endpoints);
    }
}
