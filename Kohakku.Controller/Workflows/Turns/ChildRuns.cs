using System.Text.Json;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Activities;

namespace Kohakku.Controller.Workflows.Turns;

/// <summary>Makes of rendered sub-workflow steps runs that can be written.</summary>
internal sealed class ChildRuns(RunCreation creation)
{
    public async Task<(Dictionary<NewUnit, NewRun> Runs, Dictionary<NewUnit, string> Faults)> PrepareAsync(
        TurnRun parent, Guid parentId, string submittedBy, IReadOnlyList<NewUnit> units, CancellationToken cancellationToken)
    {
        Dictionary<NewUnit, NewRun> runs = [];
        Dictionary<NewUnit, string> faults = [];
        foreach (var unit in units)
        {
            var child = unit.Child!;
            if (parent.Depth + 1 >= RunCreation.MostLevels)
            {
                faults[unit] = $"Runs within runs go {RunCreation.MostLevels} levels deep at most.";
                continue;
            }

            var ofRun = new Faults();
            var run = child.Inputs.ValueKind == JsonValueKind.Object
                ? await creation.PrepareAsync(parent.ProjectId, child.Workflow, child.Version, child.Inputs, submittedBy, ofRun, cancellationToken)
                : null;
            if (child.Inputs.ValueKind != JsonValueKind.Object) faults[unit] = "with must come to an object.";
            else if (run is null) faults[unit] = $"There is no workflow '{child.Workflow}'{(child.Version is { } version ? $" with a version {version}" : "")} in this project.";
            else if (ofRun.Any) faults[unit] = string.Join(" ", ofRun.ToDictionary().SelectMany(pair => pair.Value.Select(rule => $"{pair.Key} {rule}.")));
            else runs[unit] = run with { Parent = (parentId, unit.Step, unit.Item, unit.Attempt), Depth = parent.Depth + 1 };
        }

        return (runs, faults);
    }
}
