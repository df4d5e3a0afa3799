using Docker.DotNet.Models;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// Makes one percentage of what the engine tells of each layer. Sizes come to be known only as layers start, so that all
/// layers count the same; it never goes back, and says 100 only at the end.
/// </summary>
internal sealed class PullProgress(Action<int> changed)
{
    private const double DownloadShare = 0.8; // of a layer's work; the rest is unpacking
    private readonly Dictionary<string, double> layers = [];
    private int reported = -1;

    // {"status":"Downloading","progressDetail":{"current":8421,"total":29126484},"id":"5a7813e071bf"}
    public void Add(JSONMessage message)
    {
        if (message.ID is not { Length: > 0 } layer || ShareOf(message) is not { } share) return;
        layers[layer] = Math.Max(layers.GetValueOrDefault(layer), share);
        Report(Math.Min(99, (int)(100 * layers.Values.Average())));
    }

    public void Complete() => Report(100);

    private void Report(int percent)
    {
        if (percent <= reported) return;
        reported = percent;
        changed(percent);
    }

    private static double? ShareOf(JSONMessage message) => message.Status switch
    {
        "Pulling fs layer" or "Waiting" => 0,
        "Downloading" => DownloadShare * Fraction(message),
        "Verifying Checksum" or "Download complete" => DownloadShare,
        "Extracting" => DownloadShare + ((1 - DownloadShare) * Fraction(message)),
        "Pull complete" or "Already exists" => 1,
        _ => null,
    };

    private static double Fraction(JSONMessage message) =>
        message.Progress is { Current: { } current, Total: { } total and > 0 } ? Math.Clamp((double)current / total, 0, 1) : 0;
}
