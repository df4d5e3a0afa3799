namespace Kohakku.Controller.Agents;

internal static class ImageNames
{
    /// <summary>The image as an engine takes it: one without a slash is of the operator's own registry, so <c>shell</c> is <c>localhost:5000/kohakku-agents/shell</c>.</summary>
    /// <param name="registry">The value of <c>AGENT_IMAGE_REGISTRY</c>; empty to leave every image as it is.</param>
    public static string Resolve(string image, string registry) =>
        image.Contains('/', StringComparison.Ordinal) || registry.Length == 0 ? image : $"{registry.TrimEnd('/')}/{image}";
}
