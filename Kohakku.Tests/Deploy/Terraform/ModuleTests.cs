using System.Diagnostics;
using System.Text;
using System.Text.RegularExpressions;
using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Deploy.Terraform;

/// <summary>The modules are well-formed, say what they take and give, and refer to what is there.</summary>
public sealed partial class ModuleTests
{
    // Whatever stands there is right.
    private static readonly string[] Unchecked = ["tags", "labels", "secrets", "existing_cluster"];

    public static TheoryData<string> Modules => [.. TerraformModule.Names];

    [Fact]
    public async Task Every_file_is_well_formed_and_where_there_is_terraform_as_it_formats_it()
    {
        var files = Directory.GetFiles(TerraformModule.Root, "*.tf", SearchOption.AllDirectories);
        Assert.NotEmpty(files);
        Assert.All(files, file => Hcl.Read(File.ReadAllText(file)));

        // Not a requirement: Debian has no package of it, and the reader above has seen every file.
        if (Requirement.Find("terraform") is not { } terraform) return;
        var start = new ProcessStartInfo(terraform, ["fmt", "-check", "-diff", "-recursive", TerraformModule.Root]) { RedirectStandardOutput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        var output = process.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        var error = process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, $"terraform fmt: {await error}{await output}");
    }

    [Theory]
    [InlineData("a \"b\" {\n  c = 1\n", "line 3: a block has no end")]
    [InlineData("a = [1, 2\n", "line 2: a [ has no end")]
    [InlineData("a = (1]\n", "line 1: a ] that another bracket opened")]
    [InlineData("a = \"b\n", "line 1: a string has no end")]
    [InlineData("a = \"${b\"\n", "line 1: a string has no end")]
    [InlineData("a =\n", "line 1: a value is missing")]
    [InlineData("a = 1\na = 2\n", "line 2: a stands there twice")]
    [InlineData("a b {\n}\n", "line 1: a goes on with neither = nor a block")]
    [InlineData("}\n", "line 1: a } that nothing opened")]
    public void What_is_not_well_formed_is_found(string text, string fault) => Assert.Equal(fault, Assert.Throws<FormatException>(() => Hcl.Read(text)).Message);

    [Fact]
    public void Blocks_attributes_and_what_is_filled_in_are_read()
    {
        var body = Hcl.Read("""
            # A comment with a } in it.
            resource "a" "b" {
              name = "x-${join("}", [for y in var.z : "${y}"])}-$${no}" // and after
              map = {
                one = 1 # the } first
              }
              nested {
                deep = true
              }
            }
            """);

        var block = Assert.Single(body.Of("resource"));
        Assert.Equal(["a", "b"], block.Labels);
        Assert.Equal(["map", "name"], block.Body.Attributes.Keys.Order());
        Assert.Equal("\"x-${join(\"}\", [for y in var.z : \"${y}\"])}-$${no}\"", block.Body.Attributes["name"]);
        Assert.Equal("true", Assert.Single(block.Body.Of("nested")).Body.Attributes["deep"]);
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Versions_have_a_lower_and_an_upper_bound(string name)
    {
        foreach (var module in TerraformModule.ExamplesOf(name).Append(TerraformModule.Named(name)))
        {
            Assert.Matches(Bounds(), module.Settings.Text("required_version"));
            var providers = Assert.Single(module.Settings.Of("required_providers")).Body.Attributes;
            Assert.NotEmpty(providers);
            Assert.All(providers.Values, provider =>
            {
                Assert.Matches("source +=", provider);
                Assert.Matches("version +=.*>= [0-9.]+, < [0-9.]+\"", provider);
            });
            var used = module.Resources.Concat(module.Data).Select(block => block.Body.Attributes.GetValueOrDefault("provider") ?? block.Labels[0].Split('_')[0]).Distinct();
            Assert.All(used, provider => Assert.Contains(provider, providers.Keys));
        }
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Every_input_says_what_it_is_and_refuses_what_it_can_not_be(string name)
    {
        Assert.All(TerraformModule.Named(name).Variables, variable =>
        {
            Assert.Matches(@"\.\)?$", variable.Body.Text("description"));
            Assert.Contains("type", variable.Body.Attributes);
            if (variable.Body.Attributes["type"] == "bool" || Unchecked.Contains(variable.Labels[0])) return;
            Assert.NotEmpty(variable.Body.Of("validation"));
            Assert.All(variable.Body.Of("validation"), validation =>
            {
                Assert.Contains($"var.{variable.Labels[0]}", validation.Body.Attributes["condition"], StringComparison.Ordinal);
                Assert.Matches(@"\.$", validation.Body.Text("error_message"));
            });
        });
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Every_output_says_what_it_is(string name) =>
        Assert.All(TerraformModule.ExamplesOf(name).Append(TerraformModule.Named(name)).SelectMany(module => module.Outputs), output => Assert.Matches(@"\.$", output.Body.Text("description")));

    [Theory]
    [MemberData(nameof(Modules))]
    public void The_readme_lists_all_inputs_and_outputs_as_they_are(string name)
    {
        var module = TerraformModule.Named(name);
        var readme = File.ReadAllText(Path.Combine(module.Folder, "README.md"));

        Assert.Contains(InputTable(module), readme, StringComparison.Ordinal);
        Assert.Contains(OutputTable(module), readme, StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Whatever_is_referred_to_is_there(string name) =>
        Assert.All(TerraformModule.ExamplesOf(name).Append(TerraformModule.Named(name)), module => Assert.Empty(module.Dangling()));

    [Theory]
    [MemberData(nameof(Modules))]
    public void Every_input_is_used(string name)
    {
        var module = TerraformModule.Named(name);
        var text = string.Concat(Directory.EnumerateFiles(module.Folder, "*.tf").Where(file => Path.GetFileName(file) != "variables.tf").Select(File.ReadAllText));

        Assert.All(module.Variables, variable => Assert.Matches($@"\bvar\.{variable.Labels[0]}\b", text));
    }

    [Theory]
    [MemberData(nameof(Modules))]
    public void Examples_give_what_the_module_takes_and_use_what_it_gives(string name)
    {
        string[] meta = ["source", "providers", "count", "for_each", "depends_on"];
        var module = TerraformModule.Named(name);
        foreach (var example in TerraformModule.ExamplesOf(name))
        {
            var call = Assert.Single(example.Modules);
            Assert.Equal(Path.GetFullPath(module.Folder), Path.GetFullPath(Path.Combine(example.Folder, call.Body.Text("source")!)));
            var given = call.Body.Attributes.Keys.Except(meta).ToHashSet();
            Assert.Subset(module.Variables.Select(variable => variable.Labels[0]).ToHashSet(), given);
            Assert.Superset(module.Variables.Where(TerraformModule.IsRequired).Select(variable => variable.Labels[0]).ToHashSet(), given);

            var used = Directory.EnumerateFiles(example.Folder, "*.tf").SelectMany(file => ModuleOutput().Matches(File.ReadAllText(file))).Select(match => match.Groups[1].Value);
            Assert.Subset(module.Outputs.Select(output => output.Labels[0]).Append("google_container_node_pool").ToHashSet(), used.ToHashSet());
        }
    }

    /// <summary>As the README has it; a failed test shows what to put there.</summary>
    internal static string InputTable(TerraformModule module)
    {
        var table = new StringBuilder("| input | what | default |\n| --- | --- | --- |\n");
        foreach (var variable in module.Variables)
        {
            var value = TerraformModule.IsRequired(variable) ? "required" : $"`{Blank().Replace(variable.Body.Attributes["default"], " ")}`";
            table.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{variable.Labels[0]}` | {variable.Body.Text("description")} | {value} |\n");
        }
        return table.ToString();
    }

    internal static string OutputTable(TerraformModule module)
    {
        var table = new StringBuilder("| output | what |\n| --- | --- |\n");
        foreach (var output in module.Outputs) table.Append(System.Globalization.CultureInfo.InvariantCulture, $"| `{output.Labels[0]}` | {output.Body.Text("description")} |\n");
        return table.ToString();
    }

    [GeneratedRegex("^>= [0-9.]+, < [0-9.]+$")]
    private static partial Regex Bounds();

    [GeneratedRegex(@"\s+")]
    private static partial Regex Blank();

    [GeneratedRegex(@"\bmodule\.runtime\.(\w+)")]
    private static partial Regex ModuleOutput();
}
