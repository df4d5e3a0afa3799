using System.Globalization;
using System.Text;

namespace Kohakku.Controller.Dispatching.States;

/// <summary>PostgreSQL holds neither NUL nor half a surrogate pair; what agents say may contain both. They become U+FFFD.</summary>
internal static class JsonText
{
    private const string Replacement = "\\ufffd";

    /// <summary>Cleans valid JSON of escapes (<c>\u0000</c>, a lone <c>\ud83d</c>) that <c>jsonb</c> refuses.</summary>
    public static string Clean(string json)
    {
        if (!json.Contains("\\u", StringComparison.Ordinal)) return json;
        var clean = new StringBuilder(json.Length);
        for (var index = 0; index < json.Length; index++)
        {
            if (json[index] != '\\')
            {
                clean.Append(json[index]);
                continue;
            }

            // In JSON a backslash stands only in a string, and something always follows it.
            if (json[index + 1] != 'u')
            {
                clean.Append(json, index, 2);
                index += 1;
                continue;
            }

            var unit = UnitAt(json, index);
            if (char.IsHighSurrogate(unit) && index + 11 < json.Length && json[index + 6] == '\\' && json[index + 7] == 'u'
                && char.IsLowSurrogate(UnitAt(json, index + 6)))
            {
                clean.Append(json, index, 12);
                index += 11;
                continue;
            }

            if (unit == '\0' || char.IsSurrogate(unit)) clean.Append(Replacement);
            else clean.Append(json, index, 6);
            index += 5;
        }

        return clean.ToString();
    }

    /// <summary>Cleans text that is not JSON.</summary>
    public static string CleanPlain(string text) => text.Contains('\0', StringComparison.Ordinal) ? text.Replace('\0', '\ufffd') : text;

    private static char UnitAt(string json, int escape) =>
        (char)ushort.Parse(json.AsSpan(escape + 2, 4), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture);
}
