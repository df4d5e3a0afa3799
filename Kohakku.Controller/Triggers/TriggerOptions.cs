using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Triggers;

internal sealed class TriggerOptions
{
    /// <summary><c>HOOK_MAX_BODY_KB</c>: the largest delivery. GitHub's are at most 25 MiB, and nearly all far under one.</summary>
    public int MaxBodyBytes { get; init; } = 1024 * 1024;

    public static TriggerOptions Read(SettingsReader settings) => new() { MaxBodyBytes = 1024 * settings.Integer("HOOK_MAX_BODY_KB", 1024, 1, 25 * 1024, "The largest delivery that hooks of triggers take, in KiB; GitHub sends at most 25,600.") };
}
