using System.Text.Json;

namespace Kohakku.Workflows.Definitions;

/// <summary>Every template of a step under its key in the document's language; the one list of where templates stand in a definition.</summary>
internal static class StepTemplates
{
    public static IEnumerable<(string Key, JsonElement Tree)> Of(StepDefinition step) =>
    [
        .. Texts(("if", step.If), ("for_each", step.ForEach)),
        .. step.Agent is { } agent ? Of(agent) : [],
        .. step.BestOf is { } best ? Texts(("best_of.judge.agent", best.Judge.Agent), ("best_of.judge.brief", best.Judge.Brief)) : [],
        .. Texts(("approval.prompt", step.Approval?.Prompt), ("wait", step.Wait?.For), ("until", step.Wait?.Until)),
        .. Trees(("with", step.Workflow?.With)),
        .. step.Webhook is { } webhook ? Of(webhook) : [],
    ];

    private static IEnumerable<(string Key, JsonElement Tree)> Of(AgentStep agent) =>
    [
        .. Texts(("agent", agent.Agent), ("title", agent.Title), ("brief", agent.Brief)),
        .. Trees(("inputs", agent.Inputs)),
        .. Texts([.. agent.Env.Select(variable => ($"env.{variable.Key}", (string?)variable.Value))]),
    ];

    private static IEnumerable<(string Key, JsonElement Tree)> Of(WebhookStep webhook) =>
    [
        .. Texts(("webhook.url", webhook.Url)),
        .. Texts([.. webhook.Headers.Select(header => ($"webhook.headers.{header.Key}", (string?)header.Value))]),
        .. Trees(("webhook.body", webhook.Body)),
    ];

    private static IEnumerable<(string Key, JsonElement Tree)> Texts(params (string Key, string? Text)[] texts) =>
        texts.Where(text => text.Text is not null).Select(text => (text.Key, Of(text.Text!)));

    private static IEnumerable<(string Key, JsonElement Tree)> Trees(params (string Key, JsonElement? Tree)[] trees) =>
        trees.Where(tree => tree.Tree is not null).Select(tree => (tree.Key, tree.Tree!.Value));

    /// <summary>A text as JSON.</summary>
    public static JsonElement Of(string text) => JsonSerializer.SerializeToElement(text, DefinitionJson.Default.String);
}
