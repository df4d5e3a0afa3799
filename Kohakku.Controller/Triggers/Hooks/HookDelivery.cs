using System.Diagnostics;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Targets;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Templates;

namespace Kohakku.Controller.Triggers.Hooks;

/// <summary>What became of a delivery, or would of a tested one.</summary>
internal sealed record DeliveryOutcome(string? Event)
{
    public DeliveryResult Result { get; init; }
    /// <summary>What the filter came to; null where there is none.</summary>
    public string? Filter { get; init; }
    public string? DedupeKey { get; init; }
    public string? Note { get; init; }
    public RenderedTarget? Target { get; init; }
    public Guid? TaskId { get; init; }
    public Guid? RunId { get; init; }
    /// <summary>Of a refused or failed one: by the trigger's field.</summary>
    public Faults Faults { get; init; } = new();

    public static DeliveryOutcome Unreadable((string Field, string Rule) fault)
    {
        var faults = new Faults();
        faults.Add(fault.Field, fault.Rule);
        return new DeliveryOutcome((string?)null).Wrong(DeliveryResult.Failed, faults);
    }

    public DeliveryOutcome Wrong(DeliveryResult result, Faults faults) => this with
    {
        Result = result, Faults = faults, Note = string.Join("; ", faults.ToDictionary().SelectMany(field => field.Value.Select(rule => $"{field.Key} {rule}"))),
    };
}

/// <summary>
/// Takes genuine deliveries through filter, key and target. One with a key begins its task or run with an idempotency key made of it, so that any number of
/// deliveries, one after another, at once or after a crash in between, begin it once; and a repeat is found before the target is rendered.
/// </summary>
internal sealed class HookDelivery(TargetStart target, DeliveryLog log)
{
    private const string PingEvent = "ping";

    public async Task<DeliveryOutcome> DeliverAsync(HookTrigger trigger, HookMessage message, string? traceParent, CancellationToken cancellationToken)
    {
        var outcome = await SettleAsync(trigger, message, (rendered, key) => target.BeginAsync(rendered, trigger.Caller, key, traceParent, cancellationToken)!, cancellationToken);
        await log.WriteAsync(trigger, outcome, message.Excerpt);
        return outcome;
    }

    /// <summary>What would become of it; nothing does, and nothing is written down.</summary>
    public Task<DeliveryOutcome> TestAsync(HookTrigger trigger, HookMessage message, CancellationToken cancellationToken) =>
        SettleAsync(trigger, message, (rendered, _) => target.CheckAsync(rendered, trigger.Caller, cancellationToken), cancellationToken);

    /// <param name="begin">Answers null where there is nothing against it, but nothing was begun.</param>
    private async Task<DeliveryOutcome> SettleAsync(
        HookTrigger trigger, HookMessage message, Func<RenderedTarget, string?, Task<TargetOutcome?>> begin, CancellationToken cancellationToken)
    {
        var outcome = new DeliveryOutcome(message.Event);
        // GitHub asks whether anybody is there; no filter written for its events expects that.
        if (trigger.Verify == TriggerVerification.Github && outcome.Event == PingEvent) return outcome with { Result = DeliveryResult.Filtered, Note = "It is GitHub's ping, which begins nothing." };
        try
        {
            var scope = HookScope.Of(trigger.Name, message);
            if (trigger.Filter is { } filter)
            {
                outcome = outcome with { Filter = Render("filter", filter, scope) };
                if (!Passes(outcome.Filter)) return outcome with { Result = DeliveryResult.Filtered, Note = $"The filter came to '{Texts.Cut(outcome.Filter, 100)}'." };
            }

            outcome = outcome with { DedupeKey = DedupeKeyOf(trigger, message, scope) };
            var key = outcome.DedupeKey is { } dedupeKey ? trigger.IdempotencyKeyOf(dedupeKey) : null;
            if (key is not null && await target.MadeBeforeAsync(trigger.ProjectId, key, cancellationToken) is { } before) return Of(outcome, before);
            outcome = outcome with { Target = TargetRendering.Render(trigger.Target, scope) };
            return Of(outcome, await begin(outcome.Target, key));
        }
        catch (RenderingException fault)
        {
            var faults = new Faults();
            faults.Add(fault.Field, fault.Message);
            return outcome.Wrong(DeliveryResult.Failed, faults);
        }
    }

    private static DeliveryOutcome Of(DeliveryOutcome outcome, TargetOutcome? begun)
    {
        var faults = new Faults();
        switch (begun)
        {
            case null: return outcome with { Result = DeliveryResult.Accepted };
            case TargetOutcome.Begun it:
                return outcome with { Result = it.IsRepeat ? DeliveryResult.Duplicate : DeliveryResult.Accepted, TaskId = it.TaskId, RunId = it.RunId };
            case TargetOutcome.NoWorkflow none:
                faults.Add("target.workflow", $"can't be run: {none.Why}");
                break;
            case TargetOutcome.Refused refused:
                var prefix = outcome.Target?.Task is null ? "target." : "target.task.";
                foreach (var (field, rules) in refused.Faults.ToDictionary())
                {
                    foreach (var rule in rules) faults.Add(prefix + field, rule);
                }

                break;
            default: throw new UnreachableException($"A target came to {begun.GetType().Name}.");
        }

        return outcome.Wrong(DeliveryResult.Refused, faults);
    }

    private static bool Passes(string filter) => filter.ToLowerInvariant() is not ("" or "false" or "0" or "no");

    /// <summary>Null: nothing tells its deliveries apart.</summary>
    private static string? DedupeKeyOf(HookTrigger trigger, HookMessage message, TemplateScope scope)
    {
        var key = trigger.DedupeKey is { } template ? Render("dedupeKey", template, scope) : trigger.Verify switch
        {
            TriggerVerification.Github => message.Header("x-github-delivery"),
            TriggerVerification.Standard => message.Header(StandardWebhooks.IdHeader),
            _ => null,
        };
        return string.IsNullOrEmpty(key) ? null : key;
    }

    private static string Render(string field, string template, TemplateScope scope)
    {
        try
        {
            return Template.Text(template, scope).Trim();
        }
        catch (TemplateException fault)
        {
            throw new RenderingException(field, fault.Message, fault);
        }
    }
}
