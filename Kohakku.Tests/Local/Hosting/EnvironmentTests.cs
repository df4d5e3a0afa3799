using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;

namespace Kohakku.Tests.Local.Hosting;

public sealed class EnvironmentTests
{
    [Fact]
    public async Task Endpoints_references_parameters_and_expressions_reach_a_service_as_Aspire_injects_them()
    {
        await using var test = new TestApplication();
        var server = test.AddServer("server");
        var secret = test.Builder.AddParameter("secret", new GenerateParameterDefault { MinLength = 40, Special = false }, secret: true, persist: true);
        test.Builder.AddExecutable("job", "sh", test.DataFolder, "-c", "env > environment")
            .WithReference(server)
            .WithEnvironment("SECRET", secret)
            .WithEnvironment("BOTH", ReferenceExpression.Create($"{server.GetEndpoint("http").Property(EndpointProperty.HostAndPort)}/{secret}"))
            .WithEnvironment(context => context.EnvironmentVariables["LATER"] = server.GetEndpoint("http"))
            .WaitFor(server);

        await test.StartAsync();

        var environment = await File.ReadAllLinesAsync(test.PathOf("environment"), TestContext.Current.CancellationToken);
        var port = server.GetEndpoint("http").Port;
        var value = (await File.ReadAllTextAsync(test.PathOf("keys/secret"), TestContext.Current.CancellationToken)).Trim();
        Assert.Equal(40, value.Length);
        Assert.Contains($"services__server__http__0=http://127.0.0.1:{port}", environment);
        Assert.Contains($"LATER=http://127.0.0.1:{port}", environment);
        Assert.Contains($"SECRET={value}", environment);
        Assert.Contains($"BOTH=127.0.0.1:{port}/{value}", environment);
        Assert.Contains($"KOHAKKU_DATA={test.DataFolder}", environment);
        Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(test.PathOf("keys/secret")));
    }

    [Fact]
    public async Task A_generated_secret_is_the_same_at_the_next_start()
    {
        await using var first = new TestApplication();
        var secret = first.Builder.AddParameter("secret", new GenerateParameterDefault(), secret: true, persist: true);
        await using var second = new TestApplication(first.DataFolder);
        var again = second.Builder.AddParameter("secret", new GenerateParameterDefault(), secret: true, persist: true);

        Assert.Equal(
            await secret.Resource.GetValueAsync(TestContext.Current.CancellationToken),
            await again.Resource.GetValueAsync(TestContext.Current.CancellationToken));
    }
}
