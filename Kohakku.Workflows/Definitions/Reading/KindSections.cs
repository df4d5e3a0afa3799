using System.Globalization;
using Kohakku.Workflows.Definitions.Rules;
using Kohakku.Workflows.Templates;

namespace Kohakku.Workflows.Definitions.Reading;

/// <summary>The steps that are not for an agent.</summary>
internal static class KindSections
{
    private const string TimeRule = "must be a time with its offset, like 2026-03-01T09:00:00Z";
    private static readonly string[] Methods = ["POST", "PUT", "PATCH", "GET", "DELETE"];
    private static readonly string[] Decisions = ["approve", "reject"];
    private static readonly string[] TimeForms = ["yyyy-MM-dd'T'HH:mm:ssK", "yyyy-MM-dd'T'HH:mm:ss.FFFFFFFK", "yyyy-MM-dd' 'HH:mm:ssK"];

    public static ApprovalStep? Approval(Fields step, DocumentReading reading)
    {
        if (Fields.Of(step.Find("approval")!, step.At("approval"), Keys.Approval, reading) is not { } fields) return null;
        return new ApprovalStep
        {
            Prompt = fields.Template("prompt", TemplateRole.Step, required: true) ?? "",
            Timeout = fields.Duration("timeout"),
            OnTimeout = OneOf(fields, "on_timeout", Decisions, reading.Faults) ?? "reject",
        };
    }

    public static WaitStep Wait(Fields step, DocumentReading reading)
    {
        var duration = step.Template("wait", TemplateRole.Step);
        if (duration is not null && !CompiledTemplate.IsTemplate(duration) && !Definitions.Duration.TryParse(duration, out _))
            reading.Faults.Add(step.Find("wait")!, step.At("wait"), Definitions.Duration.Rule);
        var until = step.Template("until", TemplateRole.Step);
        if (until is not null && !CompiledTemplate.IsTemplate(until) && !TryParseTime(until, out _))
            reading.Faults.Add(step.Find("until")!, step.At("until"), TimeRule);
        return new WaitStep { For = duration, Until = until };
    }

    /// <summary>As a wait's <c>until</c> is written, and must be rendered to.</summary>
    public static bool TryParseTime(string text, out DateTimeOffset time)
    {
        // K is satisfied by nothing at all, and a time without its offset would be ours by accident.
        var hasOffset = text.EndsWith('Z') || text.EndsWith('z') || (text.Length > 6 && text[^3] == ':' && text[^6] is '+' or '-');
        time = default;
        return hasOffset && DateTimeOffset.TryParseExact(
            text.ToUpperInvariant(), TimeForms, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal | DateTimeStyles.AdjustToUniversal, out time);
    }

    public static SubWorkflowStep Workflow(Fields step, DocumentReading reading)
    {
        var name = step.Text("workflow", required: true);
        if (name is not null && !Names.IsWorkflow(name)) reading.Faults.Add(step.Find("workflow")!, step.At("workflow"), Names.WorkflowRule);
        return new SubWorkflowStep
        {
            Name = name ?? "",
            Version = step.Integer("version", 1, int.MaxValue),
            With = JsonTree.Object(step, "with", reading, TemplateRole.Step),
        };
    }

    public static WebhookStep? Webhook(Fields step, DocumentReading reading)
    {
        var node = step.Find("webhook")!;
        if (node.Kind == NodeKind.Scalar)
        {
            var url = step.Template("webhook", TemplateRole.Step, required: true);
            CheckUrl(url, node, step.At("webhook"), reading.Faults);
            return new WebhookStep { Url = url ?? "" };
        }

        if (Fields.Of(node, step.At("webhook"), Keys.Webhook, reading) is not { } fields) return null;
        var webhook = new WebhookStep
        {
            Url = fields.Template("url", TemplateRole.Step, required: true) ?? "",
            Method = OneOf(fields, "method", Methods, reading.Faults) ?? "POST",
            Headers = Headers(fields, reading),
            Body = fields.Find("body") is { } body ? JsonTree.Of(body, fields.At("body"), reading, TemplateRole.Step) : null,
        };
        if (fields.Find("url") is { Kind: NodeKind.Scalar } place) CheckUrl(webhook.Url, place, fields.At("url"), reading.Faults);
        return webhook;
    }

    public static SignalStep? Signal(Fields step, DocumentReading reading)
    {
        if (Fields.Of(step.Find("signal")!, step.At("signal"), Keys.Signal, reading) is not { } fields) return null;
        var name = fields.Text("name", required: true);
        if (name is not null && !Names.IsSignal(name)) reading.Faults.Add(fields.Find("name")!, fields.At("name"), Names.SignalRule);
        return new SignalStep { Name = name ?? "" };
    }

    private static OrderedDictionary<string, string> Headers(Fields fields, DocumentReading reading)
    {
        var headers = new OrderedDictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var (name, text, entry, path) in fields.Pairs("headers"))
        {
            if (!Names.IsHeader(name)) reading.Faults.Add(entry.Key, path, "must have the name of a header");
            if (text.AsSpan().ContainsAny('\r', '\n')) reading.Faults.Add(entry.Value, path, "must be one line");
            if (!headers.TryAdd(name, text)) reading.Faults.Add(entry.Key, path, "stands here twice");
            reading.Template(entry.Value, path, TemplateRole.Step);
        }

        return headers;
    }

    private static void CheckUrl(string? url, Node node, string path, FaultList faults)
    {
        if (string.IsNullOrEmpty(url) || CompiledTemplate.IsTemplate(url)) return;
        if (!Uri.TryCreate(url, UriKind.Absolute, out var uri) || uri.Scheme is not ("http" or "https")) faults.Add(node, path, "must be an http or https URL");
    }

    private static string? OneOf(Fields fields, string key, string[] values, FaultList faults)
    {
        if (fields.Text(key) is not { } text) return null;
        if (values.Contains(text)) return text;
        faults.Add(fields.Find(key)!, fields.At(key), $"must be one of {string.Join(", ", values)}{Nearest.Hint(text, values)}");
        return null;
    }
}
