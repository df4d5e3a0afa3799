using System.Text.RegularExpressions;
using Kohakku.Tests.EndToEnd;

namespace Kohakku.Tests.Deploy.Terraform;

/// <summary>A folder of <c>.tf</c> files.</summary>
internal sealed partial class TerraformModule
{
    public static readonly string Root = Path.Combine(SourceTree.RepositoryRoot, "terraform");
    public static readonly string[] Names = ["ecs", "gke"];

    private readonly HclBody _body;

    public TerraformModule(string folder)
    {
        Folder = folder;
        var files = Directory.EnumerateFiles(folder, "*.tf").Order(StringComparer.Ordinal).Select(file => Hcl.Read(File.ReadAllText(file))).ToList();
        Assert.All(files, file => Assert.Empty(file.Attributes));
        _body = new HclBody(new Dictionary<string, string>(), [.. files.SelectMany(file => file.Blocks)]);
    }

    public string Folder { get; }
    public IReadOnlyList<HclBlock> Variables => [.. _body.Of("variable")];
    public IReadOnlyList<HclBlock> Outputs => [.. _body.Of("output")];
    public IReadOnlyList<HclBlock> Modules => [.. _body.Of("module")];
    public IReadOnlyList<HclBlock> Resources => [.. _body.Of("resource")];
    public IReadOnlyList<HclBlock> Data => [.. _body.Of("data")];
    public HclBody Settings => Assert.Single(_body.Of("terraform")).Body;
    public IReadOnlyDictionary<string, string> Locals => _body.Of("locals").SelectMany(block => block.Body.Attributes).ToDictionary();

    public static TerraformModule Named(string name) => new(Path.Combine(Root, name));

    public static IEnumerable<TerraformModule> ExamplesOf(string name) => Directory.EnumerateDirectories(Path.Combine(Root, name, "examples")).Select(folder => new TerraformModule(folder));

    public static bool IsRequired(HclBlock variable) => !variable.Body.Attributes.ContainsKey("default");

    public HclBlock Resource(string type, string name) => Assert.Single(Resources, block => block.Labels[0] == type && block.Labels[1] == name);

    public IEnumerable<HclBlock> All(string type) => Resources.Where(block => block.Labels[0] == type);

    /// <summary>What the module refers to, and does not have.</summary>
    public IEnumerable<string> Dangling()
    {
        var known = Variables.Select(block => $"var.{block.Labels[0]}")
            .Concat(Locals.Keys.Select(name => $"local.{name}"))
            .Concat(Resources.Select(block => $"{block.Labels[0]}.{block.Labels[1]}"))
            .Concat(Data.Select(block => $"data.{block.Labels[0]}.{block.Labels[1]}"))
            .Concat(Modules.Select(block => $"module.{block.Labels[0]}"))
            .ToHashSet();
        return _body.Expressions().SelectMany(expression => Reference().Matches(expression)).Select(match => match.Value).Distinct().Where(name => !known.Contains(name));
    }

    [GeneratedRegex(@"(?<![\w.""/-])(?:var\.\w+|local\.\w+|module\.\w+|data\.\w+\.\w+|(?:aws|google|kubernetes)_\w+\.\w+)")]
    private static partial Regex Reference();
}
