using System.Buffers.Binary;
using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Visibility.Queries;

namespace Kohakku.Local.Temporal.Visibility;

/// <summary>By which time runs are listed; pages go on from the last run's time and id, so that runs that come or go meanwhile shift nothing.</summary>
internal sealed record PageOrder(string Column, bool IsDescending, Func<RunRow, DateTime> Time)
{
    private const int TokenBytes = 24;

    private static readonly PageOrder ByStart = new("start_time", IsDescending: true, row => row.StartTime.UtcDateTime);

    public string Sql => $"{Column} {Direction}, run_id {Direction}";

    private string Direction => IsDescending ? "desc" : "asc";

    /// <exception cref="InvalidQueryException">Only these orders can be paged through.</exception>
    public static PageOrder Of(IReadOnlyList<OrderTerm> terms, QueryTranslator translator)
    {
        if (terms.Count == 0) return ByStart;
        if (terms.Count > 1) throw InvalidQueryException.NotSupported("'ORDER BY' more than one search attribute");
        var field = translator.Field(terms[0].Field);
        return field.Key switch
        {
            "StartTime" => ByStart with { IsDescending = terms[0].IsDescending },
            "ExecutionTime" => new PageOrder("execution_time", terms[0].IsDescending, row => row.ExecutionTime.UtcDateTime),
            // What is open closes after all that is closed.
            "CloseTime" => new PageOrder("coalesce(close_time, 'infinity')", terms[0].IsDescending, row => row.CloseTime?.UtcDateTime ?? DateTime.MaxValue),
            _ => throw InvalidQueryException.NotSupported($"'ORDER BY' search attribute {field.Name}; runs can be ordered by StartTime, ExecutionTime or CloseTime"),
        };
    }

    public byte[] Token(RunRow last)
    {
        var token = new byte[TokenBytes];
        BinaryPrimitives.WriteInt64BigEndian(token, Time(last).Ticks);
        last.RunId.TryWriteBytes(token.AsSpan(sizeof(long)));
        return token;
    }

    /// <summary>Adds that runs come after the one of the token.</summary>
    public void WriteAfter(ReadOnlySpan<byte> token, SqlText sql)
    {
        if (token.Length != TokenBytes || BinaryPrimitives.ReadInt64BigEndian(token) is var ticks && ticks is < 0 or > 3_155_378_975_999_999_999)
            throw new InvalidQueryException("the page token is not one of this server's");
        var time = sql.Parameter(new DateTime(ticks, DateTimeKind.Utc));
        var runId = sql.Parameter(new Guid(token[sizeof(long)..]));
        sql.Append($" and ({Column}, run_id) {(IsDescending ? "<" : ">")} ({time}, {runId})");
    }
}
