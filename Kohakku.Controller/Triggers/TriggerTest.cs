using Kohakku.Contracts.Targets;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Triggers.Hooks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Triggers;

/// <summary>Tries a delivery on a trigger, by the code that real ones go through; nothing begins.</summary>
internal sealed class TriggerTest(TriggerRegistry registry, HookDelivery delivery)
{
    /// <summary>Null: there is no such trigger. Else what would become of it, or what would be wrong with it.</summary>
    public async Task<(TestedTrigger? Tested, Faults Faults)?> RunAsync(Caller caller, string name, TestTrigger test, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } trigger) return null;
        var outcome = await delivery.TestAsync(HookTrigger.Of(trigger, caller.Project), HookMessage.Of(test), cancellationToken);
        return (outcome.Faults.Any ? null : View(outcome), outcome.Faults);
    }

    private static TestedTrigger View(DeliveryOutcome outcome)
    {
        var run = outcome.Target is { Workflow: { } workflow, Run: { } start } ? new WorkTarget { Workflow = workflow, Inputs = start.Inputs } : null;
        return new TestedTrigger(
            outcome.Result, outcome.Event, outcome.Filter, outcome.DedupeKey, outcome.Note, outcome.TaskId, outcome.RunId, outcome.Target?.Task, run);
    }
}
