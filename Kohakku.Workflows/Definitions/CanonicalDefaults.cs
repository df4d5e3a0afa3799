namespace Kohakku.Workflows.Definitions;

/// <summary>
/// Puts back what the canonical form leaves out: the generated reader sets every property that is only set at the beginning, and so also those that the
/// JSON doesn't have, to nothing.
/// </summary>
internal static class CanonicalDefaults
{
    private static readonly IReadOnlyDictionary<string, string> NoTexts = new Dictionary<string, string>();

    public static WorkflowDefinition PutBack(WorkflowDefinition definition) => definition with
    {
        Inputs = definition.Inputs ?? new Dictionary<string, InputDefinition>(),
        Concurrency = definition.Concurrency is { } concurrency ? concurrency with { Limit = AtLeastOne(concurrency.Limit) } : null,
        Steps = [.. definition.Steps.Select(Step)],
    };

    private static StepDefinition Step(StepDefinition step) => step with
    {
        Needs = step.Needs ?? [],
        MaxAttempts = AtLeastOne(step.MaxAttempts),
        Agent = step.Agent is { } agent
            ? agent with { Skills = agent.Skills ?? [], Env = agent.Env ?? NoTexts, Labels = agent.Labels ?? NoTexts, Tags = agent.Tags ?? [] }
            : null,
        Approval = step.Approval is { } approval ? approval with { OnTimeout = approval.OnTimeout ?? "reject" } : null,
        Webhook = step.Webhook is { } webhook ? webhook with { Method = webhook.Method ?? "POST", Headers = webhook.Headers ?? NoTexts } : null,
    };

    private static int AtLeastOne(int number) => Math.Max(1, number);
}
