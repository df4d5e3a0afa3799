using System.Security.Cryptography;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Console.Targets;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Console.Triggers;

/// <summary>A trigger as it stands in the form.</summary>
internal sealed class TriggerForm
{
    private const int KeyBytes = 32;

    public string Name { get; set; } = "";
    public TriggerVerification Verify { get; set; }
    /// <summary>Empty: that of before stays.</summary>
    public string? Secret { get; set; }
    public string? Filter { get; set; }
    public string? DedupeKey { get; set; }
    public TargetForm Target { get; set; } = new();

    public static TriggerForm Of(TriggerView trigger) => new()
    {
        Name = trigger.Name, Verify = trigger.Verify, Filter = trigger.Filter, DedupeKey = trigger.DedupeKey, Target = TargetForm.Of(trigger.Target),
    };

    public void MakeSecret() => Secret = Verify == TriggerVerification.Standard
        ? $"whsec_{Convert.ToBase64String(RandomNumberGenerator.GetBytes(KeyBytes))}"
        : Identity.Secret.New("");

    /// <summary>The request that a program would send; what can't be read goes to <paramref name="faults"/>. All rules besides are the API's own.</summary>
    public PutTrigger ToRequest(Faults faults) => new()
    {
        Verify = Verify,
        Secret = string.IsNullOrEmpty(Secret) ? null : Secret,
        Filter = string.IsNullOrWhiteSpace(Filter) ? null : Filter.ReplaceLineEndings("\n"),
        DedupeKey = string.IsNullOrWhiteSpace(DedupeKey) ? null : DedupeKey,
        Target = Target.ToTarget(faults),
    };
}
