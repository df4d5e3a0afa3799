namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>What somebody who mistyped a name most likely meant.</summary>
internal static class Nearest
{
    /// <summary><c>; did you mean `for_each`?</c>, or nothing.</summary>
    public static string Hint(string given, IEnumerable<string> known) => To(given, known) is { } nearest ? $"; did you mean `{nearest}`?" : "";

    public static string? To(string given, IEnumerable<string> known)
    {
        if (given.Length > 64) return null;
        var folded = Fold(given);
        return known
            .Select(name => (name, distance: Distance(folded, Fold(name))))
            .Where(candidate => candidate.distance <= Math.Min(candidate.name.Length, folded.Length) / 3)
            .OrderBy(candidate => candidate.distance)
            .Select(candidate => candidate.name)
            .FirstOrDefault();
    }

    // forEach, for-each and for_each are the same but for habit.
    private static string Fold(string name) => name.Replace("_", "", StringComparison.Ordinal).Replace("-", "", StringComparison.Ordinal).ToLowerInvariant();

    /// <summary>How many letters must be put in, taken out, exchanged, or swapped with their neighbour.</summary>
    private static int Distance(string from, string to)
    {
        var rows = new int[from.Length + 1, to.Length + 1];
        for (var i = 0; i <= from.Length; i++) rows[i, 0] = i;
        for (var j = 0; j <= to.Length; j++) rows[0, j] = j;
        for (var i = 1; i <= from.Length; i++)
        {
            for (var j = 1; j <= to.Length; j++)
            {
                var exchanged = rows[i - 1, j - 1] + (from[i - 1] == to[j - 1] ? 0 : 1);
                rows[i, j] = Math.Min(exchanged, Math.Min(rows[i - 1, j], rows[i, j - 1]) + 1);
                if (i > 1 && j > 1 && from[i - 1] == to[j - 2] && from[i - 2] == to[j - 1]) rows[i, j] = Math.Min(rows[i, j], rows[i - 2, j - 2] + 1);
            }
        }

        return rows[from.Length, to.Length];
    }
}
