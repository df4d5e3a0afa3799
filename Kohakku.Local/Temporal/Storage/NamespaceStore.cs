using System.Collections.Concurrent;
using Google.Protobuf;
using Npgsql;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Storage;

/// <summary>A namespace and its settings, as it is described to who asks for it.</summary>
/// <param name="Description">Not to be changed; <see cref="NamespaceStore.UpdateAsync"/> takes a changed copy.</param>
internal sealed record NamespaceRow(Guid Id, string Name, DescribeNamespaceResponse Description);

/// <summary>The namespaces, in memory once <see cref="LoadAsync"/> was called: they are few, and every request names one.</summary>
internal sealed class NamespaceStore(NpgsqlDataSource database, TimeProvider time)
{
    private readonly ConcurrentDictionary<string, NamespaceRow> namespaces = new(StringComparer.Ordinal);

    /// <summary>By name.</summary>
    public IReadOnlyList<NamespaceRow> All => [.. namespaces.Values.OrderBy(row => row.Name, StringComparer.Ordinal)];

    public NamespaceRow? Find(string name) => namespaces.GetValueOrDefault(name);

    public NamespaceRow? Find(Guid id) => namespaces.Values.FirstOrDefault(row => row.Id == id);

    /// <summary>After <see cref="RunStore.OpenAsync"/>, which brings the schema up.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await Faults.RetryAsync(
            database,
            time,
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("select id, name, data from namespace", connection);
                await using var reader = await command.ExecuteReaderAsync(token);
                var found = new List<NamespaceRow>();
                while (await reader.ReadAsync(token))
                    found.Add(new NamespaceRow(reader.GetGuid(0), reader.GetString(1), DescribeNamespaceResponse.Parser.ParseFrom(reader.GetFieldValue<byte[]>(2))));
                return found;
            },
            cancellationToken);
        foreach (var row in rows) namespaces[row.Name] = row;
    }

    /// <returns>False when the name is taken.</returns>
    public async Task<bool> AddAsync(NamespaceRow row, CancellationToken cancellationToken)
    {
        // Told apart by id, so that an insert repeated after a lost connection still counts as ours.
        var added = await ExecuteAsync(
            "insert into namespace (name, id, data) values ($1, $2, $3) on conflict (name) do update set data = excluded.data where namespace.id = excluded.id", row, cancellationToken);
        if (added) namespaces[row.Name] = row;
        return added;
    }

    /// <returns>False when there is no such namespace.</returns>
    public async Task<bool> UpdateAsync(NamespaceRow row, CancellationToken cancellationToken)
    {
        var updated = await ExecuteAsync("update namespace set data = $3 where name = $1 and id = $2", row, cancellationToken);
        if (updated) namespaces[row.Name] = row;
        return updated;
    }

    private Task<bool> ExecuteAsync(string sql, NamespaceRow row, CancellationToken cancellationToken) => Faults.RetryAsync(
        database,
        time,
        async (connection, token) =>
        {
            await using var command = new NpgsqlCommand(sql, connection);
            command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = row.Name });
            command.Parameters.Add(new NpgsqlParameter<Guid> { TypedValue = row.Id });
            command.Parameters.Add(new NpgsqlParameter<byte[]> { TypedValue = row.Description.ToByteArray() });
            return await command.ExecuteNonQueryAsync(token) == 1;
        },
        cancellationToken);
}
