using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Reads settings and collects every fault, so that an operator sees all of them at once. Each fault is one line that
/// names the key, what it got and what it takes; a faulty key reads as its fallback until <see cref="ThrowIfAny"/>.
/// </summary>
/// <remarks>Used while a process starts, by one thread.</remarks>
public sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _faults = [];

    /// <summary>The faults so far.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>The trimmed value; null where it is missing or blank.</summary>
    public string? Text(string key)
    {
        ArgumentNullException.ThrowIfNull(key);
        // An environment variable's double underscore is the configuration's colon.
        var value = configuration[key.Replace("__", ":", StringComparison.Ordinal)];
        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }

    public string Text(string key, string fallback) => Text(key) ?? fallback;

    [SuppressMessage("Naming", "CA1720", Justification = "It names the type because that is what it reads.")]
    public int Integer(string key, int fallback, int min, int max)
    {
        if (Text(key) is not { } text) return fallback;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
            return value;
        Fault($"{key} is '{text}'; it takes a whole number from {min.ToString(CultureInfo.InvariantCulture)} to {max.ToString(CultureInfo.InvariantCulture)}.");
        return fallback;
    }

    public bool Flag(string key, bool fallback)
    {
        switch (Text(key)?.ToLowerInvariant())
        {
            case null:
                return fallback;
            case "true" or "1":
                return true;
            case "false" or "0":
                return false;
            default:
                Fault($"{key} is '{Text(key)}'; it takes true or false.");
                return fallback;
        }
    }

    /// <summary>An absolute http or https address.</summary>
    public Uri Url(string key, string fallback)
    {
        if (Text(key) is not { } text) return new Uri(fallback);
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0) return url;
        Fault($"{key} is '{text}'; it takes an address like {fallback}.");
        return new Uri(fallback);
    }

    public TEnum OneOf<TEnum>(string key, TEnum fallback, IReadOnlyDictionary<string, TEnum> names)
    {
        ArgumentNullException.ThrowIfNull(names);
        if (Text(key) is not { } text) return fallback;
        if (names.TryGetValue(text, out var value)) return value;
        Fault($"{key} is '{text}'; it takes {string.Join(" or ", names.Keys)}.");
        return fallback;
    }

    /// <summary>Pairs like <c>gpu=true,zone=a</c>.</summary>
    public IReadOnlyDictionary<string, string> Pairs(string key)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        foreach (var part in (Text(key) ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            var equals = part.IndexOf('=', StringComparison.Ordinal);
            if (equals <= 0)
                Fault($"{key} has '{part}'; it takes name=value pairs separated by commas, like gpu=true,zone=a.");
            else if (!pairs.TryAdd(part[..equals].TrimEnd(), part[(equals + 1)..].TrimStart()))
                Fault($"{key} names '{part[..equals].TrimEnd()}' twice; it takes each name once.");
        }
        return pairs;
    }

    /// <summary>Notes a fault of the caller's own finding, as one line.</summary>
    public void Fault(string message) => _faults.Add(message);

    /// <exception cref="OptionsValidationException">There are faults; it carries them all.</exception>
    public void ThrowIfAny()
    {
        if (_faults.Count > 0) throw new OptionsValidationException("settings", typeof(SettingsReader), _faults);
    }
}
