using System.Globalization;
using System.Text.Json;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Tasks.Submit;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Activities;
using Npgsql;

namespace Kohakku.Controller.Workflows.Turns;

/// <summary>Makes of rendered units tasks that can be written. What breaks a rule is a fault of its unit alone.</summary>
internal sealed class UnitTasks(NpgsqlDataSource database, AgentDirectory agents, TaskIds ids, TimeProvider time)
{
    /// <summary>Answers a task for each unit that has one, and why the others can't have theirs.</summary>
    public async Task<(Dictionary<NewUnit, NewTask> Tasks, Dictionary<NewUnit, string> Faults)> PrepareAsync(
        Guid projectId, Guid runId, string submittedBy, IReadOnlyList<NewUnit> units, CancellationToken cancellationToken)
    {
        var faults = new Dictionary<NewUnit, string>();
        var now = time.GetUtcNow();
        foreach (var unit in units)
        {
            var ofUnit = new Faults();
            if (SubmitRules.IsBriefTooLarge(unit.Task!)) ofUnit.Add("brief", "must be at most 1 MiB of UTF-8");
            else SubmitRules.Check(unit.Task!, "", now, ofUnit);
            if (ofUnit.Any) faults[unit] = Words(ofUnit);
        }

        NewUnit[] sound = [.. units.Where(unit => !faults.ContainsKey(unit))];
        var known = await agents.FindAsync(projectId, [.. sound.Select(unit => unit.Task!.Agent!).Distinct()], cancellationToken);
        foreach (var unit in sound.Where(unit => !known.ContainsKey(unit.Task!.Agent!))) faults[unit] = $"There is no agent '{unit.Task!.Agent}' in this project.";

        sound = [.. sound.Where(unit => !faults.ContainsKey(unit))];
        var ofSkills = new Faults();
        var skills = await SkillPins.FindAsync(
            database, projectId, [.. sound.Select(unit => unit.Task!)], [.. sound.Select((_, i) => string.Create(CultureInfo.InvariantCulture, $"{i}."))], ofSkills, cancellationToken);
        foreach (var (field, rules) in ofSkills.ToDictionary())
        {
            var dot = field.IndexOf('.', StringComparison.Ordinal);
            faults[sound[int.Parse(field[..dot], CultureInfo.InvariantCulture)]] = $"{field[(dot + 1)..]} {rules[0]}.";
        }

        var tasks = new Dictionary<NewUnit, NewTask>(sound.Length);
        for (var i = 0; i < sound.Length; i++)
            if (!faults.ContainsKey(sound[i])) tasks[sound[i]] = Task(sound[i], skills[i]);
        return (tasks, faults);

        NewTask Task(NewUnit unit, IReadOnlyList<PinnedSkill> pinned) => new()
        {
            Id = ids.Next(),
            ProjectId = projectId,
            AgentId = known[unit.Task!.Agent!],
            Title = unit.Task.Title ?? BriefTitle.Of(unit.Task.Brief!),
            SubmittedBy = submittedBy,
            Request = unit.Task,
            Skills = pinned,
            RunId = runId,
            OutputSchema = unit.OutputSchema is { ValueKind: not JsonValueKind.Undefined } schema ? schema.GetRawText() : null,
        };
    }

    private static string Words(Faults faults) => string.Join(" ", faults.ToDictionary().SelectMany(pair => pair.Value.Select(rule => $"{pair.Key} {rule}.")));
}
