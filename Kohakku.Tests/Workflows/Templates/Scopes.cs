using System.Text.Json;
using Kohakku.Workflows.Templates;

namespace Kohakku.Tests.Workflows.Templates;

internal static class Scopes
{
    public static TemplateScope Of(string inputs) => new()
    {
        Inputs = JsonElement.Parse(inputs),
        Run = new RunFacts(Guid.Parse("0190b0f0-0000-7000-8000-000000000000"), "running", "fix-issue", 3, new DateTimeOffset(2026, 1, 2, 3, 4, 5, TimeSpan.FromHours(1))),
    };

    public static readonly TemplateScope Full = Of("""
        { "who": "Ada", "count": 3, "ratio": 1.50, "big": 9007199254740993, "huge": 1e300, "tiny": 1e-30, "exact": 0.1234567890123456789012345678,
          "yes": true, "no": false, "nothing": null, "empty": "", "five": "5",
          "list": [1, "1", { "b": 1, "a": [2] }], "map": { "z": 1, "a": "ä", "size": 7 }, "none": [],
          "people": [{ "name": "B", "age": 2 }, { "name": "A", "age": 1 }, { "name": "A", "age": 1 }] }
        """) with
    {
        Steps = new Dictionary<string, StepValue>
        {
            ["plan"] = new() { Status = "succeeded", Output = JsonElement.Parse("""{ "parts": [{ "title": "one" }, { "title": "two" }] }""") },
            ["implement"] = new() { Status = "succeeded", Outputs = [JsonElement.Parse("1"), null, JsonElement.Parse("\"x\"")], Succeeded = 2, Failed = 1 },
            ["skipped"] = new() { Status = "skipped" },
        },
        Item = JsonElement.Parse("""{ "title": "t" }"""),
        Index = 2,
        Candidates = [JsonElement.Parse("{}"), null],
    };
}
