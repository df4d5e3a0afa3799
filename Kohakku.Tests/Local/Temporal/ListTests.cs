using Kohakku.Tests.Fixtures;
using Temporalio.Api.Enums.V1;
using Temporalio.Client;
using Temporalio.Common;
using Temporalio.Exceptions;

namespace Kohakku.Tests.Local.Temporal;

public sealed class ListTests(TemporalServerFixture server) : TemporalTest(server)
{
    public static readonly SearchAttributeKey<string> Keyword = SearchAttributeKey.CreateKeyword("TestKeyword");
    public static readonly SearchAttributeKey<long> Number = SearchAttributeKey.CreateLong("TestNumber");
    private static readonly SearchAttributeKey<IReadOnlyCollection<string>> Tags = SearchAttributeKey.CreateKeywordList("TestTags");
    private static readonly SearchAttributeKey<DateTimeOffset> Time = SearchAttributeKey.CreateDateTimeOffset("TestTime");
    private static readonly SearchAttributeKey<bool> Flag = SearchAttributeKey.CreateBool("TestFlag");
    private static readonly SearchAttributeKey<double> Ratio = SearchAttributeKey.CreateDouble("TestRatio");
    private static readonly SearchAttributeKey<string> Text = SearchAttributeKey.CreateText("TestText");

    [Fact(Timeout = Limit)]
    public async Task Runs_are_found_by_what_they_are()
    {
        StartWorker();
        var done = await Client.StartWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("x"), Options());
        await done.GetResultAsync();
        var failed = await Client.StartWorkflowAsync((FailingWorkflow workflow) => workflow.RunAsync("x"), Options());
        await HasStatusAsync(failed, WorkflowExecutionStatus.Failed);
        var running = await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());

        await FindsAsync("", done, failed, running);
        await FindsAsync("WorkflowType = 'EchoWorkflow'", done);
        await FindsAsync("WorkflowType != 'EchoWorkflow'", failed, running);
        await FindsAsync("ExecutionStatus = 'Running'", running);
        await FindsAsync("ExecutionStatus IN ('Completed', 'Failed')", done, failed);
        await FindsAsync($"WorkflowId = '{running.Id}' OR RunId = '{done.ResultRunId}'", done, running);
        await FindsAsync("WorkflowType STARTS_WITH 'Fail'", failed);
        await FindsAsync("CloseTime IS NULL", running);
        await FindsAsync("CloseTime IS NOT NULL AND NOT (ExecutionStatus = 'Failed')", done);
        await FindsAsync("StartTime > '2020-01-01T00:00:00Z' AND StartTime < '2020-01-02T00:00:00Z'");
        await FindsAsync("StartTime BETWEEN '2020-01-01T00:00:00Z' AND '2999-01-01T00:00:00Z'", done, failed, running);
    }

    [Fact(Timeout = Limit)]
    public async Task Runs_are_listed_newest_first_and_page_by_page()
    {
        var started = new List<string>();
        for (var index = 0; index < 7; index++)
        {
            started.Insert(0, (await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options())).Id);
        }
        var query = $"TaskQueue = '{TaskQueue}'";
        Assert.Equal(started, await Client.ListWorkflowsAsync(query).Select(run => run.Id).ToListAsync(Cancellation));

        var paged = new List<string>();
        var token = Google.Protobuf.ByteString.Empty;
        do
        {
            var page = await Client.WorkflowService.ListWorkflowExecutionsAsync(
                new() { Namespace = TemporalServerFixture.Namespace, Query = query, PageSize = 3, NextPageToken = token });
            Assert.InRange(page.Executions.Count, 0, 3);
            paged.AddRange(page.Executions.Select(run => run.Execution.WorkflowId));
            token = page.NextPageToken;
        }
        while (!token.IsEmpty);
        Assert.Equal(started, paged);
        Assert.Equal(5, await Client.ListWorkflowsAsync(query, new() { Limit = 5 }).CountAsync(Cancellation));
    }

    [Fact(Timeout = Limit)]
    public async Task Runs_are_counted_all_and_by_status()
    {
        StartWorker();
        for (var index = 0; index < 3; index++) await Client.ExecuteWorkflowAsync((EchoWorkflow workflow) => workflow.RunAsync("x"), Options());
        await Client.StartWorkflowAsync((WaitingWorkflow workflow) => workflow.RunAsync(), Options());
        Assert.Equal(4, (await Client.CountWorkflowsAsync($"TaskQueue = '{TaskQueue}'")).Count);
        var counted = await Client.CountWorkflowsAsync($"TaskQueue = '{TaskQueue}' GROUP BY ExecutionStatus");
        Assert.Equal(4, counted.Count);
        Assert.Equal(
            [("Completed", 3), ("Running", 1)],
            counted.Groups.Select(group => (Status: (string)group.GroupValues.Single(), group.Count)).OrderBy(group => group.Status, StringComparer.Ordinal));
    }

    [Fact(Timeout = Limit)]
    public async Task Search_attributes_are_given_changed_and_found()
    {
        await RegisterAsync();
        StartWorker();
        var time = new DateTimeOffset(2024, 2, 29, 12, 30, 0, TimeSpan.Zero);
        var attributes = new SearchAttributeCollection.Builder().Set(Keyword, "at the start").Set(Tags, ["one", "two"]).Set(Time, time).Set(Flag, true)
            .Set(Ratio, 0.5).Set(Text, "some words").ToSearchAttributeCollection();
        var options = Options(options =>
        {
            options.TypedSearchAttributes = attributes;
            options.Memo = new Dictionary<string, object> { ["given"] = "kept", ["removed"] = "soon" };
        });
        var keyword = $"it's {Guid.NewGuid():N}";
        var handle = await Client.StartWorkflowAsync((UpsertingWorkflow workflow) => workflow.RunAsync(keyword, 42, "new"), options);
        await Eventually.Async(async () => (await handle.DescribeAsync()).TypedSearchAttributes.ContainsKey(Number));
        var described = await handle.DescribeAsync();
        Assert.Equal((keyword, 42, true, 0.5, "some words", time), (
            described.TypedSearchAttributes.Get(Keyword), described.TypedSearchAttributes.Get(Number), described.TypedSearchAttributes.Get(Flag),
            described.TypedSearchAttributes.Get(Ratio), described.TypedSearchAttributes.Get(Text), described.TypedSearchAttributes.Get(Time)));
        Assert.Equal(["one", "two"], described.TypedSearchAttributes.Get(Tags));
        Assert.Equal(["added", "given"], described.Memo.Keys.Order());

        foreach (var query in (string[])
            [
                $"TestKeyword = '{keyword.Replace("'", "''", StringComparison.Ordinal)}'", "TestNumber = 42", "TestNumber > 41 AND TestNumber <= 42",
                "TestTags = 'two'", "TestTags IN ('three', 'one')", "TestFlag = true", "TestRatio < 0.6", "TestTime = '2024-02-29T12:30:00Z'",
                "TestNumber IS NOT NULL",
            ])
        {
            await FindsAsync(query, handle);
        }
        await FindsAsync("TestKeyword = 'at the start'");
        await FindsAsync("TestTags = 'three'");
    }

    [Fact(Timeout = Limit)]
    public async Task A_search_attribute_that_is_not_registered_or_of_another_type_is_refused()
    {
        await RegisterAsync();
        foreach (var attributes in (SearchAttributeCollection[])
            [
                new SearchAttributeCollection.Builder().Set(SearchAttributeKey.CreateKeyword("NeverRegistered"), "x").ToSearchAttributeCollection(),
                new SearchAttributeCollection.Builder().Set(SearchAttributeKey.CreateKeyword(Number.Name), "no number").ToSearchAttributeCollection(),
            ])
        {
            await FailsAsync(RpcException.StatusCode.InvalidArgument, () => Client.StartWorkflowAsync(
                (WaitingWorkflow workflow) => workflow.RunAsync(), Options(options => options.TypedSearchAttributes = attributes)));
        }
    }

    [Theory(Timeout = Limit)]
    [InlineData("ExecutionStatus = ")]
    [InlineData("NoSuchAttribute = 'x'")]
    [InlineData("ExecutionStatus = 'Nearly'")]
    [InlineData("WorkflowId = 'a' AND")]
    [InlineData("'; DROP TABLE runs; --")]
    public async Task A_query_that_makes_no_sense_is_refused(string query)
    {
        await FailsAsync(RpcException.StatusCode.InvalidArgument, async () => await Client.ListWorkflowsAsync(query).CountAsync(Cancellation));
        await FailsAsync(RpcException.StatusCode.InvalidArgument, () => Client.CountWorkflowsAsync(query));
    }

    private async Task FindsAsync(string query, params WorkflowHandle[] expected)
    {
        var within = query.Length == 0 ? $"TaskQueue = '{TaskQueue}'" : $"TaskQueue = '{TaskQueue}' AND ({query})";
        var found = await Client.ListWorkflowsAsync(within).Select(run => run.Id).ToListAsync(Cancellation);
        Assert.True(expected.Select(handle => handle.Id).Order().SequenceEqual(found.Order()), $"{query} found {found.Count} instead of {expected.Length}");
        Assert.Equal(expected.Length, (await Client.CountWorkflowsAsync(within)).Count);
    }

    private async Task RegisterAsync()
    {
        var registered = await Client.OperatorService.ListSearchAttributesAsync(new() { Namespace = TemporalServerFixture.Namespace });
        if (registered.CustomAttributes.ContainsKey(Keyword.Name)) return;
        SearchAttributeKey[] keys = [Keyword, Number, Tags, Time, Flag, Ratio, Text];
        await Client.OperatorService.AddSearchAttributesAsync(new()
        {
            Namespace = TemporalServerFixture.Namespace,
            SearchAttributes = { keys.ToDictionary(key => key.Name, key => key.ValueType) },
        });
        registered = await Client.OperatorService.ListSearchAttributesAsync(new() { Namespace = TemporalServerFixture.Namespace });
        Assert.All(keys, key => Assert.Equal(key.ValueType, registered.CustomAttributes[key.Name]));
    }
}
