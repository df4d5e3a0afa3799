using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Console.Shared;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Submit;

/// <summary>What stands in the form, as text where a person writes text.</summary>
internal sealed class TaskForm
{
    public string? Agent { get; set; }
    public string? Title { get; set; }
    public string? Brief { get; set; }
    public string? Inputs { get; set; }
    public int? Priority { get; set; }
    public int? MaxAttempts { get; set; }
    public int? TimeoutSeconds { get; set; }
    public string? Tags { get; set; }
    public string? Labels { get; set; }

    /// <summary>The request that a program would send; what can't be read goes to <paramref name="faults"/>. All rules besides are the API's own.</summary>
    public SubmitTask ToRequest(Faults faults) => new()
    {
        Agent = Agent,
        Title = string.IsNullOrWhiteSpace(Title) ? null : Title.Trim(),
        // A browser's lines may end as Windows' do; a shell's must not.
        Brief = Brief?.ReplaceLineEndings("\n"),
        Inputs = FormJson.Read(Inputs, "inputs", faults),
        Priority = Priority,
        MaxAttempts = MaxAttempts,
        TimeoutSeconds = TimeoutSeconds,
        Tags = Split(Tags) is { Length: > 0 } tags ? tags : null,
        Labels = ReadLabels(faults),
    };

    private Dictionary<string, string>? ReadLabels(Faults faults)
    {
        var labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in Split(Labels))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0) faults.Add("labels", $"'{part}' is not name=value");
            else if (!labels.TryAdd(part[..equals].Trim(), part[(equals + 1)..].Trim())) faults.Add("labels", $"'{part[..equals].Trim()}' is given twice");
        }
        return labels.Count > 0 ? labels : null;
    }

    private static string[] Split(string? text) => (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);
}
