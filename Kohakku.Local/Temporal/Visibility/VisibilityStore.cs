using Google.Protobuf;
using Kohakku.Local.Temporal.Storage;
using Kohakku.Local.Temporal.Visibility.Queries;
using Npgsql;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.Workflow.V1;
using Temporalio.Api.WorkflowService.V1;
using AggregationGroup = Temporalio.Api.WorkflowService.V1.CountWorkflowExecutionsResponse.Types.AggregationGroup;

namespace Kohakku.Local.Temporal.Visibility;

/// <param name="NextPageToken">Empty on the last page.</param>
internal sealed record ExecutionPage(IReadOnlyList<WorkflowExecutionInfo> Executions, byte[] NextPageToken);

/// <summary>Finds runs by queries in the language of list filters. It reads the table that the storage writes, so what was committed is found at once.</summary>
internal sealed class VisibilityStore(NpgsqlDataSource database, SearchAttributeRegistry registry, TimeProvider time)
{
    private const int LargestPage = 1_000;

    /// <param name="pageSize">None, or too many, stands for a thousand.</param>
    /// <param name="pageToken">Of the page before; empty for the first.</param>
    /// <exception cref="InvalidQueryException"/>
    public async Task<ExecutionPage> ListAsync(string @namespace, string query, int pageSize, ReadOnlyMemory<byte> pageToken, CancellationToken cancellationToken)
    {
        var size = pageSize is > 0 and < LargestPage ? pageSize : LargestPage;
        var parsed = QueryParser.Read(query);
        if (parsed.GroupBy.Count > 0) throw InvalidQueryException.NotSupported("'GROUP BY' clause");
        var sql = new SqlText().Append($"select {RunColumns.Listed} from run where ");
        var translator = new QueryTranslator(registry, @namespace, sql);
        translator.Write(parsed.Where);
        var order = PageOrder.Of(parsed.OrderBy, translator);
        if (!pageToken.IsEmpty) order.WriteAfter(pageToken.Span, sql);
        // One more tells whether there is another page.
        sql.Append($" order by {order.Sql} limit {size + 1}");
        var rows = await ReadAsync(sql, reader => RunColumns.Read(reader, state: default), cancellationToken);
        var next = rows.Count > size ? order.Token(rows[size - 1]) : [];
        return new ExecutionPage([.. rows.Take(size).Select(row => ExecutionInfos.Of(row, registry))], next);
    }

    /// <exception cref="InvalidQueryException"/>
    public async Task<CountWorkflowExecutionsResponse> CountAsync(string @namespace, string query, CancellationToken cancellationToken)
    {
        var parsed = QueryParser.Read(query);
        var sql = new SqlText();
        var translator = new QueryTranslator(registry, @namespace, sql);
        var isGrouped = IsGrouped(parsed, translator);
        sql.Append(isGrouped ? "select count(*), status from run where " : "select count(*), null from run where ");
        translator.Write(parsed.Where);
        if (isGrouped) sql.Append(" group by status order by status");
        var counts = await ReadAsync(sql, reader => (Count: reader.GetInt64(0), Status: isGrouped ? (WorkflowExecutionStatus)reader.GetInt16(1) : default), cancellationToken);
        var response = new CountWorkflowExecutionsResponse { Count = counts.Sum(group => group.Count) };
        if (isGrouped) response.Groups.AddRange(counts.Select(group => new AggregationGroup { Count = group.Count, GroupValues = { Value(group.Status) } }));
        return response;
    }

    private static bool IsGrouped(ListQuery parsed, QueryTranslator translator)
    {
        if (parsed.GroupBy.Count == 0) return false;
        if (parsed.GroupBy.Count > 1) throw InvalidQueryException.NotSupported("'GROUP BY' clause supports only a single field");
        if (translator.Field(parsed.GroupBy[0]) is var field && field.Key != QueryFields.Status)
            throw InvalidQueryException.NotSupported($"'GROUP BY' clause is not supported for search attribute {field.Name}");
        return true;
    }

    private static Payload Value(WorkflowExecutionStatus status) => new()
    {
        Metadata = { ["encoding"] = ByteString.CopyFromUtf8("json/plain"), ["type"] = ByteString.CopyFromUtf8(IndexedValueType.Keyword.Name()) },
        Data = ByteString.CopyFromUtf8($"\"{status}\""),
    };

    private Task<List<T>> ReadAsync<T>(SqlText sql, Func<NpgsqlDataReader, T> read, CancellationToken cancellationToken) => Faults.RetryAsync(
        database,
        time,
        async (connection, token) =>
        {
            await using var command = sql.Command(connection);
            await using var reader = await command.ExecuteReaderAsync(token);
            var rows = new List<T>();
            while (await reader.ReadAsync(token)) rows.Add(read(reader));
            return rows;
        },
        cancellationToken);
}
