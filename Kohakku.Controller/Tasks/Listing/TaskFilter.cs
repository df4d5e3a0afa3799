using System.Diagnostics.CodeAnalysis;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Microsoft.Extensions.Primitives;

namespace Kohakku.Controller.Tasks.Listing;

/// <summary>Which tasks a list shows: those that meet every part.</summary>
internal sealed record TaskFilter
{
    private const int MaxText = 200;

    /// <summary>Any of these; all when empty.</summary>
    public IReadOnlyList<TaskState> Statuses { get; init; } = [];
    public string? Agent { get; init; }
    public IReadOnlyList<string> Tags { get; init; } = [];
    public IReadOnlyDictionary<string, string> Labels { get; init; } = new Dictionary<string, string>();
    /// <summary>Part of the title, whatever its case; or a task's id.</summary>
    public string? Text { get; init; }
    public int Limit { get; init; } = Cursor.DefaultLimit;
    /// <summary>The last task of the page before.</summary>
    public Guid? Before { get; init; }

    /// <param name="fault">The field and the rule it breaks, where the answer is false.</param>
    public static bool TryParse(IQueryCollection query, [NotNullWhen(true)] out TaskFilter? filter, out (string Field, string Rule) fault)
    {
        filter = null;
        fault = default;
        if (query.SelectMany(parameter => parameter.Value).Any(value => value?.Contains('\0') ?? false)) fault = ("query", "must not contain the character U+0000");
        else if (!TryParseStatuses(query["status"], out var statuses))
            fault = ("status", $"must be of {string.Join(", ", WireEnum<TaskState>.AllNames)}; several are separated by commas");
        else if (!TryParseLabels(query["label"], out var labels)) fault = ("label", "must be name=value or name:value");
        else if (query["q"].ToString().Length > MaxText) fault = ("q", $"must be at most {MaxText} characters");
        else if (!Cursor.TryParseLimit(query["limit"], out var limit)) fault = ("limit", $"must be from 1 to {Cursor.MaxLimit}");
        else if (!TryParseCursor(query["cursor"], out var before)) fault = ("cursor", Cursor.Rule);
        else
        {
            filter = new TaskFilter
            {
                Statuses = statuses,
                Agent = Given(query["agent"]),
                Tags = [.. query["tag"].Where(tag => !string.IsNullOrEmpty(tag)).Select(tag => tag!)],
                Labels = labels,
                Text = Given(query["q"]),
                Limit = limit,
                Before = before,
            };
        }

        return filter is not null;
    }

    private static string? Given(StringValues values) => values.ToString() is { Length: > 0 } text ? text : null;

    private static bool TryParseStatuses(StringValues values, out List<TaskState> statuses)
    {
        statuses = [];
        foreach (var name in values.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            if (!WireEnum<TaskState>.TryParse(name, out var status)) return false;
            if (!statuses.Contains(status)) statuses.Add(status);
        }

        return true;
    }

    private static bool TryParseLabels(StringValues values, out Dictionary<string, string> labels)
    {
        labels = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var value in values)
        {
            if (string.IsNullOrEmpty(value)) continue;
            // A label's name holds no '=', but may hold ':'.
            var at = value.IndexOf('=');
            if (at < 0) at = value.IndexOf(':');
            if (at <= 0) return false;
            labels[value[..at]] = value[(at + 1)..];
        }

        return true;
    }

    private static bool TryParseCursor(StringValues values, out Guid? before)
    {
        before = null;
        if (Given(values) is not { } text) return true;
        if (!Cursor.TryParse(text, out var id)) return false;
        before = id;
        return true;
    }
}
