using System.Text.Json;
using CsCheck;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Dispatching.States;

namespace Kohakku.Tests.Controller.Dispatching;

/// <summary>Whatever happens to a task in whatever order, what is promised of it holds.</summary>
public sealed class StateMachineTests
{
    private static readonly DateTimeOffset Start = new(2026, 1, 1, 0, 0, 0, TimeSpan.Zero);

    /// <summary>What the world may do to a task; what does not apply at the moment does nothing.</summary>
    public enum Act { Claim, Starting, Running, Question, Answer, Succeed, FailAgent, FailInfrastructure, FailForGood, TimeOut, SayCanceled, Lose, LoseUnstarted, Cancel, Retry, Due, AnswerRetry, AnswerFail }

    private static readonly string[] JsonParts = ["a", "\\u0000", "\\\\u0000", "\\ud83d", "\\ude00", "\\ud83d\\ude00", "\\n", "\\\"", "\\u00e9"];

    private static readonly Gen<(Act[] Acts, int MaxAttempts, bool Ask, double Jitter)> Histories = Gen.Select(
        Gen.Enum<Act>().Array[0, 60], Gen.Int[1, 4], Gen.Bool, Gen.Double[0, 0.999]);

    [Fact]
    public void A_generation_ends_once_and_only_a_retry_leaves_a_final_state() => Histories.Sample(history =>
    {
        var world = new World(history.MaxAttempts, history.Ask, history.Jitter);
        foreach (var act in history.Acts)
        {
            var before = world.Task;
            world.Do(act);
            if (before.Status.IsFinal() && act != Act.Retry) Assert.Equal(before, world.Task);
        }

        var ends = world.Timeline.Count(entry => entry.Type == "task.ended");
        Assert.Equal(world.Task.Generation - (world.Task.Status.IsFinal() ? 0 : 1), ends);
    });

    [Fact]
    public void The_timeline_has_no_gaps() => Histories.Sample(history =>
    {
        var world = new World(history.MaxAttempts, history.Ask, history.Jitter);
        foreach (var act in history.Acts) world.Do(act);
        Assert.Equal(Enumerable.Range(3, world.Timeline.Count).Select(id => (long)id), world.Timeline.Select(entry => entry.Id));
        Assert.Equal(world.Timeline.Count + 2, world.Task.EventSequence);
    });

    [Fact]
    public void Attempts_are_bounded_by_whose_fault_it_was() => Histories.Sample(history =>
    {
        var world = new World(history.MaxAttempts, history.Ask, history.Jitter);
        foreach (var act in history.Acts)
        {
            world.Do(act);
            Assert.InRange(world.Task.AgentFailures, 0, history.MaxAttempts);
            Assert.InRange(world.Task.InfrastructureFaults, 0, RetryRule.InfrastructureLimit + 1);
            if (world.Task.AgentFailures == history.MaxAttempts || world.Task.InfrastructureFaults > RetryRule.InfrastructureLimit)
                Assert.True(world.Task.Status.IsFinal(), $"{world.Task.Status} with nothing left");
        }
    });

    [Fact]
    public void A_task_waits_runs_or_rests_only_with_what_belongs_to_that() => Histories.Sample(history =>
    {
        var world = new World(history.MaxAttempts, history.Ask, history.Jitter);
        foreach (var act in history.Acts)
        {
            world.Do(act);
            var live = world.Attempt is { } attempt && !attempt.Status.IsEnded();
            switch (world.Task.Status)
            {
                case TaskState.Running: Assert.True(live); break;
                case TaskState.Waiting: Assert.True(live ? world.Attempt!.Status == AttemptState.Waiting : world.LostQuestion is not null); break;
                case TaskState.Scheduled: Assert.True(!live && world.Task.DueAt is not null); break;
                default: Assert.False(live, $"{world.Task.Status} with a live attempt"); break;
            }
        }
    });

    [Fact]
    public void What_was_canceled_never_runs_again_by_itself() => Histories.Sample(history =>
    {
        var world = new World(history.MaxAttempts, history.Ask, history.Jitter);
        foreach (var act in history.Acts)
        {
            var before = world.Task;
            world.Do(act);
            if (before.CancelRequestedAt is not null && act != Act.Retry) Assert.NotEqual(TaskState.Queued, world.Task.Status);
            if (before.CancelRequestedAt is not null && act != Act.Retry) Assert.NotEqual(TaskState.Scheduled, world.Task.Status);
        }
    });

    [Fact]
    public void Backoff_grows_with_full_jitter_up_to_five_minutes()
    {
        Gen.Select(Gen.Int[0, 200], Gen.Double[0, 0.999]).Sample((retry, jitter) =>
        {
            var pause = RetryRule.Backoff(retry, jitter);
            Assert.InRange(pause, TimeSpan.Zero, TimeSpan.FromMinutes(5));
        });
        Assert.Equal(TimeSpan.FromSeconds(0.5), RetryRule.Backoff(0, 0.5));
        Assert.Equal(TimeSpan.FromSeconds(4), RetryRule.Backoff(3, 0.5));
        Assert.Equal(TimeSpan.FromMinutes(2.5), RetryRule.Backoff(100, 0.5));
        Assert.Equal(TimeSpan.Zero, RetryRule.Backoff(5, 0));
    }

    [Fact]
    public void Cleaned_JSON_is_still_JSON_and_holds_nothing_that_the_database_refuses() =>
        Gen.Int[0, JsonParts.Length - 1].Select(part => JsonParts[part]).Array[0, 12].Sample(parts =>
        {
            var clean = JsonText.Clean($"{{\"k\":\"{string.Concat(parts)}\"}}");
            var text = JsonElement.Parse(clean).GetProperty("k").GetString()!;
            Assert.DoesNotContain('\0', text);
            Assert.Equal(parts.Count(part => part == "\\\\u0000"), text.Split("\\u0000").Length - 1);
        });

    /// <summary>One task and its attempts, moved by the product's own functions, as the database would.</summary>
    private sealed class World(int maxAttempts, bool ask, double jitter)
    {
        private DateTimeOffset now = Start;
        private Guid? question;

        public TaskStanding Task { get; private set; } = new()
        {
            Id = Guid.NewGuid(), ProjectId = Guid.NewGuid(), Status = TaskState.Queued, Generation = 1, MaxAttempts = maxAttempts,
            OnLost = ask ? OnLost.Ask : OnLost.Retry, Claimable = true, EventSequence = 2,
        };

        public AttemptStanding? Attempt { get; private set; }

        public Guid? LostQuestion { get; private set; }

        public List<TimelineEntry> Timeline { get; } = [];

        public void Do(Act act)
        {
            now += TimeSpan.FromSeconds(1);
            var moment = new Moment(now, jitter);
            if (act == Act.Claim) Claim();
            else if (act == Act.Cancel) Take(TaskMachine.Cancel(Task, Attempt, "someone", moment));
            else if (act == Act.Retry) Take(TaskMachine.Retry(Task, "someone", moment));
            else if (act == Act.Due) Take(TaskMachine.Promote(Task, new Moment(now + TimeSpan.FromHours(1), jitter)));
            else if (act is Act.AnswerRetry or Act.AnswerFail && LostQuestion is { } lost)
                Take(TaskMachine.AnswerLost(Task, lost, act == Act.AnswerRetry, "someone", moment));
            else if (Attempt is { } attempt && !attempt.Status.IsEnded()) Report(act, attempt, moment);
        }

        private void Report(Act act, AttemptStanding attempt, Moment moment)
        {
            if (act is Act.Lose or Act.LoseUnstarted) Take(AttemptMachine.Lose(Task, attempt, act == Act.LoseUnstarted, "lost", moment));
            if (act == Act.Answer && question is { } asked) Take(TaskMachine.CloseQuestion(Task, attempt, asked, 0, "yes", "someone", moment));
            AttemptReport? report = act switch
            {
                Act.Starting => new AttemptReport.Starting(null),
                Act.Running => new AttemptReport.Running("{}", new RunningData("r")),
                Act.Question => new AttemptReport.Asked("{}", new QuestionData(Guid.NewGuid(), "?", null, null)),
                Act.Succeed => Ended(AttemptState.Succeeded, null),
                Act.FailAgent => Ended(AttemptState.Failed, FailureReason.AgentExit),
                Act.FailInfrastructure => Ended(AttemptState.Failed, FailureReason.StartFailed),
                Act.FailForGood => Ended(AttemptState.Failed, FailureReason.ImagePull, transient: false),
                Act.TimeOut => Ended(AttemptState.TimedOut, FailureReason.Timeout),
                Act.SayCanceled => Ended(AttemptState.Canceled, FailureReason.Canceled),
                _ => null,
            };
            if (report is not null) Take(AttemptMachine.Apply(Task, attempt, report, now, moment));
        }

        private static AttemptReport.Ended Ended(AttemptState status, FailureReason? reason, bool transient = true) =>
            new(new EndedData(status, reason, 1, null, null, null, transient));

        private void Claim()
        {
            if (Task is not { Status: TaskState.Queued, Claimable: true }) return;
            Attempt = new AttemptStanding
            {
                Id = Guid.NewGuid(), TaskId = Task.Id, Number = (Attempt?.Number ?? 0) + 1, Status = AttemptState.Claimed,
                DispatcherId = Guid.NewGuid(), DispatcherName = "one", ClaimedAt = now,
            };
            Task = Task with { Status = TaskState.Running, CurrentAttemptId = Attempt.Id, EventSequence = Task.EventSequence + 1 };
            Timeline.Add(new TimelineEntry(Task.EventSequence, now, "attempt.claimed", Attempt.Number, null));
        }

        private void Take(Transition? transition)
        {
            if (transition is null) return;
            Task = transition.Task;
            Attempt = transition.Attempt ?? Attempt;
            foreach (var effect in transition.Effects)
            {
                if (effect is TimelineEntry entry) Timeline.Add(entry);
                if (effect is QuestionAsked { Kind: "question" } asked) question = asked.Id;
                if (effect is QuestionAsked { Kind: "lost" } lost) LostQuestion = lost.Id;
                if (effect is QuestionClosed closed && closed.Id == LostQuestion) LostQuestion = null;
            }

            if (transition.Effects.OfType<QuestionsClosed>().Any() && Task.Status.IsFinal()) LostQuestion = null;
        }
    }
}
