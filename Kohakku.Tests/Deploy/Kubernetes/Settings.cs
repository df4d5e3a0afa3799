using System.Text.RegularExpressions;
using k8s.Models;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>A container's environment as the kubelet makes it, with sample values where a Secret or the cluster has the real ones.</summary>
internal static partial class Settings
{
    /// <summary>Long enough for every key, and such that it also reads as a connection string.</summary>
    public const string SampleSecret = "Host=postgres;Username=kohakku;Password=a-sample-that-is-long-enough-for-any-key";

    public static Dictionary<string, string?> Resolve(Rendered rendered, Workload workload)
    {
        var container = workload.Pod.Containers[0];
        var environment = new Dictionary<string, string?>(StringComparer.Ordinal);
        foreach (var source in container.EnvFrom ?? [])
        {
            foreach (var (name, value) in rendered.Named<V1ConfigMap>(source.ConfigMapRef.Name, workload.Namespace).Data) environment[name] = value;
        }
        foreach (var variable in container.Env ?? [])
        {
            if (variable.ValueFrom?.SecretKeyRef is { Optional: true }) continue;
            environment[variable.Name] = Value(variable, workload) is var text ? Reference().Replace(text, match =>
                environment.TryGetValue(match.Groups[1].Value, out var known) && known is not null
                    ? known
                    : throw new InvalidOperationException($"{workload.Name}: {variable.Name} names {match.Value}, which is not above it.")) : null;
        }
        return environment;
    }

    /// <summary>Variables that only others of the same container refer to.</summary>
    public static IReadOnlySet<string> Helpers(V1Container container) =>
        (container.Env ?? []).SelectMany(variable => Reference().Matches(variable.Value ?? "")).Select(match => match.Groups[1].Value).ToHashSet();

    private static string Value(V1EnvVar variable, Workload workload) => variable.ValueFrom switch
    {
        null => variable.Value ?? "",
        { SecretKeyRef: not null } => SampleSecret,
        { FieldRef.FieldPath: "status.podIP" } => "10.1.2.3",
        { FieldRef.FieldPath: "metadata.name" } => $"{workload.Name}-0",
        { FieldRef.FieldPath: "metadata.namespace" } => workload.Namespace,
        _ => throw new InvalidOperationException($"{variable.Name} comes from where these tests don't know."),
    };

    [GeneratedRegex(@"\$\((\w+)\)")]
    private static partial Regex Reference();
}
