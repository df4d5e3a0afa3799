using System.Text;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Triggers.Hooks;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.Controller.Triggers;

public sealed class HookMessageTests
{
    [Fact]
    public void Headers_are_there_by_name_in_lower_case_but_none_that_lets_in()
    {
        var message = Read("{}", ("X-GitHub-Event", "push"), ("X-Hub-Signature-256", "a"), ("Webhook-Signature", "a"), ("Authorization", "a"), ("Proxy-Authorization", "a"), ("Cookie", "a"),
            ("X-Kohakku-Token", "a"), ("X-Gitlab-Token", "a"), ("X-Api-Key", "a"), ("X-Client-Secret", "a"))!;
        Assert.Equal(["x-github-event"], message.Headers.Keys);
        Assert.Equal("push", message.Event);
        Assert.Equal(["a"], HookMessage.Of(new TestTrigger { Headers = new Dictionary<string, string> { ["A"] = "b", ["Authorization"] = "c" } }).Headers.Keys);
    }

    [Theory]
    [InlineData("""{ "type": "invoice.paid" }""", null, "invoice.paid")]
    [InlineData("""{ "type": 5 }""", null, null)]
    [InlineData("""{ "type": "\ud83d" }""", null, null)]
    [InlineData("""[]""", null, null)]
    [InlineData("""{ "type": "a" }""", "Push Hook", "Push Hook")]
    public void The_event_is_what_the_sender_calls_it(string body, string? gitlab, string? expected) =>
        Assert.Equal(expected, (gitlab is null ? Read(body) : Read(body, ("X-Gitlab-Event", gitlab)))!.Event);

    [Theory]
    [InlineData("application/json", """{ "a": 1 """, "body is not valid JSON at line 1, byte 10")]
    [InlineData("application/json", "", "body is required")]
    [InlineData("application/x-www-form-urlencoded", "other=1", "payload is required")]
    [InlineData("application/x-www-form-urlencoded", "payload=%7Bnot", "payload is not valid JSON at line 1, byte 2")]
    public void What_can_not_be_read_is_named(string type, string body, string fault)
    {
        Assert.Null(HookMessage.Read(new HeaderDictionary { ["Content-Type"] = type }, Encoding.UTF8.GetBytes(body), out var wrong));
        Assert.Equal(fault, $"{wrong.Field} {wrong.Rule}");
    }

    [Fact]
    public void A_body_that_is_not_utf8_is_named()
    {
        Assert.Null(HookMessage.Read(new HeaderDictionary(), [(byte)'"', 0xff, (byte)'"'], out var wrong));
        Assert.Equal(("body", "must be UTF-8"), wrong);
    }

    [Fact]
    public void A_form_holds_json_in_its_payload()
    {
        var message = HookMessage.Read(
            new HeaderDictionary { ["Content-Type"] = "application/x-www-form-urlencoded; charset=utf-8" }, "a=b&payload=%7B%22text%22%3A%22a+b%26c%22%7D"u8.ToArray(), out _)!;
        Assert.Equal("a b&c", message.Payload.GetProperty("text").GetString());
    }

    [Fact]
    public void An_excerpt_is_short_and_does_not_end_within_a_character()
    {
        for (var pad = 0; pad < 4; pad++)
        {
            var excerpt = Read($$"""{ "a": "{{new string('x', pad)}}{{string.Concat(Enumerable.Repeat("☕", 4_000))}}" }""")!.Excerpt;
            Assert.InRange(Encoding.UTF8.GetByteCount(excerpt), 3_990, 4_000);
            Assert.EndsWith("☕", excerpt, StringComparison.Ordinal);
        }
    }

    private static HookMessage? Read(string body, params (string Name, string Value)[] headers)
    {
        var dictionary = new HeaderDictionary();
        foreach (var (name, value) in headers) dictionary[name] = value;
        return HookMessage.Read(dictionary, Encoding.UTF8.GetBytes(body), out _);
    }
}
