using Kohakku.Controller.Tasks.Artifacts;
using Kohakku.Controller.Tasks.Lifetime;
using Kohakku.Controller.Tasks.Listing;
using Kohakku.Controller.Tasks.Logs;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.Controller.Tasks.Timeline;
using Kohakku.Controller.Tasks.Views;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks;

/// <summary>Tasks as clients see them: submit, read, list, follow, logs and artifacts. What happens to them is <see cref="Dispatching"/>'s.</summary>
internal static class TasksFeature
{
    public static WebApplicationBuilder AddTasks(this WebApplicationBuilder builder)
    {
        builder.AddTaskSubmission();
        builder.Services
            .AddSingleton<TaskList>().AddSingleton<TaskTimeline>().AddSingleton<EventStream>()
            .AddSingleton<ArtifactQueries>().AddSingleton<StoredLogs>().AddSingleton<LiveLogs>().AddSingleton<LogStream>();
        LiveLogs.AddClient(builder.Services);
        return builder;
    }

    /// <summary>What it takes to submit tasks; all that the scheduler needs of them.</summary>
    public static WebApplicationBuilder AddTaskSubmission(this WebApplicationBuilder builder)
    {
        builder.Services
            .AddSingleton<TaskLinkFactory>().AddSingleton<OnlineDispatchers>().AddSingleton<TaskViews>().AddSingleton<TaskQueries>()
            .AddSingleton<TaskIds>().AddSingleton<TaskPayloads>().AddSingleton<SubmitTransaction>().AddSingleton<IdempotencyKeys>().AddSingleton<TaskSubmission>()
            .AddSingleton<SubmitGroups>().AddHostedService(services => services.GetRequiredService<SubmitGroups>());
        return builder;
    }

    /// <summary>What ends lives: for the scheduler. It needs tasks to be changed.</summary>
    public static WebApplicationBuilder AddTaskLifetime(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton(RetentionOptions.Read(builder.Settings())).AddSingleton<TaskExpiry>().AddSingleton<Retention>();
        return builder;
    }

    public static void MapTasks(this IEndpointRouteBuilder endpoints)
    {
        var tasks = endpoints.MapGroup("/tasks").WithTags("Tasks");
        tasks.MapSubmit();
        tasks.MapReading();
        tasks.MapTimeline();
        tasks.MapLogs();
        tasks.MapArtifacts();
    }
}
