using Google.Protobuf;
using Kohakku.Local.Temporal.Visibility;
using Kohakku.Tests.Fixtures;
using Kohakku.Tests.Local.Temporal.Storage;
using Npgsql;
using Temporalio.Api.Common.V1;
using Temporalio.Api.Enums.V1;

namespace Kohakku.Tests.Local.Temporal.Visibility;

public sealed class SearchAttributeTests(PostgresFixture postgres) : IAsyncLifetime
{
    private NpgsqlDataSource _database = null!;
    private SearchAttributeRegistry _registry = null!;

    private static CancellationToken Token => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Token));
        await (await TestRuns.OpenAsync(_database)).DisposeAsync();
        _registry = new SearchAttributeRegistry(_database, TimeProvider.System);
        await _registry.AddAsync("default", Enum.GetValues<IndexedValueType>().Where(type => type != 0).ToDictionary(type => $"My{type}"), Token);
    }

    public async ValueTask DisposeAsync()
    {
        _registry.Dispose();
        await _database.DisposeAsync();
    }

    [Fact]
    public async Task Attributes_are_kept_per_namespace()
    {
        await _registry.AddAsync("other", new Dictionary<string, IndexedValueType> { ["Mine"] = IndexedValueType.Bool }, Token);
        await _registry.AddAsync("default", new Dictionary<string, IndexedValueType> { ["MyInt"] = IndexedValueType.Bool, ["New"] = IndexedValueType.Text }, Token);
        await _registry.RemoveAsync("default", ["MyBool", "Unknown"], Token);
        using var again = new SearchAttributeRegistry(_database, TimeProvider.System);
        await again.LoadAsync(Token);
        foreach (var registry in new[] { _registry, again })
        {
            Assert.Equal(["MyDatetime", "MyDouble", "MyInt", "MyKeyword", "MyKeywordList", "MyText", "New"], registry.Custom("default").Keys.Order());
            Assert.Equal(IndexedValueType.Int, registry.Custom("default")["MyInt"]);
            Assert.Equal(["Mine"], registry.Custom("other").Keys);
            Assert.Empty(registry.Custom("none"));
        }
        Assert.Equal(IndexedValueType.Keyword, SearchAttributeRegistry.System["WorkflowId"]);
        Assert.Equal(IndexedValueType.KeywordList, SearchAttributeRegistry.System["TemporalChangeVersion"]);
    }

    [Theory]
    [InlineData("WorkflowId", IndexedValueType.Keyword, "Search attribute WorkflowId is reserved by system.")]
    [InlineData("TemporalMine", IndexedValueType.Keyword, "Search attribute TemporalMine is reserved by system.")]
    [InlineData("Mine", IndexedValueType.Unspecified, "Unknown search attribute type: Unspecified.")]
    public async Task What_can_not_be_added_is_refused(string name, IndexedValueType type, string expected) =>
        Assert.Equal(expected, (await Assert.ThrowsAsync<InvalidSearchAttributeException>(
            () => _registry.AddAsync("default", new Dictionary<string, IndexedValueType> { [name] = type }, Token))).Message);

    [Fact]
    public async Task Those_of_the_system_stay() =>
        Assert.Equal("Unable to remove non-custom search attributes: BuildIds.", (await Assert.ThrowsAsync<InvalidSearchAttributeException>(
            () => _registry.RemoveAsync("default", ["BuildIds"], Token))).Message);

    [Theory]
    [InlineData("MyKeyword", "\"x\"", null)]
    [InlineData("MyKeyword", "null", null)]
    [InlineData("MyKeyword", "[]", null)]
    [InlineData("MyKeyword", "[\"x\"]", null)]
    [InlineData("MyKeyword", "1", "invalid value for search attribute MyKeyword of type Keyword: 1")]
    [InlineData("MyText", "\"x y\"", null)]
    [InlineData("MyText", "{}", "invalid value for search attribute MyText of type Text: {}")]
    [InlineData("MyKeywordList", "[\"x\",\"y\"]", null)]
    [InlineData("MyKeywordList", "\"x\"", "invalid value for search attribute MyKeywordList of type KeywordList: x")]
    [InlineData("MyKeywordList", "[\"x\",1]", "invalid value for search attribute MyKeywordList of type KeywordList: [x 1]")]
    [InlineData("MyInt", "-5", null)]
    [InlineData("MyInt", "5.0", "invalid value for search attribute MyInt of type Int: 5.0")]
    [InlineData("MyInt", "\"text\"", "invalid value for search attribute MyInt of type Int: text")]
    [InlineData("MyDouble", "5", null)]
    [InlineData("MyDouble", "true", "invalid value for search attribute MyDouble of type Double: true")]
    [InlineData("MyBool", "false", null)]
    [InlineData("MyBool", "0", "invalid value for search attribute MyBool of type Bool: 0")]
    [InlineData("MyDatetime", "\"2026-05-01T10:00:00.123456789+02:00\"", null)]
    [InlineData("MyDatetime", "\"2026-05-01\"", "invalid value for search attribute MyDatetime of type Datetime: 2026-05-01")]
    [InlineData("BuildIds", "[\"x\"]", null)]
    [InlineData("Unknown", "1", "Namespace default has no mapping defined for search attribute Unknown")]
    [InlineData("StartTime", "1", "StartTime attribute can't be set in SearchAttributes")]
    [InlineData("TemporalWorkerDeployment", "\"x\"", "TemporalWorkerDeployment attribute can't be set in SearchAttributes")]
    public void Values_must_be_of_their_attributes_type(string name, string json, string? expected)
    {
        var attributes = new SearchAttributes { IndexedFields = { [name] = TestRuns.Json(json) } };
        if (expected is not null)
        {
            Assert.Equal(expected, Assert.Throws<InvalidSearchAttributeException>(() => _registry.Validate("default", attributes)).Message);
            return;
        }
        _registry.Validate("default", attributes);
        Assert.Equal($"{_registry.TypeOf("default", name)}", attributes.IndexedFields[name].Metadata["type"].ToStringUtf8());
    }

    [Fact]
    public void Values_are_of_bounded_number_and_size()
    {
        Refused("search attribute MyText value size 2051 exceeds size limit 2048", new() { IndexedFields = { ["MyText"] = TestRuns.Json($"\"{new string('x', 2049)}\"") } });
        var many = new SearchAttributes();
        for (var number = 0; number < 101; number++) many.IndexedFields[$"n{number}"] = TestRuns.Json("1");
        Refused("number of search attributes 101 exceeds limit 100", many);
        var binary = new Payload { Data = ByteString.CopyFromUtf8("\"x\"") };
        Assert.StartsWith(
            "invalid value for search attribute MyText of type Text: value from <",
            Assert.Throws<InvalidSearchAttributeException>(() => _registry.Validate("default", new() { IndexedFields = { ["MyText"] = binary } })).Message,
            StringComparison.Ordinal);
    }

    private void Refused(string expected, SearchAttributes attributes) =>
        Assert.Equal(expected, Assert.Throws<InvalidSearchAttributeException>(() => _registry.Validate("default", attributes)).Message);
}
