using System.Text.Json;
using CsCheck;
using Kohakku.Dispatcher.Attempts;

namespace Kohakku.Tests.Dispatcher.Attempts;

public sealed class SecretRedactorTests
{
    private static SecretRedactor Of(params string[] secrets) => new(secrets.Select((secret, i) => ($"S{i}", secret)).ToDictionary(pair => pair.Item1, pair => pair.Item2));

    [Fact]
    public void Secrets_of_six_characters_and_more_are_masked() =>
        Assert.Equal("a *** b short ***", Of("secret-1", "short", "secret-1-longer").Text("a secret-1 b short secret-1-longer"));

    [Fact]
    public void A_secret_is_masked_wherever_the_text_is_cut() => Gen.Int[1, 12].Sample(size =>
    {
        const string text = "one hunter2hunter2 two\n-----BEGIN\nKEY----- three hunter2hunter3";
        var stream = new StreamRedactor(Of("hunter2hunter2", "-----BEGIN\nKEY-----"));
        var pieces = text.Chunk(size).Select(chunk => stream.Append(new string(chunk))).ToList();
        Assert.Equal("one *** two\n*** three hunter2hunter3", string.Concat(pieces) + stream.Flush());
    });

    [Fact]
    public void Json_is_masked_in_values_names_and_numbers_and_stays_json()
    {
        var clean = Of("hunter\"2", "1234567")
            .Json(JsonElement.Parse("""{"hunter\u00222": ["x hunter\u00222 y", 1234567, true, null, 1.5], "zero": "a\u0000b", "half": "\ud800"}"""));
        Assert.Equal("""{"***":["x *** y","***",true,null,1.5],"zero":"a�b","half":"�"}""", System.Text.RegularExpressions.Regex.Unescape(clean!.Value.GetRawText()));
    }

    [Fact]
    public void What_may_be_the_beginning_of_a_secret_waits_for_what_follows()
    {
        var stream = new StreamRedactor(Of("hunter2hunter2"));
        Assert.Equal("pass ", stream.Append("pass hunter2"));
        Assert.Equal("hunter2!", stream.Append("!"));
        Assert.Equal("", stream.Append("hunt"));
        Assert.Equal("hunt", stream.Flush());
    }
}
