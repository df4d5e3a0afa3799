using Kohakku.Controller.Agents;
using Kohakku.Controller.Backup;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Workflows.Definitions;

namespace Kohakku.Controller;

/// <summary>What the controller does instead of serving, and then exits: <c>migrate</c>, <c>seed</c>, <c>login</c>, <c>backup</c>, <c>restore</c>, <c>reconcile</c>.</summary>
internal static class Commands
{
    private static readonly string[] All = ["migrate", "seed", "login", .. BackupCommands.Names];

    /// <summary>The command that was given; null to serve.</summary>
    /// <exception cref="ServiceDefaults.ConfigurationException">It is none of ours.</exception>
    public static string? Of(string[] arguments) => arguments is [var first, ..] && !first.StartsWith('-')
        ? All.Contains(first) ? first : throw new ServiceDefaults.ConfigurationException($"'{first}' is not a command; the commands are {string.Join(", ", All)}, health, settings, and none to serve.")
        : null;

    /// <summary>The schema of this release, a way in, and in Development (or when asked) the sample agents and workflows. Safe in several controllers at once.</summary>
    public static async Task PrepareAsync(this WebApplication app, bool withSamples, CancellationToken cancellationToken)
    {
        await app.Services.GetRequiredService<DatabaseSchema>().ApplyAsync(cancellationToken);
        await app.Services.GetRequiredService<FirstStart>().PrepareAsync(cancellationToken);
        if (!withSamples) return;
        await app.Services.GetRequiredService<SampleAgents>().SeedAsync(cancellationToken);
        await app.Services.GetRequiredService<SampleWorkflows>().SeedAsync(cancellationToken);
    }

    /// <summary>Answers the exit code.</summary>
    public static async Task<int> RunAsync(this WebApplication app, string[] arguments, CancellationToken cancellationToken)
    {
        var command = arguments[0];
        if (BackupCommands.Names.Contains(command)) return await BackupCommands.RunAsync(app.Services, arguments, cancellationToken);
        await app.PrepareAsync(withSamples: command == "seed", cancellationToken);
        // One line, for a person or a script.
        if (command == "login") System.Console.Out.WriteLine(await app.Services.GetRequiredService<LoginLinks>().CreateAsync(cancellationToken));
        return 0;
    }

    public static async Task ServeAsync(this WebApplication app)
    {
        await app.PrepareAsync(withSamples: app.Environment.IsDevelopment(), CancellationToken.None);
        await app.StartAsync();
        await app.Services.GetRequiredService<FirstStart>().AnnounceAsync(CancellationToken.None);
        await app.WaitForShutdownAsync();
    }
}
