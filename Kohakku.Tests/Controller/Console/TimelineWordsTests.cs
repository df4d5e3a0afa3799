using System.Reflection;
using System.Text.Json;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Console.TaskDetail;
using Kohakku.Controller.Dispatching.States;

namespace Kohakku.Tests.Controller.Console;

public sealed class TimelineWordsTests
{
    public static TheoryData<string> WrittenTypes() => [
        .. Constants(typeof(TimelineTypes)).Where(type => type != TimelineTypes.Attempt),
        .. Constants(typeof(AttemptEventTypes)).Select(type => TimelineTypes.Attempt + type),
        "task.submitted", "attempt.claimed",
    ];

    [Theory]
    [MemberData(nameof(WrittenTypes))]
    public void Whatever_we_write_is_shown_in_words(string type) => Assert.NotEqual(type, TimelineWords.Of(Entry(type, "{}")).Title);

    [Fact]
    public void What_a_newer_dispatcher_sends_is_shown_by_its_type() => Assert.Equal("attempt.dreamt", TimelineWords.Of(Entry("attempt.dreamt", "{}")).Title);

    [Fact]
    public void A_retry_tells_when_and_why() => Assert.Equal(
        "for 2026-11-27 15:25:10 UTC · retry after: The agent exited with code 3.",
        TimelineWords.Of(Entry("task.scheduled", """{ "dueAt": "2026-11-27T15:25:10.0722341+00:00", "why": "retry after: The agent exited with code 3." }""")).Detail);

    private static TaskEventView Entry(string type, string data) => new(1, DateTimeOffset.UnixEpoch, type, null, JsonElement.Parse(data));

    private static IEnumerable<string> Constants(Type type) =>
        type.GetFields(BindingFlags.Public | BindingFlags.Static).Select(field => (string)field.GetRawConstantValue()!);
}
