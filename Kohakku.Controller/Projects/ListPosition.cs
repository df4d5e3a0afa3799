using Kohakku.Contracts;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Controller.Projects;

/// <summary>Where a page of a list that is ordered by id, newest first, begins. The cursor is the last id seen.</summary>
internal sealed record ListPosition(int Limit, Guid? Before)
{
    private const int DefaultLimit = 50;
    private const int MaxLimit = 200;

    /// <summary>Null when limit or cursor is wrong; <see cref="Fault"/> says which.</summary>
    public static ListPosition? Read(int? limit, string? cursor)
    {
        if (limit is < 1 or > MaxLimit) return null;
        if (string.IsNullOrEmpty(cursor)) return new ListPosition(limit ?? DefaultLimit, null);
        return Guid.TryParseExact(cursor, "N", out var before) ? new ListPosition(limit ?? DefaultLimit, before) : null;
    }

    public static ProblemHttpResult Fault(int? limit) => limit is < 1 or > MaxLimit
        ? Problems.BadRequest("limit", $"must be from 1 to {MaxLimit}")
        : Problems.BadRequest("cursor", "is not one that this list gave");

    /// <param name="items">One more than <see cref="Limit"/> where there are more.</param>
    public Page<T> PageOf<T>(List<T> items, Func<T, Guid> idOf) => items.Count <= Limit
        ? new Page<T>(items, null)
        : new Page<T>(items[..Limit], idOf(items[Limit - 1]).ToString("N"));
}
