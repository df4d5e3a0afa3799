using System.Globalization;
using System.Text;

namespace Kohakku.Local.ObjectStorage.Storage;

/// <summary>
/// Maps keys to paths, one to one, and never out of the bucket. Each part between slashes becomes a name whose letters,
/// digits, <c>-</c>, <c>_</c> and <c>.</c> stay and whose other bytes become <c>%XX</c>; an object's name ends with <c>@</c>, so that
/// <c>a</c> and <c>a/b</c> can both be there; a part too long for a file name goes on in a folder that ends with <c>~</c>.
/// <code>
/// a/b c.md → a/b%20c.md@        a//b → a/%/b@        .. → %2E%2E@
/// </code>
/// </summary>
internal static class KeyPath
{
    public const char ObjectMark = '@';
    public const char ContinuationMark = '~';
    private const string Empty = "%";
    private const int MaxNameLength = 240;

    /// <summary>The path of a key's object, relative to the bucket's folder of objects.</summary>
    public static string OfObject(string key)
    {
        var parts = key.Split('/');
        return Path.Combine([.. parts[..^1].Select(OfFolderPart), OfPart(parts[^1]) + ObjectMark]);
    }

    /// <summary>The path of the folder that holds all keys that start with <paramref name="part"/> and a slash.</summary>
    public static string OfFolderPart(string part) => OfPart(part);

    /// <summary>The part that a name stands for, without its mark.</summary>
    public static string PartOf(string encoded)
    {
        if (encoded == Empty) return "";
        if (!encoded.Contains('%', StringComparison.Ordinal)) return encoded;
        var bytes = new List<byte>(encoded.Length);
        for (var i = 0; i < encoded.Length; i++)
            bytes.Add(encoded[i] == '%' ? byte.Parse(encoded.AsSpan((i += 2) - 1, 2), NumberStyles.AllowHexSpecifier, CultureInfo.InvariantCulture) : (byte)encoded[i]);
        return Encoding.UTF8.GetString([.. bytes]);
    }

    private static string OfPart(string part)
    {
        if (part.Length == 0) return Empty;
        if (part is "." or "..") return part.Replace(".", "%2E", StringComparison.Ordinal);
        var name = new StringBuilder(part.Length);
        var sinceBreak = 0;
        foreach (var value in Encoding.UTF8.GetBytes(part))
        {
            if (sinceBreak >= MaxNameLength)
            {
                name.Append(ContinuationMark).Append('/');
                sinceBreak = 0;
            }
            var plain = char.IsAsciiLetterOrDigit((char)value) || value is (byte)'-' or (byte)'_' or (byte)'.';
            if (plain) name.Append((char)value);
            else name.Append('%').Append(value.ToString("X2", CultureInfo.InvariantCulture));
            sinceBreak += plain ? 1 : 3;
        }
        // The rest of a long part may be dots alone, which is no name.
        var last = name.ToString(name.Length - sinceBreak, sinceBreak);
        return last is "." or ".." ? name.ToString(0, name.Length - sinceBreak) + last.Replace(".", "%2E", StringComparison.Ordinal) : name.ToString();
    }
}

/// <summary>The order of S3 listings: by the bytes of UTF-8, which differs from .NET's ordinal order above U+D7FF.</summary>
internal sealed class KeyOrder : IComparer<string>
{
    public static readonly KeyOrder Instance = new();

    public int Compare(string? x, string? y)
    {
        x ??= "";
        y ??= "";
        var length = Math.Min(x.Length, y.Length);
        for (var i = 0; i < length; i++)
        {
            if (x[i] != y[i]) return Weight(x[i]).CompareTo(Weight(y[i]));
        }
        return x.Length.CompareTo(y.Length);
    }

    // Surrogates stand for what lies above all of the basic plane.
    private static int Weight(char c) => char.IsSurrogate(c) ? c + 0x10000 : c;
}
