using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Storage;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Claiming;

/// <summary>Makes orders of the rows of <see cref="ClaimSql"/>.</summary>
internal sealed class Orders(AttemptTokens tokens, ObjectStorage storage, ControllerOptions options)
{
    // Long enough to be still good when a full dispatcher comes to it.
    private static readonly TimeSpan UrlsValidFor = TimeSpan.FromHours(24);
    private static readonly IReadOnlyDictionary<string, string> None = new Dictionary<string, string>();

    public AttemptOrder Read(NpgsqlDataReader row)
    {
        var taskId = row.GetGuid(0);
        var attemptId = row.GetGuid(1);
        var brief = row.Text(6);
        var inputs = row.Text(7);
        var mode = WireEnum<AgentMode>.Parse(row.GetString(16));
        return new AttemptOrder(
            taskId, attemptId, Number: row.GetInt32(2), tokens.Of(attemptId), Title: row.GetString(5),
            new OrderedAgent(
                row.GetString(15), mode, mode == AgentMode.Inline || row.Text(17) is not { } image ? null : ImageNames.Resolve(image, options.AgentImageRegistry), row.GetFieldValue<string[]>(18), Pairs(row.GetString(19)),
                WireEnum<PullPolicy>.Parse(row.GetString(20)), Network(row.Text(11), row.GetString(21)), row.GetInt32(23)),
            brief is null ? new OrderedBrief(null, Presign(ObjectKeys.Brief(taskId))) : new OrderedBrief(brief, null),
            inputs is null ? null : JsonElement.Parse(inputs),
            Skills(row.GetString(9)), Pairs(row.GetString(10)), None, Merge(row.Text(12), row.GetString(22)),
            TimeoutSeconds: row.GetInt32(13), TraceParent: row.Text(14),
            InputsUrl: row.GetBoolean(8) ? Presign(ObjectKeys.Inputs(taskId)) : null);
    }

    private IReadOnlyList<OrderedSkill> Skills(string json) => json == "[]"
        ? []
        : [.. Parse(json, ControllerJson.Default.IReadOnlyListPinnedSkill)
            .Select(skill => new OrderedSkill(skill.Name, skill.Version, skill.Digest, Presign(ObjectKeys.Skill(skill.Name, skill.Digest))))];

    private string Presign(string key) => storage.PresignGet(key, UrlsValidFor).AbsoluteUri;

    private static NetworkPolicy Network(string? ofTask, string ofAgent) => Parse(ofTask ?? ofAgent, ContractsJson.Default.NetworkPolicy);

    private static ResourceLimits Merge(string? ofTask, string ofAgent)
    {
        var agent = Parse(ofAgent, ContractsJson.Default.ResourceLimits);
        if (ofTask is null) return agent;
        var task = Parse(ofTask, ContractsJson.Default.ResourceLimits);
        return new ResourceLimits { Cpu = task.Cpu ?? agent.Cpu, MemoryMb = task.MemoryMb ?? agent.MemoryMb, Pids = task.Pids ?? agent.Pids };
    }

    private static IReadOnlyDictionary<string, string> Pairs(string json) =>
        json == "{}" ? None : Parse(json, ContractsJson.Default.IReadOnlyDictionaryStringString);

    private static T Parse<T>(string json, JsonTypeInfo<T> form) => JsonSerializer.Deserialize(json, form)!;
}
