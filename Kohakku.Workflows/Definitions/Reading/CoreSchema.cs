using System.Globalization;
using System.Numerics;
using System.Text.Json;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>What a plain scalar means, by the core schema of YAML 1.2 (so that <c>no</c> and <c>on</c> are text).</summary>
internal static class CoreSchema
{
    private const int MaxNumberLength = 200;

    public static bool IsNull(string text) => text is "" or "~" or "null" or "Null" or "NULL";

    public static bool? Boolean(string text) => text switch
    {
        "true" or "True" or "TRUE" => true,
        "false" or "False" or "FALSE" => false,
        _ => null,
    };

    /// <summary>As JSON writes it; null: it is not a number, or one that JSON doesn't have (<c>.inf</c>).</summary>
    public static string? Number(string text)
    {
        if (text.Length is 0 or > MaxNumberLength) return null;
        if (text.StartsWith("0x", StringComparison.Ordinal)) return Based(text, 16);
        if (text.StartsWith("0o", StringComparison.Ordinal)) return Based(text, 8);
        var rest = text.AsSpan();
        var sign = rest[0] == '-' ? "-" : "";
        if (rest[0] is '-' or '+') rest = rest[1..];
        var whole = rest[..Digits(rest)];
        rest = rest[whole.Length..];
        var fraction = ReadOnlySpan<char>.Empty;
        if (rest.StartsWith('.'))
        {
            fraction = rest.Slice(1, Digits(rest[1..]));
            rest = rest[(fraction.Length + 1)..];
        }

        if (whole.IsEmpty && fraction.IsEmpty) return null;
        var exponent = "";
        if (!rest.IsEmpty)
        {
            if (rest[0] is not ('e' or 'E')) return null;
            rest = rest[1..];
            var exponentSign = rest.StartsWith('-') ? "-" : rest.StartsWith('+') ? "+" : "";
            rest = rest[exponentSign.Length..];
            if (rest.IsEmpty || Digits(rest) < rest.Length) return null;
            exponent = $"e{exponentSign}{rest}";
        }

        var trimmed = whole.TrimStart('0');
        return $"{sign}{(trimmed.IsEmpty ? "0" : trimmed)}{(fraction.IsEmpty ? "" : $".{fraction}")}{exponent}";
    }

    public static void Write(Utf8JsonWriter writer, Node scalar)
    {
        if (!scalar.IsPlain) writer.WriteStringValue(scalar.Text);
        else if (IsNull(scalar.Text)) writer.WriteNullValue();
        else if (Boolean(scalar.Text) is { } boolean) writer.WriteBooleanValue(boolean);
        else if (Number(scalar.Text) is { } number) writer.WriteRawValue(number);
        else writer.WriteStringValue(scalar.Text);
    }

    /// <summary>How many it begins with.</summary>
    private static int Digits(ReadOnlySpan<char> text)
    {
        var length = text.IndexOfAnyExceptInRange('0', '9');
        return length < 0 ? text.Length : length;
    }

    private static string? Based(string text, int radix)
    {
        var value = BigInteger.Zero;
        if (text.Length == 2) return null;
        foreach (var character in text.AsSpan(2))
        {
            var digit = char.IsAsciiHexDigit(character) ? Convert.ToInt32(character.ToString(), 16) : radix;
            if (digit >= radix) return null;
            value = (value * radix) + digit;
        }

        return value.ToString(CultureInfo.InvariantCulture);
    }
}
