using System.Globalization;
using System.Text.RegularExpressions;
using k8s.Models;

namespace Kohakku.Tests.Deploy.Kubernetes;

/// <summary>How the pods run: by whom, with what, watched how, and ended how.</summary>
public sealed partial class WorkloadTests
{
    /// <summary>What a service's host takes for an orderly end at most (ServiceDefaultsExtensions).</summary>
    private const int ShutdownSeconds = 30;

    private static readonly Dictionary<string, int> Ports = new() { ["controller"] = 8000, ["dispatcher"] = 8080, ["temporal-worker"] = 8090, ["scheduler"] = 8091 };

    public static TheoryData<string> Overlays => [.. Rendered.Overlays];

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task All_services_are_there_and_the_migration(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.Equal(Ports.Keys.Order(), rendered.Workloads.Where(each => !each.IsJob).Select(each => each.Service).OfType<string>().Order());
        var migration = Assert.Single(rendered.Workloads, each => each.IsJob);
        Assert.Equal(("controller", "migrate"), (migration.Service, Assert.Single(migration.Pod.Containers[0].Args)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Pods_have_no_more_rights_than_they_need(string overlay)
    {
        foreach (var workload in (await Rendered.OverlayAsync(overlay)).Workloads)
        {
            var pod = workload.Pod;
            Assert.True(pod.SecurityContext.RunAsNonRoot, $"{workload.Name} may be root.");
            Assert.NotEqual(0, pod.SecurityContext.RunAsUser ?? 0);
            Assert.Equal("RuntimeDefault", pod.SecurityContext.SeccompProfile.Type);
            Assert.True(pod.HostNetwork is null && pod.HostPID is null && pod.HostIPC is null, $"{workload.Name} is on the node.");
            Assert.Equal(workload.Name == "dispatcher", pod.AutomountServiceAccountToken);
            Assert.False(pod.EnableServiceLinks);
            Assert.All(pod.Volumes ?? [], volume => Assert.Null(volume.HostPath));
            Assert.All([.. pod.Containers, .. pod.InitContainers ?? []], container =>
            {
                Assert.False(container.SecurityContext.AllowPrivilegeEscalation);
                Assert.True(container.SecurityContext.ReadOnlyRootFilesystem);
                Assert.Null(container.SecurityContext.Privileged);
                Assert.Equal(["ALL"], container.SecurityContext.Capabilities.Drop);
                Assert.Null(container.SecurityContext.Capabilities.Add);
            });
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Service_accounts_have_no_token_of_themselves_and_each_service_has_its_own(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.All(rendered.Of<V1ServiceAccount>(), account => Assert.False(account.AutomountServiceAccountToken));
        Assert.All(rendered.Workloads.Where(each => each.Service is not null), workload =>
        {
            Assert.Equal(workload.Name, workload.Pod.ServiceAccountName);
            rendered.Named<V1ServiceAccount>(workload.Name, workload.Namespace);
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Everything_that_stays_is_probed_at_the_paths_the_services_have(string overlay)
    {
        foreach (var workload in (await Rendered.OverlayAsync(overlay)).Workloads.Where(each => !each.IsJob))
        {
            var container = Assert.Single(workload.Pod.Containers);
            V1Probe[] probes = [container.StartupProbe, container.ReadinessProbe, container.LivenessProbe];
            Assert.All(probes, Assert.NotNull);
            if (workload.Service is null) continue;

            Assert.All(probes, probe =>
            {
                Assert.Equal("http", probe.HttpGet.Port.Value);
                // A check takes up to 3 s and then answers that it failed.
                Assert.True(probe.TimeoutSeconds > 3, $"{workload.Name} is given up before it answers.");
            });
            Assert.Equal(["/alive", "/health", "/ready"], probes.Select(probe => probe.HttpGet.Path).Distinct().Order());
            // A restart brings no database back.
            Assert.Equal("/alive", container.LivenessProbe.HttpGet.Path);
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Everything_says_what_it_takes(string overlay)
    {
        Assert.All((await Rendered.OverlayAsync(overlay)).Workloads.SelectMany(each => each.Pod.Containers), container =>
        {
            Assert.Contains("cpu", container.Resources.Requests);
            Assert.Contains("memory", container.Resources.Requests);
            Assert.Contains("memory", container.Resources.Limits);
            Assert.True(container.Resources.Requests["memory"].ToDecimal() <= container.Resources.Limits["memory"].ToDecimal());
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Images_have_a_tag_that_stays(string overlay)
    {
        Assert.All((await Rendered.OverlayAsync(overlay)).Workloads.SelectMany(each => each.Pod.Containers), container =>
        {
            Assert.Matches(@"^[\w.-]+(/[\w.-]+)*(:[\w][\w.-]*|@sha256:[0-9a-f]{64})$", container.Image);
            Assert.DoesNotMatch(":latest$", container.Image);
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Services_listen_where_they_are_called(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        foreach (var workload in rendered.Workloads.Where(each => each.Service is not null && !each.IsJob))
        {
            var port = Assert.Single(workload.Pod.Containers[0].Ports);
            Assert.Equal(("http", Ports[workload.Service!]), (port.Name, port.ContainerPort));
            Assert.Equal($"http://+:{port.ContainerPort.ToString(CultureInfo.InvariantCulture)}", Settings.Resolve(rendered, workload)["ASPNETCORE_URLS"]);
        }

        foreach (var service in rendered.Of<V1Service>())
        {
            var selected = Assert.Single(rendered.Workloads, each => each.Namespace == service.Metadata.NamespaceProperty && each.IsSelectedBy(service.Spec.Selector));
            Assert.All(service.Spec.Ports, port => Assert.Contains(selected.Pod.Containers[0].Ports, each => each.Name == port.TargetPort.Value));
        }
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task A_pod_has_the_time_that_an_orderly_end_takes(string overlay)
    {
        Assert.All((await Rendered.OverlayAsync(overlay)).Workloads.Where(each => each.Service is not null), workload =>
        {
            var before = workload.Pod.Containers[0].Lifecycle?.PreStop?.Sleep?.Seconds ?? 0;
            Assert.True(workload.Pod.TerminationGracePeriodSeconds >= ShutdownSeconds + before + 5, $"{workload.Name} is killed in the middle of its end.");
        });
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task A_rollout_takes_nothing_away_before_the_new_is_there(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        Assert.All(rendered.Of<V1Deployment>(), deployment =>
        {
            Assert.Equal("RollingUpdate", deployment.Spec.Strategy.Type);
            Assert.Equal("0", deployment.Spec.Strategy.RollingUpdate.MaxUnavailable.Value);
        });
        Assert.All(rendered.Workloads.Where(each => each.Selector is not null), workload => Assert.True(workload.IsSelectedBy(workload.Selector!)));
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Every_service_has_a_disruption_budget_that_leaves_room_to_drain_a_node(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);

        foreach (var workload in rendered.Workloads.Where(each => each.Service is not null && !each.IsJob))
        {
            var budget = Assert.Single(rendered.Of<V1PodDisruptionBudget>(), each => each.Metadata.NamespaceProperty == workload.Namespace && workload.IsSelectedBy(each.Spec.Selector));
            if (budget.Spec.MinAvailable is not { } least) continue;
            var replicas = rendered.Named<V1Deployment>(workload.Name).Spec.Replicas;
            Assert.True(int.Parse(least.Value, CultureInfo.InvariantCulture) < replicas, $"{workload.Name}: no node with one of its pods can ever be drained.");
        }
        Assert.All(rendered.Of<V1PodDisruptionBudget>(), budget => Assert.Single(rendered.Workloads, each => each.IsSelectedBy(budget.Spec.Selector)));
    }

    [Fact]
    public async Task Production_spreads_over_zones_and_nodes()
    {
        var rendered = await Rendered.OverlayAsync("production");

        Assert.All(rendered.Workloads.Where(each => !each.IsJob), workload =>
        {
            Assert.Equal(["kubernetes.io/hostname", "topology.kubernetes.io/zone"], workload.Pod.TopologySpreadConstraints.Select(each => each.TopologyKey).Order());
            Assert.All(workload.Pod.TopologySpreadConstraints, each => Assert.True(workload.IsSelectedBy(each.LabelSelector)));
        });
        Assert.All(rendered.Of<V1Deployment>(), deployment => Assert.True(deployment.Spec.Replicas >= 2));
    }

    [Fact]
    public async Task The_console_is_behind_TLS_and_a_browser_comes_back_to_its_controller()
    {
        var rendered = await Rendered.OverlayAsync("production");
        var ingress = Assert.Single(rendered.Of<V1Ingress>());
        var host = new Uri(Settings.Resolve(rendered, rendered.Workloads.Single(each => each.Name == "controller"))["CONTROLLER_URL"]!);
        var service = rendered.Named<V1Service>(Assert.Single(Assert.Single(ingress.Spec.Rules).Http.Paths).Backend.Service.Name);

        Assert.Equal("https", host.Scheme);
        Assert.Equal([host.Host], ingress.Spec.Rules.Select(rule => rule.Host));
        Assert.Equal([host.Host], Assert.Single(ingress.Spec.Tls).Hosts);
        Assert.Equal("ClientIP", service.Spec.SessionAffinity);
        Assert.Contains(service.Spec.Ports, port => port.Name == ingress.Spec.Rules[0].Http.Paths[0].Backend.Service.Port.Name);
    }

    [Theory]
    [MemberData(nameof(Overlays))]
    public async Task Each_dispatcher_has_a_name_an_address_and_a_database_of_its_own(string overlay)
    {
        var rendered = await Rendered.OverlayAsync(overlay);
        var set = rendered.Named<V1StatefulSet>("dispatcher");
        var service = rendered.Named<V1Service>(set.Spec.ServiceName);
        var settings = Settings.Resolve(rendered, rendered.Workloads.Single(each => each.Name == "dispatcher"));

        Assert.Equal("None", service.Spec.ClusterIP);
        Assert.True(service.Spec.PublishNotReadyAddresses);
        Assert.Equal("dispatcher-0", settings["DISPATCHER_NAME"]);
        Assert.Equal("http://dispatcher-0.dispatcher.kohakku.svc:8080", settings["DISPATCHER_URL"]);
        Assert.Equal("dispatcher-0", new Npgsql.NpgsqlConnectionStringBuilder(settings["ConnectionStrings__dispatcher"]).Database);
        Assert.Contains(set.Spec.VolumeClaimTemplates, claim => claim.Metadata.Name == "data");
    }

    [Fact]
    public async Task The_stand_in_has_a_database_for_every_dispatcher_there_may_be()
    {
        var rendered = await Rendered.OverlayAsync("development");
        var most = rendered.Named<V2HorizontalPodAutoscaler>("dispatcher").Spec.MaxReplicas;
        var made = DatabaseName().Matches(rendered.Named<V1ConfigMap>("postgres-databases").Data["dispatchers.sql"]).Select(match => match.Groups[1].Value);

        Assert.Equal(Enumerable.Range(0, most).Select(ordinal => $"dispatcher-{ordinal.ToString(CultureInfo.InvariantCulture)}"), made);
    }

    [GeneratedRegex("CREATE DATABASE \"([^\"]+)\"")]
    private static partial Regex DatabaseName();
}
