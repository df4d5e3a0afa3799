namespace Kohakku.ServiceDefaults;

/// <summary>Whether a service starts without a setting.</summary>
public enum SettingNeed
{
    /// <summary>It does.</summary>
    Optional,
    /// <summary>In Development only.</summary>
    OutsideDevelopment,
    /// <summary>It does not.</summary>
    Always,
}

/// <summary>What a service says of a setting, where it reads it: there and nowhere else. The command <c>settings</c> and docs/configuration.md come from these.</summary>
/// <param name="Key">As it stands in the environment, with double underscores.</param>
/// <param name="Takes">What values it takes, as Markdown that goes on after "it takes".</param>
/// <param name="Default">What holds where it is not set; null for nothing.</param>
/// <param name="Meaning">One sentence, as Markdown.</param>
public sealed record Setting(string Key, string Takes, string? Default, string Meaning)
{
    /// <summary>The value, or a part of it, is for nobody's eyes.</summary>
    public bool IsSecret { get; init; }

    public SettingNeed Need { get; init; }
}
