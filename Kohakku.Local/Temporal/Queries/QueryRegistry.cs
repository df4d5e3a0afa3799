using Temporalio.Api.Enums.V1;
using Temporalio.Api.Failure.V1;
using Temporalio.Api.Query.V1;

namespace Kohakku.Local.Temporal.Queries;

/// <summary>What became of a query.</summary>
/// <param name="Result">Null: it was not answered with the workflow task, and is to be sent to a worker by itself.</param>
internal sealed record QueryOutcome(WorkflowQueryResult? Result);

/// <summary>A query that waits for the run's workflow task, since the answer must show what that brings.</summary>
internal sealed class PendingQuery(WorkflowQuery query)
{
    private readonly TaskCompletionSource<QueryOutcome> done = new(TaskCreationOptions.RunContinuationsAsynchronously);

    public string Id { get; } = Guid.NewGuid().ToString();
    public WorkflowQuery Query { get; } = query;
    public Task<QueryOutcome> Done => done.Task;

    public void Complete(QueryOutcome outcome) => done.TrySetResult(outcome);
}

/// <summary>The queries of one run that wait for its workflow task.</summary>
internal sealed class QueryRegistry
{
    /// <summary>More than so many are refused.</summary>
    public const int Capacity = 1000;

    private readonly Dictionary<string, PendingQuery> queries = [];

    public int Count => queries.Count;
    public IReadOnlyCollection<PendingQuery> All => queries.Values;

    public void Add(PendingQuery query) => queries.Add(query.Id, query);

    public void Remove(string id) => queries.Remove(id);

    public void Answer(string id, WorkflowQueryResult result)
    {
        if (queries.Remove(id, out var query)) query.Complete(new QueryOutcome(result));
    }

    /// <summary>No workflow task follows that could answer them.</summary>
    public void Unblock()
    {
        foreach (var query in queries.Values) query.Complete(new QueryOutcome(null));
        queries.Clear();
    }
}
