using Kohakku.Contracts.Json;
using Kohakku.Contracts.Schedules;
using Kohakku.Controller.Data;
using Npgsql;

namespace Kohakku.Controller.Schedules.Firing;

internal sealed record NewFiring(Guid ScheduleId, DateTimeOffset ScheduledAt, FiringCause Cause, FiringState Status, DateTimeOffset DueAt, string? Note);

internal static class FiringRows
{
    /// <summary>One command for all; answers the times of those that were new, in no order.</summary>
    public static NpgsqlBatchCommand Insert(NpgsqlBatch batch, IReadOnlyList<NewFiring> firings, DateTimeOffset now) => batch.Add(FiringSql.Insert).With(now)
        .With(firings.Select(_ => Guid.CreateVersion7(now)).ToArray())
        .With(firings.Select(firing => firing.ScheduleId).ToArray())
        .With(firings.Select(firing => firing.ScheduledAt).ToArray())
        .With(firings.Select(firing => WireEnum<FiringCause>.NameOf(firing.Cause)).ToArray())
        .With(firings.Select(firing => WireEnum<FiringState>.NameOf(firing.Status)).ToArray())
        .With(firings.Select(firing => firing.DueAt).ToArray())
        .With(firings.Select(firing => firing.Note).ToArray());
}
