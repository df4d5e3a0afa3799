using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Submit;

/// <summary>What came of a submit.</summary>
internal abstract record SubmitOutcome
{
    private SubmitOutcome()
    {
    }

    /// <param name="IsRepeat">The same key and request were submitted before: these are the tasks of then.</param>
    public sealed record Accepted(IReadOnlyList<TaskView> Tasks, bool IsRepeat) : SubmitOutcome;

    /// <summary>Nothing was written.</summary>
    public sealed record Refused(Faults Faults) : SubmitOutcome;

    /// <summary>Nothing was written: a brief is over its limit.</summary>
    public sealed record TooLarge(string Field) : SubmitOutcome;
}
