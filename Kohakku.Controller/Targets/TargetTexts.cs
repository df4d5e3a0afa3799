using System.Text.Json;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Targets;

namespace Kohakku.Controller.Targets;

/// <summary>The texts of a target, which may be Liquid, each with the path by which a client knows it: <c>target.task.inputs.a[0]</c>.</summary>
internal static class TargetTexts
{
    public static JsonElement Json(WorkTarget target) => JsonSerializer.SerializeToElement(target, ContractsJson.Default.WorkTarget);

    public static IEnumerable<(string Path, string Text)> Of(JsonElement tree, string path = "target") => tree.ValueKind switch
    {
        JsonValueKind.Object => tree.EnumerateObject().SelectMany(property => Of(property.Value, $"{path}.{property.Name}")),
        JsonValueKind.Array => tree.EnumerateArray().SelectMany((item, index) => Of(item, $"{path}[{index}]")),
        JsonValueKind.String => [(path, tree.GetString()!)],
        _ => [],
    };
}
