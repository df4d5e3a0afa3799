using Kohakku.ServiceDefaults;

namespace Kohakku.Dispatcher;

/// <summary>What the dispatcher takes from the configuration, checked; the runtimes' part is <see cref="Runtimes.RuntimeOptions"/>.</summary>
internal sealed record DispatcherOptions
{
    /// <summary><c>CONTROLLER_URL</c>: the controller to claim from.</summary>
    public required Uri ControllerUrl { get; init; }
    /// <summary><c>DISPATCHER_NAME</c>: of two live dispatchers of one name the newer wins, the older drains.</summary>
    public required string Name { get; init; }
    /// <summary><c>DISPATCHER_URL</c>: where agents and the controller reach this dispatcher.</summary>
    public required Uri Url { get; init; }
    /// <summary><c>NUM_CONSUMERS</c>: attempts prepared and started in parallel.</summary>
    public required int Consumers { get; init; }
    /// <summary><c>MAX_CONCURRENT_AGENTS</c>: attempts running at once.</summary>
    public required int Slots { get; init; }
    /// <summary><c>DISPATCHER_LABELS</c>: a task's labels must all be among them.</summary>
    public required IReadOnlyDictionary<string, string> Labels { get; init; }
    /// <summary><c>KOHAKKU_DATA</c>: logs of running attempts and packages of skills are kept here.</summary>
    public required string DataFolder { get; init; }
    /// <summary><c>SOCKET_DIR</c>.</summary>
    public required string SocketFolder { get; init; }

    /// <summary>Faults are noted in <paramref name="settings"/>, to be reported with all others.</summary>
    public static DispatcherOptions Read(SettingsReader settings)
    {
        var data = Path.GetFullPath(settings.Text("KOHAKKU_DATA", ".kohakku", "Where logs on their way to storage and cached skills are; it must outlive the process.", "a folder"));
        var options = new DispatcherOptions
        {
            ControllerUrl = settings.Url("CONTROLLER_URL", "http://localhost:8000", "The controller to claim from."),
            Name = settings.Text("DISPATCHER_NAME", "default", "Who it is; of two live dispatchers of one name the newer wins and the older drains.", "1 to 100 printable characters"),
            Url = settings.Url("DISPATCHER_URL", "http://localhost:8080", "Where agents and controllers reach it."),
            Consumers = settings.Integer("NUM_CONSUMERS", 3, 1, 256, "How many attempts are prepared and started in parallel."),
            Slots = settings.Integer("MAX_CONCURRENT_AGENTS", 4 * Environment.ProcessorCount, 1, 1000, "Its slots: how many attempts run at once.", "4 × cores"),
            Labels = settings.Pairs("DISPATCHER_LABELS", "What it is; a task's `labels` must all be among these."),
            DataFolder = data,
            SocketFolder = Path.GetFullPath(settings.Text("SOCKET_DIR", Path.Combine(data, "sockets"), "Where the sockets are by which agents reach it.", "a folder", "$KOHAKKU_DATA/sockets")),
        };
        if (options.Name.Length > 100 || options.Name.Any(char.IsControl))
            settings.Fault($"DISPATCHER_NAME is '{options.Name}'; it takes 1 to 100 printable characters.");
        CheckQueueSource(settings);
        settings.Declare(new Setting("XDG_RUNTIME_DIR", "a folder", null, "Where sockets are when paths below `SOCKET_DIR` are too long for them (107 bytes) and the dispatcher is not root; else `/tmp`."));
        settings.Declare(new Setting("PATH", "folders", "`/usr/local/bin:/usr/bin:/bin`", "Handed on to agents, with `RUNTIME_BACKEND=process`."));
        settings.Declare(new Setting("LANG", "a locale", "`C.UTF-8`", "Handed on to agents, with `RUNTIME_BACKEND=process`."));
        return options;
    }

    private static void CheckQueueSource(SettingsReader settings)
    {
        var source = settings.Text("QUEUE_SOURCE", "internal", "Where queued tasks wait: in Postgres. There is no other queue in this release.", "`internal`");
        if (source == "internal") return;
        settings.Fault(source == "redis-stream"
            ? "QUEUE_SOURCE is 'redis-stream', which this release does not have; it takes internal."
            : $"QUEUE_SOURCE is '{source}'; it takes internal.");
    }
}
