using System.Text.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Workflows.Definitions;
using Kohakku.Workflows.Interpreter;
using Kohakku.Workflows.Templates;
using Temporalio.Activities;

namespace Kohakku.Workflows.Activities;

/// <summary>
/// What runs of workflow definitions do. Templates are rendered here and nowhere else: a workflow's own code must come to the same on every replay, and
/// neither the clock nor a template engine of another release does.
/// </summary>
public sealed class RunActivities
{
    /// <summary>Without a sign of life for so long, another worker takes an activity up: one whose worker was killed must not hold a run up until its time-out.</summary>
    public static readonly TimeSpan HeartbeatTimeout = TimeSpan.FromSeconds(5);

    /// <summary>As a rule an activity is done before the first.</summary>
    private static readonly TimeSpan HeartbeatEvery = TimeSpan.FromSeconds(2);

    private readonly EngineClient _controller;
    private readonly RunDocuments _documents;
    private readonly WebhookSender _webhooks;
    private readonly TimeProvider _time;

    internal RunActivities(EngineClient controller, RunDocuments documents, WebhookSender webhooks, TimeProvider time) =>
        (_controller, _documents, _webhooks, _time) = (controller, documents, webhooks, time);

    /// <summary>
    /// Does a turn: loads what its templates need, renders them, and has the controller write it all. Tried again after any fault, it does what is
    /// missing and answers the same.
    /// </summary>
    [Activity("kohakku-advance")]
    public async Task<TurnResult> AdvanceAsync(Turn turn)
    {
        ArgumentNullException.ThrowIfNull(turn);
        await using var heartbeats = Heartbeats();
        var cancellationToken = ActivityExecutionContext.Current.CancellationToken;
        var texts = await _documents.FindAsync(turn.RunId, cancellationToken);
        var load = TurnNeeds.Of(turn, texts.Definition);
        var (loaded, limit) = load is null ? (null, null) : await LoadAsync(turn, load, cancellationToken);
        if (loaded?.Answered is { } answered) return answered;

        var rendered = limit is null ? new TurnRendering(turn, texts, loaded, _time.GetUtcNow()).Render() : TurnRendering.Refuse(turn, limit);
        // What does not fit into one transaction goes ahead; the turn counts as done with the last of it.
        while (rendered.Units.Count > CommitTurn.MostUnits)
        {
            await _controller.CommitAsync(turn.RunId, rendered with { Units = [.. rendered.Units.Take(CommitTurn.MostUnits)], Partial = true, Outputs = null }, cancellationToken);
            rendered = rendered with { Units = [.. rendered.Units.Skip(CommitTurn.MostUnits)] };
        }

        return (await _controller.CommitAsync(turn.RunId, rendered, cancellationToken)).Result!;
    }

    private async Task<(LoadedRun? Loaded, string? Limit)> LoadAsync(Turn turn, LoadRun load, CancellationToken cancellationToken)
    {
        try
        {
            return (await _controller.LoadAsync(turn.RunId, load, cancellationToken), null);
        }
        catch (EngineLimitException limit)
        {
            return (null, limit.Message);
        }
    }

    /// <summary>Calls a webhook and keeps what it answered. Anything but 2xx is a failure, which Temporal tries again.</summary>
    [Activity("kohakku-webhook")]
    public async Task CallWebhookAsync(WebhookCall call)
    {
        ArgumentNullException.ThrowIfNull(call);
        await using var heartbeats = Heartbeats();
        var cancellationToken = ActivityExecutionContext.Current.CancellationToken;
        var texts = await _documents.FindAsync(call.RunId, cancellationToken);
        var step = texts.Definition.Steps[call.Step];
        var load = TurnNeeds.Of(call, texts.Definition);
        var loaded = await _controller.LoadAsync(call.RunId, load, cancellationToken);
        var scope = TurnScope.Of(texts, loaded, null, call.Step, call.Item);
        var answer = await _webhooks.SendAsync(step.Webhook!, scope, $"{call.RunId:N}-{step.Id}-{call.Item}", cancellationToken);
        await _controller.KeepAsync(call.RunId, new UnitOutput(new UnitKey(call.Step, call.Item, 1), answer), cancellationToken);
    }

    private ITimer Heartbeats() => _time.CreateTimer(context => ((ActivityExecutionContext)context!).Heartbeat(), ActivityExecutionContext.Current, HeartbeatEvery, HeartbeatEvery);
}
