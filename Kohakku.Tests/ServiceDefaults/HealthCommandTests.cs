using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.ServiceDefaults;

public sealed class HealthCommandTests
{
    [Theory]
    [InlineData("http://+:8000", null, "http://127.0.0.1:8000/")]
    [InlineData("http://*:8000", null, "http://127.0.0.1:8000/")]
    [InlineData("http://0.0.0.0:8000", null, "http://127.0.0.1:8000/")]
    [InlineData("http://[::]:8000", null, "http://127.0.0.1:8000/")]
    [InlineData("https://+:443; http://10.0.0.1:81", "7", "http://10.0.0.1:81/")]
    [InlineData("https://+:443", null, null)]
    [InlineData("http://unix:/run/x.sock", null, null)]
    [InlineData(null, "8080;8081", "http://127.0.0.1:8080/")]
    [InlineData(null, null, "http://127.0.0.1:5000/")]
    public void It_asks_where_the_service_listens(string? urls, string? ports, string? expected) =>
        Assert.Equal(expected, HealthCommand.AddressOf(key => key == "ASPNETCORE_URLS" ? urls : ports)?.ToString());

    [Theory]
    [InlineData(true, "health")]
    [InlineData(true, "health", "/ready")]
    [InlineData(false)]
    [InlineData(false, "health", "ready")]
    [InlineData(false, "migrate")]
    public void It_is_meant_by_its_name_and_a_path(bool expected, params string[] arguments) => Assert.Equal(expected, HealthCommand.IsMeant(arguments));

    [Fact]
    public async Task Its_exit_code_is_the_answer()
    {
        await using var service = await TestService.StartAsync(
            new Dictionary<string, string?>(), _ => { }, app => app.MapGet("/unwell", () => Results.Json(new { status = "unhealthy" }, statusCode: 503)));
        var urls = service.Client.BaseAddress!.ToString();
        Assert.Equal(0, await HealthCommand.RunAsync("test", ["health"], _ => urls));
        Assert.Equal(1, await HealthCommand.RunAsync("test", ["health", "/unwell"], _ => urls));
        Assert.Equal(1, await HealthCommand.RunAsync("test", ["health"], _ => "http://127.0.0.1:1"));
    }
}
