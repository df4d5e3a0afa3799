using System.Text.RegularExpressions;
using k8s.Models;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Tasks.Lifetime;
using Kohakku.Dispatcher;
using Kohakku.Dispatcher.Runtimes;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Connection;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>What the manifests set is what the services read, and secrets come from Secrets.</summary>
public sealed partial class SettingsTests
{
    public static TheoryData<string> Overlays => [.. Rendered.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_variable_is_one_that_the_service_reads(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        foreach (var workload in rendered.Workloads.Where(each => each.Service is not null))
        {
            var container = workload.Pod.Containers[0];
            var known = KnownSettings.Of(workload.Service!);
            var helpers = Settings.Helpers(container);
            Assert.All(container.Env, variable => Assert.True(known.Contains(variable.Name) || helpers.Contains(variable.Name), $"{workload.Service} does not read {variable.Name}."));
            Assert.Distinct(container.Env.Select(variable => variable.Name));
        }
        Assert.All(
            rendered.Of<V1ConfigMap>().Where(map => map.Metadata.Name.StartsWith("settings", StringComparison.Ordinal)).SelectMany(map => map.Data.Keys),
            name => Assert.Contains(name, KnownSettings.OfAny));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_services_take_what_they_are_given(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        foreach (var workload in rendered.Workloads.Where(each => each.Service is not null))
        {
            Assert.Empty(Faults(workload.Service!, Settings.Resolve(rendered, workload)));
        }
    }

    [Fact]
    public void A_wrong_value_is_found()
    {
        var faults = Faults("controller", new Dictionary<string, string?> { ["CONTROLLER_URL"] = "kohakku.example.com", ["KOHAKKU_SECRET_KEY"] = "short" });

        Assert.Contains(faults, fault => fault.StartsWith("CONTROLLER_URL", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.StartsWith("KOHAKKU_SECRET_KEY", StringComparison.Ordinal));
        Assert.Contains(faults, fault => fault.StartsWith("CALLBACK_SIGNING_KEY", StringComparison.Ordinal));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task The_controllers_hosts_are_all_by_which_it_is_called(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);
        var settings = Settings.Resolve(rendered, rendered.Workloads.Single(each => each.Name == "controller"));
        var hosts = ControllerOptions.Read(new SettingsReader(Configuration(settings)), isDevelopment: false).AllowedHosts;

        Assert.False(HostString.MatchesAny("elsewhere.example.org", hosts));
        // The kubelet and Prometheus by the pod's address, people by the public one, the other services by the name they are given.
        Assert.True(HostString.MatchesAny("10.1.2.3", hosts));
        Assert.True(HostString.MatchesAny(new Uri(settings["CONTROLLER_URL"]!).Host, hosts));
        foreach (var service in new[] { "dispatcher", "temporal-worker" })
            Assert.True(HostString.MatchesAny(new Uri(Settings.Resolve(rendered, rendered.Workloads.Single(each => each.Name == service))["CONTROLLER_URL"]!).Host, hosts), service);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task No_manifest_has_a_secret_and_what_is_secret_comes_by_reference(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.Empty(rendered.Of<V1Secret>());
        Assert.DoesNotContain("PRIVATE KEY", rendered.Yaml, StringComparison.Ordinal);
        Assert.All(rendered.Of<V1ConfigMap>().SelectMany(map => map.Data.Keys), name => Assert.DoesNotMatch(SecretName(), name));
        Assert.All(
            rendered.Workloads.SelectMany(each => each.Pod.Containers).SelectMany(container => container.Env ?? []).Where(variable => SecretName().IsMatch(variable.Name)),
            variable => Assert.True(variable.Value is null && variable.ValueFrom.SecretKeyRef is not null, $"{variable.Name} stands in a manifest."));
    }

    [Fact]
    public async Task Every_key_of_a_Secret_that_is_asked_for_stands_in_the_operators_list_and_the_other_way_round()
    {
        var asked = new HashSet<(string, string)>();
        foreach (var overlay in Rendered.Overlays)
        {
            asked.UnionWith((await Rendered.OverlayAsync(overlay)).Workloads.SelectMany(each => each.Pod.Containers).SelectMany(container => container.Env ?? [])
                .Select(variable => variable.ValueFrom?.SecretKeyRef).OfType<V1SecretKeySelector>().Select(reference => (reference.Name, reference.Key)));
        }
        var listed = SecretRow().Matches(Rendered.FileText("README.md")).Select(match => (match.Groups[1].Value, match.Groups[2].Value)).ToList();

        Assert.Equal(asked.Order(), listed.Order());
    }

    private static IConfigurationRoot Configuration(Dictionary<string, string?> environment) => new ConfigurationBuilder()
        .AddInMemoryCollection(environment.Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), pair.Value))).Build();

    private static List<string> Faults(string service, Dictionary<string, string?> environment)
    {
        var configuration = Configuration(environment);
        var settings = new SettingsReader(configuration);
        // Outside Development, which relaxes what is asked for.
        Assert.Equal("Production", environment.GetValueOrDefault("ASPNETCORE_ENVIRONMENT", "Production"));
        SigningDefaults.Keys(settings, isDevelopment: false);
        if (service != "temporal-worker") PostgresDefaults.ConnectionString(settings, service == "dispatcher" ? "dispatcher" : "controller", new HostingEnvironment { EnvironmentName = Environments.Production });
        if (service != "temporal-worker") ObjectStorageOptions.Read(settings, isDevelopment: false);
        if (service != "dispatcher") TemporalOptions.Read(settings);
        if (service is "controller" or "scheduler")
        {
            ControllerOptions.Read(settings, isDevelopment: false);
            RetentionOptions.Read(settings);
        }
        if (service != "dispatcher") return [.. settings.Faults];

        RuntimeOptions.Read(settings, DispatcherOptions.Read(settings), isDevelopment: false);
        return [.. settings.Faults];
    }

    [GeneratedRegex("(KEY|PASSWORD|SECRET|TOKEN|REDIS_URL|ConnectionStrings__controller|DATABASE_SERVER)$")]
    private static partial Regex SecretName();

    // | `kohakku-signing` | `callback-signing-key` | …
    [GeneratedRegex(@"^\| `(kohakku-[a-z-]+)` \| `([a-z-]+)` \|", RegexOptions.Multiline)]
    private static partial Regex SecretRow();
}
