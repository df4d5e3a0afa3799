using Kohakku.Contracts;

namespace Kohakku.Controller.Data;

/// <summary>A page of a list that is ordered by id, the newest first.</summary>
/// <param name="Before">The last id of the page before; null for the first.</param>
internal sealed record IdPage(Guid? Before, int Limit)
{
    /// <param name="fault">The field and the rule it breaks, where the answer is false.</param>
    public static bool TryParse(IQueryCollection query, out IdPage page, out (string Field, string Rule) fault)
    {
        fault = default;
        Guid? before = null;
        if (!Cursor.TryParseLimit(query["limit"], out var limit)) fault = ("limit", $"must be from 1 to {Cursor.MaxLimit}");
        else if (query["cursor"].ToString() is { Length: > 0 } cursor)
        {
            if (Cursor.TryParse(cursor, out var id)) before = id;
            else fault = ("cursor", Cursor.Rule);
        }

        page = new IdPage(before, limit);
        return fault.Field is null;
    }

    /// <param name="rows">One more than the limit, where there is a next page.</param>
    public Page<T> Of<T>(IReadOnlyList<T> rows, Func<T, Guid> id) => new([.. rows.Take(Limit)], rows.Count > Limit ? Cursor.Of(id(rows[Limit - 1])) : null);
}
