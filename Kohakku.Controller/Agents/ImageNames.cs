namespace Kohakku.Controller.Agents;

internal static class ImageNames
{
    public const string RegistryKey = "AGENT_IMAGE_REGISTRY";
    public const string DefaultRegistry = "localhost:5000/kohakku-agents";

    /// <summary>The image as an engine takes it: one without a slash is of the operator's own registry, so <c>shell</c> is <c>localhost:5000/kohakku-agents/shell</c>.</summary>
    /// <param name="registry">The value of <see cref="RegistryKey"/>; empty to leave every image as it is.</param>
    public static string Resolve(string image, string registry) =>
        image.Contains('/', StringComparison.Ordinal) || registry.Length == 0 ? image : $"{registry.TrimEnd('/')}/{image}";
}
