using Kohakku.Controller.Dispatching.Callbacks;
using Kohakku.Controller.Dispatching.Claiming;
using Kohakku.Controller.Dispatching.Heartbeats;
using Kohakku.Controller.Dispatching.Lifecycle;
using Kohakku.Controller.Dispatching.Maintenance;
using Kohakku.Controller.Dispatching.Outbox;
using Kohakku.Controller.Dispatching.Questions;
using Kohakku.Controller.Dispatching.Registration;
using Kohakku.Controller.Dispatching.Steering;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Dispatching;

/// <summary>Everything between a queued task and its end: dispatchers, the claim, their reports, and what people do to tasks on their way.</summary>
internal static class DispatchingFeature
{
    public static WebApplicationBuilder AddDispatching(this WebApplicationBuilder builder)
    {
        builder.AddTaskChanges();
        var services = builder.Services;
        services.AddSingleton<AttemptTokens>().AddSingleton<Orders>().AddSingleton<ProjectTurns>().AddSingleton<ClaimQueue>().AddSingleton<ClaimWaiters>();
        services.AddSingleton<CallbackReceiver>().AddSingleton<NeedsHandler>();
        services.AddSingleton<IOutboxHandler>(provider => provider.GetRequiredService<NeedsHandler>()).AddSingleton<IOutboxHandler, TurnHandler>();
        services.AddHostedService<Promotion>().AddHostedService<LeaseReaper>().AddHostedService<QuestionExpiry>().AddHostedService<TaskOutbox>();
        services.AddHostedService<NeedsSweep>().AddHostedService<DispatcherStatus>().AddHostedService<QueueGauge>();
        services.ConfigureHttpJsonOptions(json => json.SerializerOptions.TypeInfoResolverChain.Insert(0, SteeringJson.Default));
        return builder;
    }

    /// <summary>What it takes to change tasks; all that the scheduler needs of it.</summary>
    public static WebApplicationBuilder AddTaskChanges(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<DispatchingMetrics>().AddSingleton<LoopSignals>().AddSingleton<TaskChanges>().AddSingleton<TaskSteering>();
        return builder;
    }

    public static void MapDispatching(this IEndpointRouteBuilder endpoints)
    {
        var signed = endpoints.MapGroup("/").WithTags("Dispatchers' own").RequireSignature();
        signed.MapPost("/dispatchers", RegisterEndpoint.RegisterAsync);
        signed.MapPost("/dispatchers/{id:guid}/claims", ClaimEndpoint.ClaimAsync);
        signed.MapPost("/dispatchers/{id:guid}/heartbeat", HeartbeatEndpoint.BeatAsync);
        signed.MapPost("/callbacks", CallbackEndpoint.ReportAsync);

        var dispatchers = endpoints.MapGroup("/dispatchers").WithTags("Dispatchers").RequireAuthorization(Policies.Viewer);
        dispatchers.MapGet("/", DispatcherEndpoints.ListAsync);
        dispatchers.MapGet("/{name}", DispatcherEndpoints.ReadAsync);
        dispatchers.MapPost("/{name}/drain", DispatcherEndpoints.DrainAsync).RequireAuthorization(Policies.Operator);
        dispatchers.MapPost("/{name}/resume", DispatcherEndpoints.ResumeAsync).RequireAuthorization(Policies.Operator);

        var tasks = endpoints.MapGroup("/tasks").WithTags("Tasks").RequireAuthorization(Policies.Operator);
        tasks.MapPost("/{id:guid}/cancel", SteeringEndpoints.CancelAsync);
        tasks.MapPost("/{id:guid}/retry", SteeringEndpoints.RetryAsync);
        tasks.MapPost("/{id:guid}/messages", SteeringEndpoints.TellAsync);

        var questions = endpoints.MapGroup("/questions").WithTags("Questions").RequireAuthorization(Policies.Viewer);
        questions.MapGet("/", QuestionEndpoints.ListAsync);
        questions.MapPost("/{id:guid}/answer", QuestionEndpoints.AnswerAsync).RequireAuthorization(Policies.Operator);
    }
}
