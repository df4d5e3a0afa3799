using System.IO.Compression;
using System.Text;
using Kohakku.Agent.Attempt;
using Kohakku.Agent.Workspace;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Agent.Workspace;

public sealed class SkillPackageTests
{
    [Theory]
    [InlineData("../outside")]
    [InlineData("a/../../outside")]
    [InlineData("/tmp/outside")]
    [InlineData("a/..")]
    [InlineData("..\\outside")]
    [InlineData("a//../../outside")]
    public async Task An_entry_that_leaves_the_folder_is_refused_and_named(string entry)
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Skills["sly"] = Zip(("SKILL.md", "# Sly", 0), (entry, "gotcha", 0));
        dispatcher.Brief = "echo never";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal((AgentOutcome.Failed, FailureReason.AgentError), (result.Status, result.Reason));
        Assert.Contains($"'{entry}' would leave the skill's folder", result.Error, StringComparison.Ordinal);
        Assert.DoesNotContain("never", dispatcher.Log.Replace(result.Error!, "", StringComparison.Ordinal), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Skills_are_unpacked_with_their_folders_and_permissions()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Skills["git"] = Zip(("SKILL.md", "# Git", 0), ("bin/", "", 0), ("bin/tool", "#!/bin/sh\necho tool runs", 0x1ED));
        dispatcher.Skills["empty"] = Zip();
        dispatcher.Brief = "cat skills/git/SKILL.md; echo; \"$KOHAKKU_SKILLS/git/bin/tool\"; ls -A skills";

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(AgentOutcome.Succeeded, result.Status);
        Assert.Equal("# Git\ntool runs\nempty\ngit\n", dispatcher.Log);
    }

    [Fact]
    public void A_symbolic_link_in_a_package_is_refused()
    {
        var folder = Directory.CreateTempSubdirectory("kohakku-skill-");
        try
        {
            using var package = new MemoryStream(Zip(("link", "/etc/passwd", 0xA1FF)));
            Assert.Contains("'link' is a symbolic link", Assert.Throws<AgentFault>(() => SkillPackage.Unpack(package, "sly", folder.FullName)).Message, StringComparison.Ordinal);
        }
        finally
        {
            folder.Delete(recursive: true);
        }
    }

    [Fact]
    public async Task What_is_no_zip_is_said_to_be_broken()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Skills["broken"] = Encoding.UTF8.GetBytes("PK, but not really");

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(FailureReason.AgentError, result.Reason);
        Assert.Contains("package of skill 'broken' can't be used", result.Error, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_skill_that_cant_be_had_is_the_runners_failure()
    {
        await using var dispatcher = await ScriptedDispatcher.StartAsync();
        dispatcher.Skills["missing"] = [];
        dispatcher.Fault = context =>
        {
            if (!context.Request.Path.Value!.Contains("/skills/", StringComparison.Ordinal)) return Task.FromResult(false);
            context.Response.StatusCode = 404;
            return Task.FromResult(true);
        };

        var result = await RunnerUnderTest.RunAsync(dispatcher);

        Assert.Equal(FailureReason.StartFailed, result.Reason);
        Assert.Contains("GET /agent/v1/skills/missing answered 404", result.Error, StringComparison.Ordinal);
    }

    private static byte[] Zip(params (string Name, string Text, int Mode)[] entries)
    {
        using var bytes = new MemoryStream();
        using (var zip = new ZipArchive(bytes, ZipArchiveMode.Create, leaveOpen: true))
        {
            foreach (var (name, text, mode) in entries)
            {
                var entry = zip.CreateEntry(name);
                entry.ExternalAttributes = mode << 16;
                using var content = entry.Open();
                content.Write(Encoding.UTF8.GetBytes(text));
            }
        }
        return bytes.ToArray();
    }
}
