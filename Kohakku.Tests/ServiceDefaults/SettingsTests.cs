using System.Text.Json.Nodes;
using Kohakku.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Options;

namespace Kohakku.Tests.ServiceDefaults;

public sealed class SettingsTests
{
    [Fact]
    public void Values_are_read_and_what_is_blank_is_its_fallback()
    {
        var settings = Reader(("NUMBER", " 5 "), ("FLAG", "True"), ("URL", "https://example.org/x"), ("MODE", "b"), ("PAIRS", "gpu=true, zone = a=b"), ("BLANK", " "));
        Assert.Equal(5, settings.Integer("NUMBER", 1, 1, 9, "A number."));
        Assert.True(settings.Flag("FLAG", false, "A flag."));
        Assert.Equal("https://example.org/x", settings.Url("URL", "http://localhost", "An address.").ToString());
        Assert.Equal(2, settings.OneOf("MODE", 1, new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 }, "A mode."));
        Assert.Equal(new Dictionary<string, string> { ["gpu"] = "true", ["zone"] = "a=b" }, settings.Pairs("PAIRS", "Pairs."));
        Assert.Equal("fallback", settings.Text("BLANK", "fallback", "A text."));
        Assert.Null(settings.Read(new Setting("MISSING", "text", null, "Nothing.")));
        settings.ThrowIfAny();
    }

    [Fact]
    public void Every_fault_is_told_at_once_with_key_value_and_rule()
    {
        var settings = Reader(("NUMBER", "0"), ("FLAG", "maybe"), ("URL", "localhost:80"), ("MODE", "c"), ("PAIRS", "gpu,zone=a,zone=b"));
        settings.Integer("NUMBER", 3, 1, 9, "A number.");
        settings.Flag("FLAG", true, "A flag.");
        settings.Url("URL", "http://localhost:9000", "An address.");
        settings.OneOf("MODE", 1, new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 }, "A mode.");
        settings.Pairs("PAIRS", "Pairs.");
        var faults = Assert.Throws<OptionsValidationException>(settings.ThrowIfAny).Failures;
        Assert.Equal(
            [
                "NUMBER is '0'; it takes a whole number from 1 to 9.",
                "FLAG is 'maybe'; it takes true or false.",
                "URL is 'localhost:80'; it takes an address like http://localhost:9000.",
                "MODE is 'c'; it takes a or b.",
                "PAIRS has 'gpu'; it takes name=value pairs separated by commas, like gpu=true,zone=a.",
                "PAIRS names 'zone' twice; it takes each name once.",
            ],
            faults);
    }

    [Fact]
    public void A_service_does_not_start_with_wrong_settings_and_names_them_all_without_secrets()
    {
        var settings = new Dictionary<string, string?>
        {
            ["ConnectionStrings__controller"] = "Host=localhost;Password=hunter2;Nonsense=1", ["REDIS_URL"] = "redis//:hunter2@x", ["S3_BUCKET"] = "Not A Bucket",
            ["S3_ENDPOINT"] = "nowhere", ["CALLBACK_SIGNING_KEY"] = "hunter2", ["OTEL_EXPORTER_OTLP_ENDPOINT"] = "collector",
        };
        var exception = Assert.Throws<OptionsValidationException>(() => TestService.Build(
            settings, builder => builder.AddPostgres("controller").AddRedis().AddObjectStorage().AddSigning(), _ => { }));
        string[] keys = ["OTEL_EXPORTER_OTLP_ENDPOINT", "ConnectionStrings__controller", "REDIS_URL", "S3_ENDPOINT", "S3_ACCESS_KEY", "S3_SECRET_KEY", "S3_BUCKET", "CALLBACK_SIGNING_KEY"];
        Assert.Equal(keys, exception.Failures.Select(fault => fault.Split(' ', '\'')[0]));
        Assert.All(exception.Failures, fault => Assert.DoesNotContain("hunter2", fault, StringComparison.Ordinal));
        Assert.All(exception.Failures, fault => Assert.Contains("it takes", fault, StringComparison.Ordinal));
    }

    [Fact]
    public void Outside_development_the_signing_key_is_required_and_may_not_be_the_known_one()
    {
        Assert.Null(SigningDefaults.Keys(Reader(), isDevelopment: true));
        var missing = Reader();
        SigningDefaults.Keys(missing, isDevelopment: false);
        Assert.Contains("CALLBACK_SIGNING_KEY is not set", Assert.Single(missing.Faults), StringComparison.Ordinal);
        var known = Reader(("CALLBACK_SIGNING_KEY", "kohakku-development-signing-key-not-a-secret"));
        SigningDefaults.Keys(known, isDevelopment: false);
        Assert.Single(known.Faults);
    }

    [Fact]
    public void What_is_read_is_what_the_reference_says_and_a_key_means_one_thing()
    {
        var settings = Reader(("NUMBER", "nonsense"));
        settings.Integer("NUMBER", 3, 1, 9, "How many.");
        settings.Integer("NUMBER", 3, 1, 9, "How many.");
        settings.Flag("FLAG", false, "Whether.");
        settings.OneOf("MODE", 2, new Dictionary<string, int> { ["a"] = 1, ["b"] = 2 }, "Which.");
        settings.Read(new Setting("KEY", "text", null, "What opens it.") { IsSecret = true, Need = SettingNeed.OutsideDevelopment });
        settings.Unset().Text("OTHER", "x", "What else.");
        Assert.Equal(
            """
            | key | takes | default | meaning |
            | --- | --- | --- | --- |
            | `NUMBER` | a whole number from 1 to 9 | `3` | How many. |
            | `FLAG` | `true` or `false` | `false` | Whether. |
            | `MODE` | `a` or `b` | `b` | Which. |
            | `KEY` | text | required outside Development | **Secret.** What opens it. |
            | `OTHER` | text | `x` | What else. |

            """,
            SettingsCommand.ToMarkdown(settings.Declared));
        Assert.Equal("outsideDevelopment", JsonNode.Parse(SettingsCommand.ToJson(settings.Declared))![3]!["required"]!.GetValue<string>());
        Assert.Throws<InvalidOperationException>(() => settings.Integer("NUMBER", 4, 1, 9, "How many."));
    }

    [Theory]
    [InlineData(true, "settings")]
    [InlineData(true, "settings", "--json")]
    [InlineData(false)]
    [InlineData(false, "settings", "--yaml")]
    public void The_command_is_its_own(bool isMeant, params string[] arguments) => Assert.Equal(isMeant, SettingsCommand.IsMeant(arguments));

    [Theory]
    [InlineData("redis://localhost", "localhost:6379", null, null, null, false)]
    [InlineData("redis://localhost:7000/3", "localhost:7000", 3, null, null, false)]
    [InlineData("redis://:p%40ss@localhost", "localhost:6379", null, null, "p@ss", false)]
    [InlineData("rediss://me:secret@cache.example:6380/0", "cache.example:6380", 0, "me", "secret", true)]
    public void A_redis_address_is_read(string url, string endpoint, int? database, string? user, string? password, bool tls)
    {
        var options = RedisDefaults.Options(Reader(("REDIS_URL", url)))!;
        Assert.EndsWith(endpoint, options.EndPoints.Single().ToString(), StringComparison.Ordinal);
        Assert.Equal((database, user, password, tls), (options.DefaultDatabase, options.User, options.Password, options.Ssl));
    }

    [Fact]
    public async Task A_process_ends_with_78_for_its_configuration_and_1_for_anything_else()
    {
        Assert.Equal(0, await ServiceProcess.RunAsync([], "test", _ => Task.CompletedTask));
        Assert.Equal(78, await ServiceProcess.RunAsync([], "test", (Func<string[], Task>)(_ =>
            throw new InvalidOperationException("wrapped", new ConfigurationException("KEY is wrong.")))));
        Assert.Equal(78, await ServiceProcess.RunAsync([], "test", (Func<string[], Task>)(_ =>
            throw new AggregateException(new OptionsValidationException("x", typeof(object), ["KEY is wrong."])))));
        Assert.Equal(1, await ServiceProcess.RunAsync([], "test", (Func<string[], Task>)(_ => throw new InvalidOperationException("broken"))));
    }

    private static SettingsReader Reader(params (string Key, string? Value)[] settings) =>
        new(new ConfigurationBuilder().AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key, pair.Value))).Build());
}
