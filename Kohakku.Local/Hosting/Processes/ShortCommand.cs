using System.Diagnostics;

namespace Kohakku.Local.Hosting.Processes;

/// <summary>Runs a command that ends soon, and waits for it.</summary>
internal static class ShortCommand
{
    /// <param name="runAs">The user it runs as; null for our own.</param>
    public static async Task<(int ExitCode, string Output)> RunAsync(
        string program, IReadOnlyList<string> arguments, string? runAs, CancellationToken cancellationToken)
    {
        string[] command = runAs is null
            ? [program, .. arguments]
            : [Programs.Find("setpriv") ?? "setpriv", $"--reuid={runAs}", $"--regid={runAs}", "--init-groups", "--", program, .. arguments];
        var start = new ProcessStartInfo(command[0], command.Skip(1))
        {
            WorkingDirectory = "/",
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        using var process = Process.Start(start) ?? throw new InvalidOperationException($"{program} did not start.");
        try
        {
            var output = process.StandardOutput.ReadToEndAsync(cancellationToken);
            var errors = process.StandardError.ReadToEndAsync(cancellationToken);
            await process.WaitForExitAsync(cancellationToken);
            return (process.ExitCode, (await output) + (await errors));
        }
        catch (OperationCanceledException)
        {
            process.Kill(entireProcessTree: true);
            throw;
        }
    }

    /// <exception cref="InvalidOperationException">It failed; the message has what it wrote.</exception>
    public static async Task SucceedAsync(string program, IReadOnlyList<string> arguments, string? runAs, CancellationToken cancellationToken)
    {
        var (exitCode, output) = await RunAsync(program, arguments, runAs, cancellationToken);
        if (exitCode != 0) throw new InvalidOperationException($"{Path.GetFileName(program)} ended with {exitCode}: {output.Trim()}");
    }
}
