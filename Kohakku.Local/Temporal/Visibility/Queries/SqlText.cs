using System.Text;
using Npgsql;

namespace Kohakku.Local.Temporal.Visibility.Queries;

/// <summary>SQL that is being written, with its parameters: what comes from outside never becomes part of the text.</summary>
internal sealed class SqlText
{
    private readonly StringBuilder text = new();
    private readonly List<NpgsqlParameter> parameters = [];

    public SqlText Append(string sql)
    {
        text.Append(sql);
        return this;
    }

    /// <returns>How the value is named in the text.</returns>
    public string Parameter<T>(T value)
    {
        parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
        return $"${parameters.Count}";
    }

    /// <summary>May be called again, for another attempt.</summary>
    public NpgsqlCommand Command(NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(text.ToString(), connection);
        foreach (var parameter in parameters) command.Parameters.Add(parameter.Clone());
        return command;
    }

    public override string ToString() => text.ToString();
}
