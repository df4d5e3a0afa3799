using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Projects;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Agents;

/// <summary>Gives a project the agents of <c>agents/*/agent.yaml</c>, which are built in. What is there stays as it is, also what was deleted.</summary>
internal sealed partial class SampleAgents(NpgsqlDataSource database, TimeProvider time, ILogger<SampleAgents> logger)
{
    private const string Sql = """
        INSERT INTO agents (id, project_id, name, image, command, mode, adapter, env, pull_policy, network, resources, heartbeat_timeout_seconds, warm, created_at, updated_at)
        VALUES ($1, $2, $3, $4, $5, $6, NULL, $7::jsonb, $8, $9::jsonb, $10::jsonb, $11, $12, now(), now())
        ON CONFLICT (project_id, name) DO NOTHING
        """;

    /// <summary>For the project that a fresh install has.</summary>
    public async Task<int> SeedAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand("SELECT id FROM projects WHERE name = $1");
        command.Parameters.Add(new NpgsqlParameter<string> { TypedValue = Project.DefaultName });
        return await SeedAsync((Guid)(await command.ExecuteScalarAsync(cancellationToken))!, cancellationToken);
    }

    /// <summary>Answers how many were made.</summary>
    public async Task<int> SeedAsync(Guid projectId, CancellationToken cancellationToken)
    {
        var made = 0;
        foreach (var (name, agent) in AgentManifest.BuiltIn())
        {
            var faults = new Faults();
            AgentRules.Check(name, agent, faults);
            if (faults.Any)
                throw new InvalidDataException($"The built-in agent '{name}' is wrong: {string.Join("; ", faults.ToDictionary().Select(fault => $"{fault.Key} {fault.Value[0]}"))}.");
            made += await InsertAsync(projectId, name, agent, cancellationToken);
        }

        if (made > 0) LogSeeded(made);
        return made;
    }

    private async Task<int> InsertAsync(Guid projectId, string name, PutAgent agent, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Sql);
        Add(Guid.CreateVersion7(time.GetUtcNow()));
        Add(projectId);
        Add(name);
        Add(agent.Image);
        Add(agent.Command?.ToArray() ?? []);
        Add(WireEnum<AgentMode>.NameOf(agent.Mode ?? AgentMode.Exec));
        Add(JsonSerializer.Serialize(agent.Env ?? new Dictionary<string, string>(), ContractsJson.Default.IReadOnlyDictionaryStringString));
        Add(WireEnum<PullPolicy>.NameOf(agent.PullPolicy ?? PullPolicy.Missing));
        Add(JsonSerializer.Serialize(agent.Network ?? new NetworkPolicy(), ContractsJson.Default.NetworkPolicy));
        Add(JsonSerializer.Serialize(agent.Resources ?? new ResourceLimits(), ContractsJson.Default.ResourceLimits));
        Add(agent.HeartbeatTimeoutSeconds ?? 60);
        Add(agent.Warm ?? 0);
        return await command.ExecuteNonQueryAsync(cancellationToken);

        void Add<T>(T value) => command.Parameters.Add(new NpgsqlParameter<T> { TypedValue = value });
    }

    [LoggerMessage(2101, LogLevel.Information, "Made {Count} sample agents.")]
    private partial void LogSeeded(int count);
}
