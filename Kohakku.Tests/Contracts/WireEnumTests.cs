using System.Reflection;
using System.Text.Json;
using CsCheck;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Tests.Contracts;

public sealed class WireEnumTests
{
    [Fact]
    public void Names_are_camel_case_and_come_back()
    {
        Assert.Equal("timedOut", WireEnum<TaskState>.NameOf(TaskState.TimedOut));
        Assert.All(Enum.GetValues<FailureReason>(), value => Assert.Equal(value, WireEnum<FailureReason>.Parse(WireEnum<FailureReason>.NameOf(value))));
        Assert.Equal(Enum.GetValues<TaskState>().Length, WireEnum<TaskState>.AllNames.Count);
    }

    [Theory]
    [InlineData("TimedOut")]
    [InlineData("timedout")]
    [InlineData("7")]
    [InlineData(" timedOut")]
    [InlineData("")]
    [InlineData(null)]
    public void Other_spellings_are_errors(string? name)
    {
        Assert.False(WireEnum<TaskState>.TryParse(name, out _));
        if (name is not null) Assert.Throws<FormatException>(() => WireEnum<TaskState>.Parse(name));
    }

    [Theory]
    [InlineData("\"TimedOut\"")]
    [InlineData("7")]
    [InlineData("null")]
    [InlineData("{}")]
    public void In_json_too_and_the_message_lists_what_is_allowed(string json)
    {
        var exception = Assert.Throws<JsonException>(() => JsonSerializer.Deserialize<TaskState>(json));
        if (json != "null") Assert.Contains("queued", exception.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void No_text_but_a_name_is_a_value() =>
        Gen.String.Sample(text => WireEnum<TaskState>.TryParse(text, out var value) == WireEnum<TaskState>.AllNames.Contains(text)
            && (!WireEnum<TaskState>.AllNames.Contains(text) || WireEnum<TaskState>.NameOf(value) == text));

    [Fact]
    public void Every_enum_of_the_wire_has_the_converter()
    {
        var enums = typeof(TaskState).Assembly.GetExportedTypes()
            .Where(type => type.IsEnum && type.Namespace != typeof(Kohakku.Contracts.Signing.SignatureVerdict).Namespace);
        Assert.All(enums, type => Assert.Equal(
            typeof(WireEnumConverter<>).MakeGenericType(type),
            type.GetCustomAttribute<System.Text.Json.Serialization.JsonConverterAttribute>()?.ConverterType));
    }
}
