namespace Kohakku.Local.Temporal.Runs;

/// <summary>The workflow id is taken, by the policies of the start.</summary>
internal sealed class AlreadyStartedException(string message, string startRequestId, Guid runId) : Exception(message)
{
    public string StartRequestId { get; } = startRequestId;
    public Guid RunId { get; } = runId;
}
