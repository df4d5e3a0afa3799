using Npgsql;

namespace Kohakku.Controller.Data;

/// <summary>Columns that may hold nothing.</summary>
internal static class NullableColumns
{
    public static string? Text(this NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetString(column);

    public static byte[]? Bytes(this NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<byte[]>(column);

    public static DateTimeOffset? Time(this NpgsqlDataReader rows, int column) => rows.GetFieldValue<DateTimeOffset?>(column);
}
