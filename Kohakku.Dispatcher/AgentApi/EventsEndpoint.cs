using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Dispatcher.Attempts;
using Kohakku.Dispatcher.Logs;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.AgentApi;

/// <param name="LogLimit">The log has reached its limit: more of it is thrown away, so there is no use in sending it.</param>
internal sealed record EventsAnswer(bool LogLimit);

/// <summary><c>POST /agent/v1/events</c>: log, progress and usage.</summary>
internal static class EventsEndpoint
{
    private const int LongestMessage = 4096;

    public static async Task<Results<Ok<EventsAnswer>, ProblemHttpResult>> TakeAsync(IReadOnlyList<AgentEvent> events, HttpContext context, AttemptLogs logs)
    {
        var attempt = context.Attempt();
        if (Validate(events) is { Any: true } faults) return Problems.Unprocessable(faults);
        var limited = false;
        var durable = new List<Task>();
        foreach (var each in events)
        {
            if (each is LogEvent log)
            {
                limited = logs.Of(attempt).Append(log.Stream, log.Text);
                continue;
            }
            if (!attempt.Apply(ReportOf(each, attempt.Redactor), out var written)) return Problems.Conflict(AgentAuthentication.StaleDetail);
            durable.Add(written);
        }
        await Task.WhenAll(durable);
        return TypedResults.Ok(new EventsAnswer(limited));
    }

    private static Faults Validate(IReadOnlyList<AgentEvent> events)
    {
        var faults = new Faults();
        for (var i = 0; i < events.Count; i++)
        {
            switch (events[i])
            {
                case LogEvent { Stream: not ("stdout" or "stderr" or "runner") }:
                    faults.Add($"[{i}].stream", "must be stdout, stderr or runner");
                    break;
                case ProgressEvent { Percent: < 0 or > 100 }:
                    faults.Add($"[{i}].percent", "must be from 0 to 100");
                    break;
                case UsageEvent usage when usage.InputTokens < 0 || usage.OutputTokens < 0 || usage.CostUsd < 0:
                    faults.Add($"[{i}]", "must not have negative numbers");
                    break;
                case UsageEvent { Model.Length: 0 or > 200 }:
                    faults.Add($"[{i}].model", "must have 1 to 200 characters");
                    break;
            }
        }
        return faults;
    }

    private static AttemptInput.Reported ReportOf(AgentEvent made, SecretRedactor redactor) => made switch
    {
        ProgressEvent progress => new(AttemptEventTypes.Progress, JsonSerializer.SerializeToElement(
            new ProgressData(progress.Percent, Cut(redactor.TextOrNull(progress.Message))), ContractsJson.Default.ProgressData)),
        UsageEvent usage => new(AttemptEventTypes.Usage, JsonSerializer.SerializeToElement(
            new UsageData(redactor.Text(usage.Model), usage.InputTokens, usage.OutputTokens, usage.CostUsd), ContractsJson.Default.UsageData)),
        _ => throw new InvalidOperationException($"{made.GetType().Name} is no event of its own."),
    };

    private static string? Cut(string? text) =>
        text is { Length: > LongestMessage } ? string.Concat(text.AsSpan(0, char.IsHighSurrogate(text[LongestMessage - 1]) ? LongestMessage - 1 : LongestMessage), "…") : text;
}
