using Kohakku.Contracts;

namespace Kohakku.Controller.Data;

/// <summary>A page of a list that is ordered by name.</summary>
/// <param name="After">The last name of the page before; empty for the first.</param>
internal sealed record NamePage(string After, int Limit)
{
    /// <param name="fault">The field and the rule it breaks, where the answer is false.</param>
    public static bool TryParse(IQueryCollection query, out NamePage page, out (string Field, string Rule) fault)
    {
        fault = default;
        var after = "";
        if (!Cursor.TryParseLimit(query["limit"], out var limit)) fault = ("limit", $"must be from 1 to {Cursor.MaxLimit}");
        else if (query["cursor"].ToString() is { Length: > 0 } cursor && !Cursor.TryParseText(cursor, out after)) fault = ("cursor", Cursor.Rule);
        page = new NamePage(after, limit);
        return fault.Field is null;
    }

    /// <param name="rows">One more than the limit, where there is a next page.</param>
    public Page<TView> Of<TRow, TView>(IReadOnlyList<TRow> rows, Func<TRow, TView> view, Func<TRow, string> name) => new(
        [.. rows.Take(Limit).Select(view)], rows.Count > Limit ? Cursor.OfText(name(rows[Limit - 1])) : null);
}
