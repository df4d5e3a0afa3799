using Npgsql;

namespace Kohakku.Controller.Data;

/// <summary>Short words to put hand-written SQL with typed parameters into a batch: one roundtrip, no boxing.</summary>
internal static class BatchCommands
{
    public static NpgsqlBatchCommand Add(this NpgsqlBatch batch, string sql)
    {
        var command = new NpgsqlBatchCommand(sql);
        batch.BatchCommands.Add(command);
        return command;
    }

    /// <summary>Adds the next parameter: <c>$1</c>, <c>$2</c> …</summary>
    public static NpgsqlBatchCommand With<T>(this NpgsqlBatchCommand command, T value)
    {
        command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return command;
    }
}
