using System.Globalization;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Targets;
using Kohakku.Controller.Triggers.Hooks;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Triggers;

/// <summary>What a trigger must be; every fault is named. Whether its agent or workflow is there shows when something is delivered: it may be made later.</summary>
internal static class TriggerRules
{
    private const int ShortestSecret = 8;
    private const int LongestSecret = 1024;
    private const int ShortestKeyBytes = 24;
    private const int LongestTemplate = 16 * 1024;
    private const string StandardPrefix = "whsec_";

    public static bool IsName(string name) => AgentRules.IsName(name);

    /// <param name="isNew">There is no trigger of the name, whose secret could be kept.</param>
    public static void Check(string name, PutTrigger trigger, bool isNew, DateTimeOffset now, Faults faults)
    {
        if (!IsName(name)) faults.Add("name", AgentRules.NameRule);
        if (trigger.Verify is null) faults.Add("verify", "is required");
        if (trigger.Secret is null && isNew) faults.Add("secret", "is required");
        else if (trigger is { Secret: { } secret, Verify: { } verify } && SecretFault(verify, secret) is { } rule) faults.Add("secret", rule);
        CheckTemplate(trigger.Filter, "filter", faults);
        CheckTemplate(trigger.DedupeKey, "dedupeKey", faults);
        TargetRules.Check(trigger.Target, now, faults);
        if (trigger.Target is null) return;
        foreach (var (path, text) in TargetTexts.Of(TargetTexts.Json(trigger.Target))) CheckNames(text, path, faults);
    }

    /// <summary>Which rule the secret breaks; null: none. No rule says anything of what it is.</summary>
    public static string? SecretFault(TriggerVerification verify, string secret)
    {
        if (secret.Length is < ShortestSecret or > LongestSecret) return string.Create(CultureInfo.InvariantCulture, $"must be {ShortestSecret} to {LongestSecret} characters");
        if (secret.Any(char.IsControl)) return "must not contain control characters";
        return verify switch
        {
            TriggerVerification.Token when !secret.All(character => character is > ' ' and <= '~') => "must be printable ASCII without spaces, as it stands in a header",
            TriggerVerification.Standard when secret.StartsWith(StandardPrefix, StringComparison.Ordinal) && !IsKey(secret[StandardPrefix.Length..]) =>
                $"must have base64 of at least {ShortestKeyBytes} bytes after {StandardPrefix}",
            _ => null,
        };
    }

    private static bool IsKey(string base64)
    {
        var bytes = new byte[base64.Length];
        return Convert.TryFromBase64String(base64, bytes, out var length) && length >= ShortestKeyBytes;
    }

    private static void CheckTemplate(string? template, string field, Faults faults)
    {
        if (template is null) return;
        if (template.Length > LongestTemplate) faults.Add(field, $"must be at most {LongestTemplate / 1024} Ki characters");
        else if (Template.Check(template) is { } fault) faults.Add(field, fault);
        else CheckNames(template, field, faults);
    }

    /// <summary>What nothing is called renders as nothing: a filter with a slip of the pen would filter all, and say no word.</summary>
    private static void CheckNames(string template, string field, Faults faults)
    {
        if (Template.Check(template) is not null) return;
        foreach (var name in Unknown(TemplateReferences.Of(template)))
            faults.Add(field, $"uses `{name}`, which there is not; there are {string.Join(", ", HookScope.Names)} and now");
    }

    private static IEnumerable<string> Unknown(TemplateReferences references)
    {
        foreach (var name in references.Unknown.Except(HookScope.Names).Where(name => !name.StartsWith("run.", StringComparison.Ordinal))) yield return name;
        if (references.UsesRun) yield return "run";
        if (references.AllInputs || references.Inputs.Count > 0) yield return "inputs";
        if (references.AllSteps || references.Steps.Count > 0) yield return "steps";
        if (references.UsesItem) yield return "item";
        if (references.UsesIndex) yield return "index";
        if (references.UsesCandidates) yield return "candidates";
    }
}
