using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Controller.Data;
using Microsoft.Extensions.Primitives;

namespace Kohakku.Controller.Failures;

/// <summary>Which groups a list shows: those that meet every part, the last seen first.</summary>
internal sealed record FailureFilter
{
    private const int LongestAgent = 200;

    /// <summary>Any of these; all when empty.</summary>
    public IReadOnlyList<FailureGroupState> Statuses { get; init; } = [];
    public FailureKind? Kind { get; init; }
    public string? Agent { get; init; }
    public int Limit { get; init; } = Cursor.DefaultLimit;
    /// <summary>The last group of the page before. One that fails while somebody pages on comes to the front of the list, and is seen there.</summary>
    public (DateTimeOffset LastSeen, Guid Id)? After { get; init; }

    /// <param name="fault">The field and the rule it breaks, where the answer is false.</param>
    public static bool TryParse(IQueryCollection query, [NotNullWhen(true)] out FailureFilter? filter, out (string Field, string Rule) fault)
    {
        filter = null;
        fault = default;
        FailureKind? kind = null;
        if (!TryParseStatuses(query["status"], out var statuses))
            fault = ("status", $"must be of {string.Join(", ", WireEnum<FailureGroupState>.AllNames)}; several are separated by commas");
        else if (!TryParseKind(Given(query["kind"]), out kind)) fault = ("kind", $"must be {string.Join(" or ", WireEnum<FailureKind>.AllNames)}");
        else if (query["agent"].ToString() is { } agent && (agent.Length > LongestAgent || agent.Contains('\0'))) fault = ("agent", "must be the name of an agent");
        else if (!Cursor.TryParseLimit(query["limit"], out var limit)) fault = ("limit", $"must be from 1 to {Cursor.MaxLimit}");
        else if (!TryParseCursor(Given(query["cursor"]), out var after)) fault = ("cursor", Cursor.Rule);
        else filter = new FailureFilter { Statuses = statuses, Kind = kind, Agent = Given(query["agent"]), Limit = limit, After = after };
        return filter is not null;
    }

    public static string CursorOf(DateTimeOffset lastSeen, Guid id) =>
        Cursor.OfText($"{lastSeen.UtcTicks.ToString(CultureInfo.InvariantCulture)}:{id:N}");

    private static string? Given(StringValues values) => values.ToString() is { Length: > 0 } text ? text : null;

    private static bool TryParseStatuses(StringValues values, out List<FailureGroupState> statuses)
    {
        statuses = [];
        foreach (var name in values.SelectMany(value => (value ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries)))
        {
            if (!WireEnum<FailureGroupState>.TryParse(name, out var status)) return false;
            if (!statuses.Contains(status)) statuses.Add(status);
        }

        return true;
    }

    private static bool TryParseKind(string? name, out FailureKind? kind)
    {
        var isKnown = WireEnum<FailureKind>.TryParse(name, out var known);
        kind = isKnown ? known : null;
        return isKnown || name is null;
    }

    private static bool TryParseCursor(string? cursor, out (DateTimeOffset, Guid)? after)
    {
        after = null;
        if (cursor is null) return true;
        if (!Cursor.TryParseText(cursor, out var text) || text.Split(':') is not [var ticks, var name]
            || !long.TryParse(ticks, NumberStyles.None, CultureInfo.InvariantCulture, out var at) || at > DateTimeOffset.MaxValue.UtcTicks
            || !Guid.TryParseExact(name, "N", out var id)) return false;
        after = (new DateTimeOffset(at, TimeSpan.Zero), id);
        return true;
    }
}
