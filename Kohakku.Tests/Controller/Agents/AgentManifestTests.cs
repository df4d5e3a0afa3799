using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Agents;

namespace Kohakku.Tests.Controller.Agents;

public sealed class AgentManifestTests
{
    [Fact]
    public void The_sample_agents_are_built_in_and_right()
    {
        var agents = AgentManifest.BuiltIn().ToDictionary(agent => agent.Name, agent => agent.Agent);
        Assert.Equal(["echo", "noop", "shell"], agents.Keys.Order());
        Assert.Equal(["sh", "-eu", "BRIEF.md"], agents["shell"].Command);
        Assert.Equal(AgentMode.Inline, agents["noop"].Mode);
    }

    [Fact]
    public void Scalars_are_what_yaml_says_they_are()
    {
        var (name, agent) = AgentManifest.Parse("""
            name: a
            image: debian:12
            command: [sh, "-c", 'exit 1', "5"]
            heartbeatTimeoutSeconds: 30
            resources: { cpu: 0.5, memoryMb: 64 }
            network: { mode: internet }
            env: { DEBUG: "true" }
            adapter: ~
            """);
        Assert.Equal("a", name);
        Assert.Equal(["sh", "-c", "exit 1", "5"], agent.Command);
        Assert.Equal((30, 0.5, 64, NetworkMode.Internet, "true"), (agent.HeartbeatTimeoutSeconds, agent.Resources?.Cpu, agent.Resources?.MemoryMb, agent.Network?.Mode, agent.Env?["DEBUG"]));
    }

    [Theory]
    [InlineData("image: x")]
    [InlineData("- a")]
    [InlineData("name: [")]
    [InlineData("name: a\nmode: quick")]
    [InlineData("name: 5")]
    public void What_is_no_manifest_is_refused(string yaml) => Assert.Throws<InvalidDataException>(() => AgentManifest.Parse(yaml));

    [Theory]
    [InlineData("shell", "localhost:5000/kohakku-agents", "localhost:5000/kohakku-agents/shell")]
    [InlineData("debian:12", "registry.example/team/", "registry.example/team/debian:12")]
    [InlineData("docker.io/library/debian:12", "localhost:5000/kohakku-agents", "docker.io/library/debian:12")]
    [InlineData("shell", "", "shell")]
    public void An_image_without_a_slash_gets_the_registry(string image, string registry, string expected) =>
        Assert.Equal(expected, ImageNames.Resolve(image, registry));
}
