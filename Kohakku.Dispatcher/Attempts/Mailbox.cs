using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Data;

namespace Kohakku.Dispatcher.Attempts;

/// <summary>What people say to one agent, and what it asks them. Safe for any thread; writes are durable when their task completes.</summary>
internal sealed class Mailbox(Guid attemptId, Journal journal, TimeProvider time)
{
    private const string Question = "question";
    private const string Answer = "answer";
    private readonly Lock gate = new();
    private readonly Dictionary<(Guid Id, string Kind), StoredMessage> messages = [];

    /// <summary>Raised when something new is there.</summary>
    public Signal Changed { get; } = new();

    public void Restore(IEnumerable<StoredMessage> stored)
    {
        lock (gate)
        {
            foreach (var message in stored) messages[(message.Id, message.Kind)] = message;
        }
    }

    /// <summary>Takes in what the controller delivers; the same id again does nothing.</summary>
    public async Task DeliverAsync(AttemptMessage message)
    {
        var stored = new StoredMessage(attemptId, message.Id, message.Kind, message.Body, null);
        lock (gate)
        {
            if (!messages.TryAdd((message.Id, message.Kind), stored)) return;
        }
        await journal.Write(new JournalEntry { Messages = [stored] });
        Changed.Raise();
    }

    /// <summary>What the agent has not been given yet.</summary>
    public IReadOnlyList<AgentMessage> Undelivered()
    {
        lock (gate)
        {
            return [.. messages.Values.Where(message => !message.Delivered && message.Kind != Question)
                .OrderBy(message => message.Id).Select(message => new AgentMessage(message.Id, message.Kind, message.Body))];
        }
    }

    /// <summary>The agent has them.</summary>
    public void MarkDelivered(IReadOnlyList<AgentMessage> given)
    {
        if (given.Count == 0) return;
        var delivered = new List<StoredMessage>();
        lock (gate)
        {
            foreach (var message in given)
            {
                if (!messages.TryGetValue((message.Id, message.Kind), out var stored)) continue;
                delivered.Add(messages[(message.Id, message.Kind)] = stored with { Delivered = true });
            }
        }
        // Not awaited: when it is lost, the agent gets the message once more.
        _ = journal.Write(new JournalEntry { Messages = delivered });
    }

    /// <summary>Notes a question before it is asked.</summary>
    public Task AskAsync(Guid questionId, string prompt, TimeSpan? timeout)
    {
        var stored = new StoredMessage(attemptId, questionId, Question, prompt, timeout is { } limit ? time.GetUtcNow() + limit : null);
        lock (gate) messages[(questionId, Question)] = stored;
        return journal.Write(new JournalEntry { Messages = [stored] });
    }

    /// <returns>Null when this attempt has asked no such question.</returns>
    public (QuestionAnswer Answer, DateTimeOffset? ExpiresAt)? Find(Guid questionId)
    {
        lock (gate)
        {
            if (!messages.TryGetValue((questionId, Question), out var question)) return null;
            if (messages.TryGetValue((questionId, Answer), out var answer)) return (new QuestionAnswer("answered", answer.Body), question.ExpiresAt);
            var expired = question.ExpiresAt is { } end && end <= time.GetUtcNow();
            return (new QuestionAnswer(expired ? "expired" : "open", null), question.ExpiresAt);
        }
    }
}
