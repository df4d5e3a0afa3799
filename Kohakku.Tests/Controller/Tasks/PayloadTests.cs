using System.Text.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Controller.Tasks;

public sealed class PayloadTests(ControllerFixture fixture) : IClassFixture<ControllerFixture>
{
    private readonly RunningController _controller = fixture.Controller;
    private static CancellationToken Token => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(64 * 1024, false)]
    [InlineData((64 * 1024) + 1, true)]
    [InlineData(1024 * 1024, true)]
    public async Task What_is_too_large_for_a_row_lies_in_object_storage_and_is_read_from_there(int length, bool isStored)
    {
        var brief = new string('b', length);
        var inputs = JsonSerializer.SerializeToElement(new Dictionary<string, string> { ["k"] = new string('i', length - 8) });
        var task = await _controller.SubmitAsync(new SubmitTask { Brief = brief, Agent = "shell", Inputs = inputs }, Token);
        var row = await _controller.ScalarAsync<string>($"SELECT (brief IS NULL)::text || (inputs IS NULL)::text || inputs_stored::text FROM tasks WHERE id = '{task.Id}'");
        Assert.Equal(isStored ? "truetruetrue" : "falsefalsefalse", row);
        Assert.Equal(isStored, await _controller.Storage.ReadAsync($"briefs/{task.Id}/brief.md", Token) is not null);
        var read = await _controller.TaskAsync(task.Id, Token);
        Assert.Equal(brief, read.Brief);
        Assert.Equal(inputs.GetRawText(), read.Inputs?.GetRawText());
    }

    [Fact]
    public async Task A_repeat_leaves_no_second_copy()
    {
        var body = JsonSerializer.Serialize(new { brief = new string('b', 100_000), agent = "shell" });
        var key = Guid.NewGuid().ToString();
        var before = await CountAsync();
        var answers = await Task.WhenAll(Enumerable.Range(0, 4).Select(_ => _controller.PostAsync("/api/v1/tasks", body, Token, ("Idempotency-Key", key))));
        Assert.Single(answers.Select(answer => answer.Id).Distinct());
        Assert.Equal(before + 1, await CountAsync());
    }

    private async Task<int> CountAsync()
    {
        var count = 0;
        await foreach (var _ in _controller.Storage.ListAsync("briefs/", Token)) count++;
        return count;
    }
}
