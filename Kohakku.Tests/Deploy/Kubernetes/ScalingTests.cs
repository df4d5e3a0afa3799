using System.Globalization;
using k8s.Models;
using Kohakku.Controller.Dispatching;
using Kohakku.Tests.ServiceDefaults;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>Dispatchers are scaled by a figure that is there.</summary>
public sealed class ScalingTests
{
    public static TheoryData<string> Overlays => [.. Rendered.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_metric_is_one_that_the_controller_gives(string overlay)
    {
        var metric = Metric(await Rendered.OverlayAsync(overlay));
        await using var service = await TestService.StartAsync(new Dictionary<string, string?>(), builder => builder.Services.AddSingleton<DispatchingMetrics>(), _ => { });
        service.Services.GetRequiredService<DispatchingMetrics>().SetQueue([new QueueFigure("coder", 3, 12.5)]);

        var line = Assert.Single(
            (await service.Client.GetStringAsync("/metrics", TestContext.Current.CancellationToken)).Split('\n'), each => each.StartsWith($"{metric}{{", StringComparison.Ordinal));

        Assert.Contains("agent=\"coder\"", line, StringComparison.Ordinal);
        Assert.Contains(" 12.5", line, StringComparison.Ordinal);
    }

    [Fact]
    public async Task The_operators_guide_and_the_terraform_example_name_the_same_metric()
    {
        var metric = Metric(await Rendered.OverlayAsync("production"));

        Assert.Contains($"__name__=\"{metric}\"", Rendered.FileText("README.md"), StringComparison.Ordinal);
        Assert.Contains($"\"{metric}\"", Rendered.FileText("..", "..", "terraform", "ecs", "examples", "complete", "main.tf"), StringComparison.Ordinal);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task It_scales_the_dispatchers_up_by_itself_and_never_down(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);
        var spec = rendered.Named<V2HorizontalPodAutoscaler>("dispatcher").Spec;

        Assert.Equal(("StatefulSet", "dispatcher"), (spec.ScaleTargetRef.Kind, spec.ScaleTargetRef.Name));
        Assert.Equal("Disabled", spec.Behavior.ScaleDown.SelectPolicy);
        Assert.True(spec.MinReplicas < spec.MaxReplicas);
        // The number is the scaler's: one in the manifest would be set back to by every apply.
        Assert.Null(rendered.Named<V1StatefulSet>("dispatcher").Spec.Replicas);
    }

    private static string Metric(Rendered rendered)
    {
        var metric = Assert.Single(rendered.Named<V2HorizontalPodAutoscaler>("dispatcher").Spec.Metrics);
        Assert.Equal(("External", "Value"), (metric.Type, metric.External.Target.Type));
        Assert.True(int.Parse(metric.External.Target.Value.ToString(), CultureInfo.InvariantCulture) > 0);
        return metric.External.Metric.Name;
    }
}
