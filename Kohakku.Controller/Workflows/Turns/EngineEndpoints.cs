using Kohakku.Controller.Data;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Activities;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Kohakku.Controller.Workflows.Turns;

/// <summary>What temporal-workers ask of the controller; signed, see <see cref="EngineJson"/>'s types for the bodies.</summary>
internal static class EngineEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var engine = endpoints.MapGroup("/engine/runs/{id:guid}").WithTags("Workers' own").RequireSignature();
        engine.MapGet("", ReadAsync);
        engine.MapPost("/load", LoadAsync);
        engine.MapPost("/turns", CommitAsync);
        engine.MapPost("/outputs", KeepAsync);
    }

    private static async Task<Results<Ok<RunDocument>, ProblemHttpResult>> ReadAsync(Guid id, RunLoading loading, CancellationToken cancellationToken) =>
        await loading.ReadAsync(id, cancellationToken) is { } document ? TypedResults.Ok(document) : NotFound(id);

    private static async Task<Results<Ok<LoadedRun>, ProblemHttpResult>> LoadAsync(Guid id, LoadRun load, RunLoading loading, CancellationToken cancellationToken)
    {
        try
        {
            return await loading.LoadAsync(id, load, cancellationToken) is { } loaded ? TypedResults.Ok(loaded) : NotFound(id);
        }
        catch (OutputsTooLargeException fault)
        {
            return Problems.TooLarge(fault.Message);
        }
    }

    private static async Task<Results<Ok<CommittedTurn>, ProblemHttpResult>> CommitAsync(Guid id, CommitTurn turn, TurnCommit commits, CancellationToken cancellationToken)
    {
        if (turn.Units.Count > CommitTurn.MostUnits)
        {
            var faults = new Faults();
            faults.Add("units", $"must be at most {CommitTurn.MostUnits}");
            return Problems.Unprocessable(faults);
        }

        return await commits.CommitAsync(id, turn, cancellationToken) is { } committed ? TypedResults.Ok(committed) : NotFound(id);
    }

    private static async Task<Ok<CommittedTurn>> KeepAsync(Guid id, UnitOutput output, NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(TurnSql.KeepOutput).With(id).With(output.Unit.Step).With(output.Unit.Item).With(output.Unit.Attempt).With(output.Output?.GetRawText());
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return TypedResults.Ok(new CommittedTurn(null));
    }

    private static ProblemHttpResult NotFound(Guid id) => Problems.NotFound($"There is no run {id}.");
}
