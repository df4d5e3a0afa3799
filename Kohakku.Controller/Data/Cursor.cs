using System.Buffers.Text;
using System.Text;

namespace Kohakku.Controller.Data;

/// <summary>Where the next page of a list begins. Opaque to clients, and not secret: it only names the last item they got.</summary>
internal static class Cursor
{
    public const string Rule = "must be the nextCursor of a page before";
    public const int DefaultLimit = 50;
    public const int MaxLimit = 200;

    public static string Of(Guid id) => Base64Url.EncodeToString(id.ToByteArray(bigEndian: true));

    public static bool TryParse(string text, out Guid id)
    {
        Span<byte> bytes = stackalloc byte[16];
        var isId = text.Length == 22 && Base64Url.TryDecodeFromChars(text, bytes, out var length) && length == bytes.Length;
        id = isId ? new Guid(bytes, bigEndian: true) : default;
        return isId;
    }

    public static string OfText(string text) => Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));

    public static bool TryParseText(string cursor, out string text)
    {
        text = "";
        if (cursor.Length > 8_000 || !Base64Url.IsValid(cursor)) return false;
        try
        {
            text = new UTF8Encoding(false, throwOnInvalidBytes: true).GetString(Base64Url.DecodeFromChars(cursor));
            return text.Length > 0 && !text.Contains('\0');
        }
        catch (ArgumentException)
        {
            return false;
        }
    }

    public static bool TryParseLimit(string? text, out int limit)
    {
        limit = DefaultLimit;
        return text is null || (int.TryParse(text, System.Globalization.CultureInfo.InvariantCulture, out limit) && limit is >= 1 and <= MaxLimit);
    }
}
