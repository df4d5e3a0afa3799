using System.Diagnostics;
using System.Text.RegularExpressions;
using Kohakku.Tests.Deploy.Kubernetes;

namespace Kohakku.Tests.Deploy.Terraform;

/// <summary>What the modules promise of rights, walls and secrets.</summary>
public sealed partial class SecurityTests
{
    private static readonly TerraformModule Ecs = TerraformModule.Named("ecs");
    private static readonly TerraformModule Gke = TerraformModule.Named("gke");

    /// <summary>Actions of AWS that take no resource; all else names what it is about.</summary>
    private static readonly string[] WithoutResource =
    [
        "ecr:GetAuthorizationToken", "ecs:DiscoverPollEndpoint", "ssm:UpdateInstanceInformation",
        "ssmmessages:CreateControlChannel", "ssmmessages:CreateDataChannel", "ssmmessages:OpenControlChannel", "ssmmessages:OpenDataChannel",
    ];

    [Fact]
    public void Rights_name_what_they_are_about()
    {
        // In a key's own policy `*` is that key.
        var statements = Ecs.Data.Where(block => block.Labels[0] == "aws_iam_policy_document" && block.Labels[1] != "key")
            .SelectMany(block => block.Body.Of("statement")).ToList();
        Assert.NotEmpty(statements);

        Assert.All(statements, statement =>
        {
            var actions = Quoted().Matches(statement.Body.Attributes["actions"]).Select(match => match.Groups[1].Value).ToList();
            Assert.All(actions, action => Assert.DoesNotContain('*', action));
            if (statement.Body.Attributes.TryGetValue("resources", out var resources) && resources == "[\"*\"]") Assert.Subset(WithoutResource.ToHashSet(), actions.ToHashSet());
        });
        Assert.Empty(Ecs.All("aws_iam_role_policy_attachment"));
    }

    [Fact]
    public void Instances_answer_for_their_metadata_to_nobody_but_themselves_and_are_encrypted()
    {
        var template = Ecs.Resource("aws_launch_template", "this").Body;
        var metadata = Assert.Single(template.Of("metadata_options")).Body;

        Assert.Equal(("\"required\"", "1"), (metadata.Attributes["http_tokens"], metadata.Attributes["http_put_response_hop_limit"]));
        Assert.Equal("true", Assert.Single(Assert.Single(template.Of("block_device_mappings")).Body.Of("ebs")).Body.Attributes["encrypted"]);
        Assert.Equal("false", Assert.Single(template.Of("network_interfaces")).Body.Attributes["associate_public_ip_address"]);
        Assert.DoesNotContain("key_name", template.Attributes);
        // One hop, so containers must be behind the bridge: with the instance's own network they would be on the hop that is answered.
        Assert.Equal("\"bridge\"", Ecs.Resource("aws_ecs_task_definition", "dispatcher").Body.Attributes["network_mode"]);
        Assert.Equal("true", Ecs.Resource("aws_autoscaling_group", "this").Body.Attributes["protect_from_scale_in"]);
    }

    [Fact]
    public void Logs_end_and_images_stay_as_they_were_pushed()
    {
        Assert.All(Ecs.All("aws_cloudwatch_log_group"), group =>
        {
            Assert.Contains("retention_in_days", group.Body.Attributes);
            Assert.Contains("kms_key_id", group.Body.Attributes);
        });
        var repository = Ecs.Resource("aws_ecr_repository", "this").Body;
        Assert.Equal("IMMUTABLE", repository.Text("image_tag_mutability"));
        Assert.Equal("true", Assert.Single(repository.Of("image_scanning_configuration")).Body.Attributes["scan_on_push"]);
        Assert.Equal("true", Assert.Single(Gke.Resource("google_artifact_registry_repository", "this").Body.Of("docker_config")).Body.Attributes["immutable_tags"]);
    }

    [Fact]
    public void Nothing_is_open_to_all_inwards()
    {
        Assert.All(Ecs.All("aws_vpc_security_group_ingress_rule"), rule => Assert.Contains("referenced_security_group_id", rule.Body.Attributes));
        Assert.All(Ecs.Resource("aws_security_group", "instances").Body.Blocks, block => Assert.Equal("lifecycle", block.Type));
    }

    [Fact]
    public void Agents_on_GKE_are_in_gVisor_on_private_shielded_nodes_without_the_nodes_credentials()
    {
        var cluster = Gke.Resource("google_container_cluster", "this").Body;
        Assert.Equal("ADVANCED_DATAPATH", cluster.Text("datapath_provider"));
        Assert.Equal("true", cluster.Attributes["enable_shielded_nodes"]);
        Assert.Equal("true", Assert.Single(cluster.Of("private_cluster_config")).Body.Attributes["enable_private_nodes"]);
        Assert.NotEmpty(cluster.Of("workload_identity_config"));
        Assert.NotEmpty(cluster.Of("release_channel"));

        Assert.All(Gke.All("google_container_node_pool"), pool =>
        {
            var node = Assert.Single(pool.Body.Of("node_config")).Body;
            Assert.Equal("true", Assert.Single(pool.Body.Of("network_config")).Body.Attributes["enable_private_nodes"]);
            Assert.Equal("GKE_METADATA", Assert.Single(node.Of("workload_metadata_config")).Body.Text("mode"));
            Assert.Equal("true", Assert.Single(node.Of("shielded_instance_config")).Body.Attributes["enable_secure_boot"]);
            Assert.Equal("google_service_account.nodes.email", node.Attributes["service_account"]);
        });
        var agents = Assert.Single(Gke.Resource("google_container_node_pool", "agents").Body.Of("node_config")).Body;
        Assert.Equal("gvisor", Assert.Single(agents.Of("sandbox_config")).Body.Text("sandbox_type"));
    }

    [Fact]
    public void The_dispatchers_role_on_GKE_is_that_of_the_manifests()
    {
        var calls = from rule in Gke.Resource("kubernetes_role_v1", "dispatcher").Body.Of("rule")
                    from @group in Values(rule.Body.Attributes["api_groups"])
                    from resource in Values(rule.Body.Attributes["resources"])
                    from verb in Values(rule.Body.Attributes["verbs"])
                    select $"{@group}/{resource} {verb}";

        Assert.Equal(AccessTests.WorkerCalls.Order(StringComparer.Ordinal), calls.Order(StringComparer.Ordinal));
    }

    [Fact]
    public void No_value_of_a_secret_comes_into_the_state()
    {
        foreach (var module in TerraformModule.Names.SelectMany(TerraformModule.ExamplesOf).Concat([Ecs, Gke]))
        {
            Assert.All(module.Resources.Concat(module.Data), block => Assert.DoesNotMatch("secret_version|random_password|kubernetes_secret|tls_private_key|service_account_key", block.Labels[0]));
        }
    }

    [Theory]
    [InlineData("ecs", "environment")]
    [InlineData("gke", "settings")]
    public void Dispatchers_read_what_they_are_given(string name, string local)
    {
        var given = Setting().Matches(TerraformModule.Named(name).Locals[local]).Select(match => match.Groups[1].Value).ToList();
        Assert.Contains("RUNTIME_BACKEND", given);

        Assert.Subset(KnownSettings.Of("dispatcher").ToHashSet(), given.ToHashSet());
        var secrets = Quoted().Matches(name == "ecs" ? Ecs.Resource("aws_ecs_task_definition", "dispatcher").Body.Attributes["container_definitions"] : Gke.Locals["secret_settings"])
            .Select(match => match.Groups[1].Value).Where(text => SecretSetting().IsMatch(text)).ToHashSet();
        Assert.Superset(new HashSet<string> { "CALLBACK_SIGNING_KEY", "S3_ACCESS_KEY", "S3_SECRET_KEY" }, secrets);
        Assert.Subset(KnownSettings.Of("dispatcher").ToHashSet(), secrets);
    }

    [Fact]
    public async Task The_script_of_an_instance_is_a_script()
    {
        var template = await File.ReadAllTextAsync(Path.Combine(Ecs.Folder, "templates", "user-data.sh.tftpl"), TestContext.Current.CancellationToken);
        // What is filled in, filled in; both branches of each condition are script.
        var script = Filled().Replace(Directive().Replace(template, ""), "x");
        // A script in a here-document is text to the one around it.
        foreach (var text in HereDocument().Matches(script).Select(match => match.Groups[2].Value).Where(text => text.StartsWith("#!", StringComparison.Ordinal)).Append(script))
            await CheckScriptAsync(text);
        Assert.DoesNotContain("set -x", template, StringComparison.Ordinal);
        var given = FilledName().Matches(template).Select(match => match.Groups[1].Value).Distinct().Except(["image"]).Order();
        var passed = Setting().Matches(Ecs.Resource("aws_launch_template", "this").Body.Attributes["user_data"]).Select(match => match.Groups[1].Value).Except(["agent_images"]).Order();
        Assert.Equal(passed, given);
    }

    private static async Task CheckScriptAsync(string script)
    {
        var start = new ProcessStartInfo("/bin/bash", ["-n"]) { RedirectStandardInput = true, RedirectStandardError = true };
        using var process = Process.Start(start)!;
        await process.StandardInput.WriteAsync(script);
        process.StandardInput.Close();
        var error = await process.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        await process.WaitForExitAsync(TestContext.Current.CancellationToken);
        Assert.True(process.ExitCode == 0, error);
    }

    private static IEnumerable<string> Values(string list) => Quoted().Matches(list).Select(match => match.Groups[1].Value);

    [GeneratedRegex("\"([^\"]*)\"")]
    private static partial Regex Quoted();

    // A name before its =, at the beginning of a line or of an object.
    [GeneratedRegex(@"(?:^|\{)\s*(\w+) +=(?!=)", RegexOptions.Multiline)]
    private static partial Regex Setting();

    [GeneratedRegex("^(CALLBACK_SIGNING_KEY|S3_[A-Z]+_KEY|POSTGRES_PASSWORD)$")]
    private static partial Regex SecretSetting();

    [GeneratedRegex(@"^%\{.*\}\n", RegexOptions.Multiline)]
    private static partial Regex Directive();

    [GeneratedRegex(@"<<'(\w+)'\n(.*?\n)\1\n", RegexOptions.Singleline)]
    private static partial Regex HereDocument();

    [GeneratedRegex(@"\$\{\w+\}")]
    private static partial Regex Filled();

    [GeneratedRegex(@"\$\{(\w+)\}")]
    private static partial Regex FilledName();
}
