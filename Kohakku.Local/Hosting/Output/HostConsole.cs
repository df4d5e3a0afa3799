using Spectre.Console;

namespace Kohakku.Local.Hosting.Output;

/// <summary>What the operator sees. May be called from any thread; lines don't mix.</summary>
internal sealed class HostConsole(TextWriter output, bool isTerminal, bool verbose)
{
    private static readonly string[] Colors = ["36", "35", "34", "32", "96", "95", "94", "92"];
    private readonly Lock gate = new();
    private readonly Dictionary<string, string> prefixes = [];
    private int width;

    /// <summary>The console of this process.</summary>
    public static HostConsole ForProcess(bool verbose) =>
        new(Console.Out, !Console.IsOutputRedirected && Environment.GetEnvironmentVariable("NO_COLOR") is null or "", verbose);

    public void Register(IEnumerable<string> resources)
    {
        foreach (var name in resources)
        {
            prefixes[name] = isTerminal ? $"\e[{Colors[prefixes.Count % Colors.Length]}m" : "";
            width = Math.Max(width, name.Length);
        }
    }

    /// <summary>A line of a resource's output; shown from warnings up, all of them when verbose.</summary>
    public void Line(string resource, LineLevel level, string line)
    {
        if (level == LineLevel.Information && !verbose) return;
        Write(resource, level, line);
    }

    /// <summary>What the host itself has to say of a resource.</summary>
    public void Note(string resource, LineLevel level, string text) => Write(resource, level, text);

    public void Say(string text = "") => Put(() => output.WriteLine(text));

    public void Table(IReadOnlyList<(string Resource, string State, string Address)> rows) => Put(() =>
    {
        if (!isTerminal)
        {
            var state = rows.Max(row => row.State.Length);
            foreach (var row in rows) output.WriteLine($"{row.Resource.PadRight(width)}  {row.State.PadRight(state)}  {row.Address}".TrimEnd());
            return;
        }
        var table = new Table().Border(TableBorder.Rounded).AddColumns("Resource", "State", "Address");
        foreach (var row in rows) table.AddRow(Markup.Escape(row.Resource), Colored(row.State), Markup.Escape(row.Address));
        AnsiConsole.Create(new AnsiConsoleSettings { Out = new AnsiConsoleOutput(output) }).Write(table);
    });

    private static string Colored(string state) =>
        $"[{(state is "healthy" or "running" or "done" ? "green" : state == "left out" ? "grey" : "red")}]{Markup.Escape(state)}[/]";

    private void Write(string resource, LineLevel level, string text)
    {
        if (!isTerminal)
        {
            Say($"{resource.PadRight(width)} | {text}");
            return;
        }
        var (start, end) = level switch
        {
            LineLevel.Error => ("\e[31m", "\e[0m"),
            LineLevel.Warning => ("\e[33m", "\e[0m"),
            _ => ("", ""),
        };
        Say($"{prefixes.GetValueOrDefault(resource, "")}{resource.PadRight(width)} |\e[0m {start}{text}{end}");
    }

    /// <summary>What can't be said (the output goes into a file, and the disk is full) is not: the installation must not end for it.</summary>
    private void Put(Action write)
    {
        lock (gate)
        {
            try
            {
                write();
            }
            catch (IOException)
            {
                // There is nowhere else to say it.
            }
        }
    }
}
