using System.Diagnostics.CodeAnalysis;
using System.Globalization;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// Reads settings and collects every fault, so that an operator sees all of them at once. Each fault is one line that
/// names the key, what it got and what it takes; a faulty key reads as its fallback until <see cref="ThrowIfAny"/>.
/// Every read says what the setting is for, and is kept for the reference: read all of them, whatever the others say.
/// </summary>
/// <remarks>Used while a process starts, by one thread.</remarks>
public sealed class SettingsReader(IConfiguration configuration)
{
    private readonly List<string> _faults = [];
    private readonly List<Setting> _declared = [];

    private SettingsReader(IConfiguration configuration, List<Setting> declared) : this(configuration) => _declared = declared;

    /// <summary>The faults so far.</summary>
    public IReadOnlyList<string> Faults => _faults;

    /// <summary>What was read or declared so far, in that order, each key once.</summary>
    public IReadOnlyList<Setting> Declared => _declared;

    /// <summary>Notes a setting that others read for the process: ASP.NET Core, OpenTelemetry.</summary>
    /// <exception cref="InvalidOperationException">The key is said to be something else elsewhere.</exception>
    public void Declare(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        if (_declared.Find(known => known.Key == setting.Key) is not { } known) _declared.Add(setting);
        else if (known != setting) throw new InvalidOperationException($"{setting.Key} is read in two places, which don't say the same of it.");
    }

    /// <summary>For settings that another one makes meaningless: they are declared, but whatever they are set to is not looked at.</summary>
    public SettingsReader Unset() => new(new ConfigurationBuilder().Build(), _declared);

    /// <summary>The trimmed value; null where it is missing or blank. What is read by this is checked by the caller.</summary>
    public string? Read(Setting setting)
    {
        ArgumentNullException.ThrowIfNull(setting);
        Declare(setting);
        // An environment variable's double underscore is the configuration's colon.
        var value = configuration[setting.Key.Replace("__", ":", StringComparison.Ordinal)];
        return string.IsNullOrWhiteSpace(value) ? null : value.Trim();
    }

    /// <param name="fallbackText">The fallback as the reference shows it, where it is not the same everywhere.</param>
    public string Text(string key, string fallback, string meaning, string takes = "text", string? fallbackText = null) =>
        Read(new Setting(key, takes, Code(fallbackText ?? fallback), meaning)) ?? fallback;

    /// <inheritdoc cref="Text"/>
    [SuppressMessage("Naming", "CA1720", Justification = "It names the type because that is what it reads.")]
    public int Integer(string key, int fallback, int min, int max, string meaning, string? fallbackText = null)
    {
        var range = $"a whole number from {min.ToString(CultureInfo.InvariantCulture)} to {max.ToString(CultureInfo.InvariantCulture)}";
        if (Read(new Setting(key, range, fallbackText ?? Code(fallback.ToString(CultureInfo.InvariantCulture)), meaning)) is not { } text) return fallback;
        if (int.TryParse(text, NumberStyles.AllowLeadingSign, CultureInfo.InvariantCulture, out var value) && value >= min && value <= max)
            return value;
        Fault($"{key} is '{text}'; it takes {range}.");
        return fallback;
    }

    public bool Flag(string key, bool fallback, string meaning)
    {
        var text = Read(new Setting(key, "`true` or `false`", Code(fallback ? "true" : "false"), meaning));
        switch (text?.ToLowerInvariant())
        {
            case null:
                return fallback;
            case "true" or "1":
                return true;
            case "false" or "0":
                return false;
            default:
                Fault($"{key} is '{text}'; it takes true or false.");
                return fallback;
        }
    }

    /// <summary>An absolute http or https address.</summary>
    public Uri Url(string key, string fallback, string meaning) => OptionalUrl(key, fallback, meaning, Code(fallback)) ?? new Uri(fallback);

    /// <summary>An absolute http or https address; null where there is none.</summary>
    public Uri? OptionalUrl(string key, string example, string meaning, string? fallbackText = null)
    {
        if (Read(new Setting(key, "an `http://` or `https://` address", fallbackText, meaning)) is not { } text) return null;
        if (Uri.TryCreate(text, UriKind.Absolute, out var url) && url.Scheme is "http" or "https" && url.Host.Length > 0) return url;
        Fault($"{key} is '{text}'; it takes an address like {example}.");
        return null;
    }

    public TEnum OneOf<TEnum>(string key, TEnum fallback, IReadOnlyDictionary<string, TEnum> names, string meaning)
    {
        ArgumentNullException.ThrowIfNull(names);
        var name = names.First(pair => EqualityComparer<TEnum>.Default.Equals(pair.Value, fallback)).Key;
        if (Read(new Setting(key, string.Join(" or ", names.Keys.Select(Code)), Code(name), meaning)) is not { } text) return fallback;
        if (names.TryGetValue(text, out var value)) return value;
        Fault($"{key} is '{text}'; it takes {string.Join(" or ", names.Keys)}.");
        return fallback;
    }

    /// <summary>Pairs like <c>gpu=true,zone=a</c>.</summary>
    public IReadOnlyDictionary<string, string> Pairs(string key, string meaning)
    {
        var pairs = new Dictionary<string, string>(StringComparer.Ordinal);
        var text = Read(new Setting(key, "pairs like `gpu=true,zone=a`", null, meaning));
        foreach (var part in (text ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
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

    private static string Code(string text) => $"`{text}`";
}
