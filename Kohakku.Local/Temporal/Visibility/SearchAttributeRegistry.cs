using System.Collections.Concurrent;
using Kohakku.Local.Temporal.Storage;
using Npgsql;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Local.Temporal.Visibility;

/// <summary>Which search attributes a namespace has, and their types; the custom ones are in memory once <see cref="LoadAsync"/> was called.</summary>
internal sealed class SearchAttributeRegistry(NpgsqlDataSource database, TimeProvider time) : IDisposable
{
    private static readonly Dictionary<string, IndexedValueType> None = [];
    private readonly ConcurrentDictionary<string, IReadOnlyDictionary<string, IndexedValueType>> custom = new(StringComparer.Ordinal);

    /// <summary>One who changes at a time: each reads what the one before wrote.</summary>
    private readonly SemaphoreSlim changing = new(1, 1);

    /// <summary>Those of every namespace, as ListSearchAttributes answers them.</summary>
    public static IReadOnlyDictionary<string, IndexedValueType> System { get; } =
        new Dictionary<string, IndexedValueType>(SearchAttributeTypes.System.Concat(SearchAttributeTypes.Predefined), StringComparer.Ordinal);

    public IReadOnlyDictionary<string, IndexedValueType> Custom(string @namespace) => custom.GetValueOrDefault(@namespace, None);

    /// <summary>Null when there is none of this name.</summary>
    public IndexedValueType? TypeOf(string @namespace, string name) =>
        System.TryGetValue(name, out var type) || Custom(@namespace).TryGetValue(name, out type) ? type : null;

    /// <summary>After <see cref="RunStore.OpenAsync"/>, which brings the schema up.</summary>
    public async Task LoadAsync(CancellationToken cancellationToken)
    {
        var rows = await Faults.RetryAsync(
            database,
            time,
            async (connection, token) =>
            {
                await using var command = new NpgsqlCommand("select namespace, name, type from search_attribute", connection);
                await using var reader = await command.ExecuteReaderAsync(token);
                var found = new List<(string Namespace, string Name, IndexedValueType Type)>();
                while (await reader.ReadAsync(token)) found.Add((reader.GetString(0), reader.GetString(1), (IndexedValueType)reader.GetInt16(2)));
                return found;
            },
            cancellationToken);
        foreach (var group in rows.GroupBy(row => row.Namespace, StringComparer.Ordinal))
            custom[group.Key] = group.ToDictionary(row => row.Name, row => row.Type, StringComparer.Ordinal);
    }

    /// <summary>Those that are there already stay as they are.</summary>
    /// <exception cref="InvalidSearchAttributeException"/>
    public async Task AddAsync(string @namespace, IReadOnlyDictionary<string, IndexedValueType> attributes, CancellationToken cancellationToken)
    {
        if (attributes.Count == 0) throw new InvalidSearchAttributeException("SearchAttributes are not set on request.");
        foreach (var (name, type) in attributes)
        {
            if (SearchAttributeTypes.IsReserved(name)) throw new InvalidSearchAttributeException($"Search attribute {name} is reserved by system.");
            if (type is IndexedValueType.Unspecified || !Enum.IsDefined(type)) throw new InvalidSearchAttributeException($"Unknown search attribute type: {type}.");
        }
        await ChangeAsync(
            @namespace,
            "insert into search_attribute (namespace, name, type) select $1, * from unnest($2::text[], $3::smallint[]) on conflict do nothing",
            [.. attributes],
            known =>
            {
                foreach (var (name, type) in attributes) known.TryAdd(name, type);
            },
            cancellationToken);
    }

    /// <summary>Unknown ones are passed over.</summary>
    /// <exception cref="InvalidSearchAttributeException"/>
    public async Task RemoveAsync(string @namespace, IReadOnlyCollection<string> names, CancellationToken cancellationToken)
    {
        if (names.Count == 0) throw new InvalidSearchAttributeException("SearchAttributes are not set on request.");
        if (names.FirstOrDefault(System.ContainsKey) is { } fixedName)
            throw new InvalidSearchAttributeException($"Unable to remove non-custom search attributes: {fixedName}.");
        await ChangeAsync(
            @namespace,
            "delete from search_attribute where namespace = $1 and name = any($2::text[]) and $3::smallint[] is not null",
            [.. names.Select(name => KeyValuePair.Create(name, IndexedValueType.Unspecified))],
            known =>
            {
                foreach (var name in names) known.Remove(name);
            },
            cancellationToken);
    }

    public void Dispose() => changing.Dispose();

    private async Task ChangeAsync(
        string @namespace, string sql, KeyValuePair<string, IndexedValueType>[] rows, Action<Dictionary<string, IndexedValueType>> change, CancellationToken cancellationToken)
    {
        await changing.WaitAsync(cancellationToken);
        try
        {
            await Faults.RetryAsync(
                database,
                time,
                async (connection, token) =>
                {
                    await using var command = new NpgsqlCommand(sql, connection);
                    command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = @namespace });
                    command.Parameters.Add(new NpgsqlParameter<string[]> { TypedValue = [.. rows.Select(row => row.Key)] });
                    command.Parameters.Add(new NpgsqlParameter<short[]> { TypedValue = [.. rows.Select(row => (short)row.Value)] });
                    return await command.ExecuteNonQueryAsync(token);
                },
                cancellationToken);
            var known = new Dictionary<string, IndexedValueType>(Custom(@namespace), StringComparer.Ordinal);
            change(known);
            custom[@namespace] = known;
        }
        finally
        {
            changing.Release();
        }
    }
}
