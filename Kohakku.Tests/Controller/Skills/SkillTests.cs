using System.Net.Http.Headers;
using System.Security.Cryptography;
using Kohakku.Contracts.Tasks;
using Kohakku.Tests.Controller.Tasks;

namespace Kohakku.Tests.Controller.Skills;

public sealed class SkillTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private const int UnixLink = unchecked((int)0xA1FF0000);
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Each_other_package_is_a_new_version_and_is_downloaded_as_it_came()
    {
        var name = Name();
        byte[] first = Packages.Of(("SKILL.md", Packages.Manifest(name, "First.")), ("scripts/run.sh", "echo"));
        byte[] second = Packages.Of(($"{name}/SKILL.md", Packages.Manifest(name, "Second.")));
        Assert.Equal(201, (await PutAsync(name, first)).Status);
        Assert.Equal(200, (await PutAsync(name, first)).Status);
        var put = await PutAsync(name, second);
        Assert.Equal((201, "Second."), (put.Status, put.Body.GetProperty("description").GetString()));
        Assert.Equal(
            [(2, Digest(second)), (1, Digest(first))],
            put.Body.GetProperty("versions").EnumerateArray().Select(version => (version.GetProperty("version").GetInt32(), version.GetProperty("digest").GetString()!)));
        Assert.Equal(first, await _controller.Client.GetByteArrayAsync($"/api/v1/skills/{name}/versions/1", Token));
        Assert.NotNull(await _controller.Storage.ReadAsync($"skills/{name}/{Digest(second)}.zip", Token));
        Assert.Equal(put.Text, (await GetAsync(name)).Text);
        (await GetAsync($"{name}/versions/3")).IsProblem(404);
    }

    [Fact]
    public async Task Tasks_pin_the_version_of_their_time()
    {
        var name = Name();
        await PutAsync(name, Packages.Of(("SKILL.md", Packages.Manifest(name, "1"))));
        await PutAsync(name, Packages.Of(("SKILL.md", Packages.Manifest(name, "2"))));
        var task = await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", Skills = [name] }, Token);
        Assert.Equal([$"{name}@2"], task.Skills);
        Assert.Equal([$"{name}@1"], (await _controller.SubmitAsync(new SubmitTask { Brief = "x", Agent = "shell", Skills = [$"{name}@1"] }, Token)).Skills);
        (await _controller.PostAsync("/api/v1/tasks", $$"""{ "brief": "x", "agent": "shell", "skills": ["{{name}}@3"] }""", Token)).IsProblem(422, "skills[0]");
    }

    [Fact]
    public async Task Packages_at_the_same_time_get_a_number_each()
    {
        var name = Name();
        var answers = await Task.WhenAll(Enumerable.Range(0, 6).Select(i => PutAsync(name, Packages.Of(("SKILL.md", Packages.Manifest(name, $"v{i}"))))));
        Assert.All(answers, answer => Assert.Equal(201, answer.Status));
        Assert.Equal([6, 5, 4, 3, 2, 1], (await GetAsync(name)).Body.GetProperty("versions").EnumerateArray().Select(version => version.GetProperty("version").GetInt32()));
    }

    [Fact]
    public async Task A_deleted_skill_is_gone_until_it_is_put_again()
    {
        var name = Name();
        var package = Packages.Of(("SKILL.md", Packages.Manifest(name)));
        await PutAsync(name, package);
        Assert.Equal(204, (await _controller.SendAsync(HttpMethod.Delete, $"/api/v1/skills/{name}", null, Token)).Status);
        (await GetAsync(name)).IsProblem(404);
        (await GetAsync($"{name}/versions/1")).IsProblem(404);
        (await _controller.PostAsync("/api/v1/tasks", $$"""{ "brief": "x", "agent": "shell", "skills": ["{{name}}"] }""", Token)).IsProblem(422, "skills[0]");
        Assert.Equal(201, (await PutAsync(name, package)).Status);
    }

    [Theory]
    [InlineData("no head", "head")]
    [InlineData("---\nname: {0}\n", "head")]
    [InlineData("---\nname: {0}\n---\n", "description")]
    [InlineData("---\ndescription: x\n---\n", "name")]
    [InlineData("---\nname: other\ndescription: x\n---\n", "other")]
    [InlineData("---\nname: {0}\ndescription: [a]\n---\n", "description")]
    [InlineData("---\nname: {0}\ndescription: x\nmetadata: { a: [1] }\n---\n", "metadata")]
    [InlineData("---\nname: [\n---\n", "YAML")]
    [InlineData("---\n- a\n---\n", "mapping")]
    public async Task A_head_that_breaks_the_standard_is_refused(string manifest, string named)
    {
        var name = Name();
        await RefusedAsync(name, Packages.Of(("SKILL.md", manifest.Replace("{0}", name, StringComparison.Ordinal))), named);
    }

    [Theory]
    [InlineData("../evil.sh")]
    [InlineData("a/../../evil.sh")]
    [InlineData("/etc/evil.sh")]
    [InlineData("C:/evil.sh")]
    [InlineData("a\\..\\evil.sh")]
    [InlineData("a//evil.sh")]
    [InlineData("./evil.sh")]
    [InlineData("a/\nevil.sh")]
    [InlineData("SKILL.md/evil.sh")]
    public async Task A_path_that_leaves_the_folder_or_is_no_plain_path_is_refused_by_name(string path)
    {
        var name = Name();
        await RefusedAsync(name, Packages.Of(("SKILL.md", Packages.Manifest(name)), (path, "x")), path.StartsWith("SKILL", StringComparison.Ordinal) ? "SKILL.md" : "evil.sh");
    }

    [Fact]
    public async Task A_link_is_refused_by_name()
    {
        var name = Name();
        await RefusedAsync(
            name,
            Packages.Make(zip =>
            {
                Packages.Add(zip, "SKILL.md", System.Text.Encoding.UTF8.GetBytes(Packages.Manifest(name)));
                Packages.Add(zip, "link", "/etc/passwd"u8.ToArray()).ExternalAttributes = UnixLink;
            }),
            "link");
    }

    [Fact]
    public async Task A_bomb_is_refused_and_named()
    {
        var name = Name();
        var zeros = new byte[70 * 1024 * 1024];
        await RefusedAsync(
            name,
            Packages.Make(zip =>
            {
                Packages.Add(zip, "SKILL.md", System.Text.Encoding.UTF8.GetBytes(Packages.Manifest(name)));
                for (var i = 0; i < 3; i++) Packages.Add(zip, $"bomb{i}", zeros);
            }),
            "bomb2");
    }

    [Fact]
    public async Task A_bomb_that_lies_about_its_size_is_refused()
    {
        var name = Name();
        var package = Packages.Of(("SKILL.md", Packages.Manifest(name)), ("bomb", new string('0', 1_000_000)));
        // The uncompressed size, wherever the package says it: 1,000,000 becomes 10.
        byte[] said = BitConverter.GetBytes(1_000_000), lie = BitConverter.GetBytes(10);
        for (int at; (at = package.AsSpan().IndexOf(said)) >= 0;) lie.CopyTo(package, at);
        await RefusedAsync(name, package, "");
    }

    [Fact]
    public async Task Too_many_entries_too_many_bytes_and_what_is_no_zip_are_refused()
    {
        var name = Name();
        await RefusedAsync(name, Packages.Make(zip =>
        {
            for (var i = 0; i < 5_001; i++) zip.CreateEntry($"f{i}");
        }), "5000 entries");
        await RefusedAsync(name, new byte[(50 * 1024 * 1024) + 1], "50 MiB");
        await RefusedAsync(name, "not a zip"u8.ToArray(), "zip");
        await RefusedAsync(name, [], "zip");
        await RefusedAsync(name, Packages.Make(_ => { }), "empty");
        await RefusedAsync(name, Packages.Of(("docs/SKILL.md", Packages.Manifest(name))), "SKILL.md");
        var truncated = Packages.Of(("SKILL.md", Packages.Manifest(name)));
        await RefusedAsync(name, truncated[..^30], "zip");
    }

    [Theory]
    [InlineData("Git")]
    [InlineData("-git")]
    [InlineData("a--b")]
    [InlineData("a_b")]
    public async Task A_name_has_its_rule(string name) => (await PutAsync(name, Packages.Of(("SKILL.md", Packages.Manifest(name))))).IsProblem(422, "name");

    private async Task RefusedAsync(string name, byte[] package, string named)
    {
        var answer = await PutAsync(name, package);
        answer.IsProblem(422, "package");
        Assert.Contains(named, string.Join('\n', answer.Body.GetProperty("errors").GetProperty("package").EnumerateArray().Select(rule => rule.GetString())), StringComparison.Ordinal);
        (await GetAsync(name)).IsProblem(404);
        await foreach (var stored in _controller.Storage.ListAsync($"skills/{name}/", Token)) Assert.Fail(stored.Key);
    }

    private Task<Answer> PutAsync(string name, byte[] package) => _controller.SendAsync(
        HttpMethod.Put, $"/api/v1/skills/{name}", new ByteArrayContent(package) { Headers = { ContentType = new MediaTypeHeaderValue("application/zip") } }, Token);

    private Task<Answer> GetAsync(string path) => _controller.SendAsync(HttpMethod.Get, $"/api/v1/skills/{path}", null, Token);

    private static string Digest(byte[] bytes) => Convert.ToHexStringLower(SHA256.HashData(bytes));

    private static string Name() => $"s{Guid.NewGuid():N}";
}
