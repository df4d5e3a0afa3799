using Kohakku.Dispatcher.AgentApi;
using Kohakku.Dispatcher.Logs;
using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher;

/// <summary>The dispatcher as it is put together; its table of contents.</summary>
internal static class DispatcherApplication
{
    /// <param name="arguments">Settings, as <c>--KEY=value</c>, over those of the environment.</param>
    /// <param name="configure">The last word, for tests.</param>
    public static WebApplication Build(string[] arguments, Action<WebApplicationBuilder>? configure = null)
    {
        var builder = ServiceBuilder.Create(arguments);
        Add(builder);
        configure?.Invoke(builder);
        return Build(builder);
    }

    public static void Add(WebApplicationBuilder builder)
    {
        builder.AddServiceDefaults("dispatcher", "`http://127.0.0.1` at the port of `DISPATCHER_URL`");
        builder.AddPostgres("dispatcher");
        builder.AddObjectStorage();
        builder.AddSigning();
        builder.AddDispatcher();
    }

    /// <param name="builder">With what <see cref="Add"/> adds.</param>
    public static WebApplication Build(WebApplicationBuilder builder)
    {
        var app = builder.Build();
        app.UseAgentSocketFence();
        app.UseServiceDefaults();
        app.MapAgentApi();
        app.MapLogs();
        return app;
    }
}
