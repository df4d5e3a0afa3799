using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Runs.Commands;

/// <summary>Why a completed workflow task is failed instead: something it asks for can't be done.</summary>
/// <param name="Detail">Null when the cause says it all.</param>
/// <param name="TerminatesRun">It would come to the same each time: the run is terminated.</param>
internal sealed record CommandFault(WorkflowTaskFailedCause Cause, string? Detail, bool TerminatesRun = false)
{
    /// <summary>As the real server words it; workers know <c>UnhandledCommand</c> by its text.</summary>
    public string Message => Detail is null ? Cause.ToString() : $"{Cause}: {Detail}";
}
