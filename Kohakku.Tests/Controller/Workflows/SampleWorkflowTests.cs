using System.Text.Json;
using Kohakku.Controller.Agents;
using Kohakku.Controller.Workflows.Definitions;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Controller.Workflows;

public sealed class SampleWorkflowTests
{
    [Fact]
    public void Every_sample_is_sound_and_uses_only_sample_agents()
    {
        var samples = SampleWorkflows.BuiltIn().ToList();
        Assert.Equal(["best-of", "nightly", "tree-report"], samples.Select(sample => sample.Definition.Name));
        var agents = AgentManifest.BuiltIn().Select(agent => agent.Name).ToHashSet();
        foreach (var (definition, _) in samples)
        {
            Assert.All(definition.Steps.Where(step => step.Agent is not null), step => Assert.Contains(step.Agent!.Agent, agents));
            Assert.All(definition.Steps.Where(step => step.BestOf is not null), step => Assert.Contains(step.BestOf!.Judge.Agent, agents));
        }
    }

    [Theory]
    [InlineData("best-of", "{}", 4)]
    [InlineData("nightly", "{}", 4)]
    [InlineData("tree-report", """{"folders":[{"name":"a","tree":""},{"name":"b","tree":""}]}""", 4)]
    public void Every_sample_can_be_planned(string name, string inputs, int tasks)
    {
        var definition = SampleWorkflows.BuiltIn().Single(sample => sample.Definition.Name == name).Definition;
        var faults = new Kohakku.ServiceDefaults.Faults();
        var plan = WorkflowPlan.Of(definition, WorkflowInputs.Resolve(definition, JsonElement.Parse(inputs), faults));
        Assert.False(faults.Any);
        Assert.Empty(plan.Faults);
        Assert.Equal(tasks, plan.MaxTasks);
    }
}
