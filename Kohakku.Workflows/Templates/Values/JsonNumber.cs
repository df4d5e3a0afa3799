using System.Globalization;
using System.Runtime.InteropServices;
using System.Text;
using System.Text.Encodings.Web;
using System.Text.Json;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Values;

/// <summary>
/// A number that decimal can't hold exactly, like 1e300: it is passed on as it was written. Liquid counts in decimals, so arithmetic and comparisons see
/// the nearest one.
/// </summary>
internal sealed class JsonNumber(JsonElement element) : FluidValue
{
    public JsonElement Element => element;

    public override FluidValues Type => FluidValues.Number;

    /// <summary>The decimal that is exactly this number; null: there is none.</summary>
    public static decimal? Exactly(JsonElement number)
    {
        var text = JsonMarshal.GetRawUtf8Value(number);
        if (!number.TryGetDecimal(out var value) || !number.TryGetDouble(out var nearest)) return null;
        // TryGetDecimal rounds to 28 digits, and 1e-30 to nothing, and says that it succeeded.
        var digits = 0;
        foreach (var character in text)
        {
            if (character is (byte)'e' or (byte)'E') break;
            if (char.IsAsciiDigit((char)character)) digits++;
        }

        return digits <= 28 && (double)value == nearest ? value : null;
    }

    public override bool Equals(FluidValue? other) => other is JsonNumber number && JsonElement.DeepEquals(element, number.Element);

    public override bool Equals(object? obj) => obj is FluidValue value && Equals(value);

    public override int GetHashCode() => element.GetDouble().GetHashCode();

    public override bool ToBooleanValue() => true;

    public override decimal ToNumberValue() => element.TryGetDecimal(out var value) ? value : element.GetDouble() > 0 ? decimal.MaxValue : decimal.MinValue;

    public override string ToStringValue() => Encoding.UTF8.GetString(JsonMarshal.GetRawUtf8Value(element));

    public override object ToObjectValue() => ToNumberValue();

    public override ValueTask WriteToAsync(TextWriter writer, TextEncoder encoder, CultureInfo cultureInfo)
    {
        writer.Write(ToStringValue());
        return default;
    }
}
