using System.Text.Json;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Dispatcher.Attempts;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>An agent asks a person, and waits for the answer; meanwhile its task is Waiting.</summary>
internal static class QuestionEndpoints
{
    private const string StoppedDetail = "This attempt is being stopped: nobody will answer.";
    private const int LongestPrompt = 10_000;
    private const int MostChoices = 50;
    private const int LongestChoice = 500;
    private const int LongestTimeoutSeconds = 2_592_000;
    private const int LongestWaitSeconds = 60;

    public static async Task<Results<Ok<AskedQuestion>, ProblemHttpResult>> AskAsync(AskQuestion question, HttpContext context)
    {
        if (Validate(question) is { Any: true } faults) return Problems.Unprocessable(faults);
        var attempt = context.Attempt();
        var redactor = attempt.Redactor;
        var id = Guid.CreateVersion7();
        var prompt = redactor.Text(question.Prompt);
        var data = new QuestionData(id, prompt, question.Choices is null ? null : [.. question.Choices.Select(redactor.Text)], question.TimeoutSeconds);
        // Known here before anybody can answer it.
        await attempt.Mailbox.AskAsync(id, prompt, question.TimeoutSeconds is { } seconds ? TimeSpan.FromSeconds(seconds) : null);
        var report = new AttemptInput.Reported(AttemptEventTypes.Question, JsonSerializer.SerializeToElement(data, ContractsJson.Default.QuestionData));
        if (!attempt.Apply(report, out var durable)) return Problems.Conflict(StoppedDetail);
        await durable;
        return TypedResults.Ok(new AskedQuestion(id));
    }

    /// <param name="wait">Seconds to wait for an answer, at most 60.</param>
    public static async Task<Results<Ok<QuestionAnswer>, ProblemHttpResult>> ReadAsync(
        Guid id, HttpContext context, TimeProvider time, IHostApplicationLifetime lifetime, int wait = 0)
    {
        var attempt = context.Attempt();
        var started = time.GetTimestamp();
        using var wake = CancellationTokenSource.CreateLinkedTokenSource(context.RequestAborted, lifetime.ApplicationStopping, attempt.Stopping);
        while (true)
        {
            var changed = attempt.Mailbox.Changed.Next;
            if (attempt.Mailbox.Find(id) is not { } found) return Problems.NotFound("This attempt has not asked that question.");
            if (attempt.Stopping.IsCancellationRequested) return Problems.Conflict(StoppedDetail);
            var left = TimeSpan.FromSeconds(Math.Clamp(wait, 0, LongestWaitSeconds)) - time.GetElapsedTime(started);
            if (found.Answer.Status != "open" || left <= TimeSpan.Zero || wake.IsCancellationRequested) return TypedResults.Ok(found.Answer);
            if (found.ExpiresAt is { } end && end - time.GetUtcNow() < left) left = end - time.GetUtcNow();
            // A waiting agent is alive.
            attempt.SignOfLife();
            var slice = TimeSpan.FromTicks(Math.Min(left.Ticks, attempt.HeartbeatTimeout.Ticks / 2));
            await changed.WithinAsync(slice, time, wake.Token);
        }
    }

    private static Faults Validate(AskQuestion question)
    {
        var faults = new Faults();
        if (string.IsNullOrWhiteSpace(question.Prompt) || question.Prompt.Length > LongestPrompt) faults.Add("prompt", $"must have 1 to {LongestPrompt} characters");
        if (question.Choices is { } choices)
        {
            if (choices.Count is 0 or > MostChoices) faults.Add("choices", $"must have 1 to {MostChoices} items");
            if (choices.Any(choice => choice is null || choice.Length is 0 or > LongestChoice)) faults.Add("choices", $"must have items of 1 to {LongestChoice} characters");
        }
        if (question.TimeoutSeconds is < 1 or > LongestTimeoutSeconds) faults.Add("timeoutSeconds", $"must be from 1 to {LongestTimeoutSeconds}");
        return faults;
    }
}
