using System.Collections.Frozen;
using System.Diagnostics.CodeAnalysis;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kohakku.Contracts.Json;

/// <summary>The one mapping between an enum and its wire form: camelCase, case-sensitive, never a number.</summary>
public static class WireEnum<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T> where T : struct, Enum
{
    private static readonly FrozenDictionary<T, string> Names =
        Enum.GetValues<T>().ToFrozenDictionary(value => value, value => JsonNamingPolicy.CamelCase.ConvertName(value.ToString()));

    private static readonly FrozenDictionary<string, T> Values =
        Names.ToFrozenDictionary(pair => pair.Value, pair => pair.Key, StringComparer.Ordinal);

    /// <summary>Every wire name, in the order of declaration; for error messages.</summary>
    public static IReadOnlyList<string> AllNames { get; } = [.. Enum.GetValues<T>().Select(value => Names[value])];

    public static string NameOf(T value) => Names[value];

    public static bool TryParse(string? name, out T value)
    {
        value = default;
        return name is not null && Values.TryGetValue(name, out value);
    }

    /// <exception cref="FormatException">The name is not one of <see cref="AllNames"/>.</exception>
    public static T Parse(string name) => TryParse(name, out var value)
        ? value
        : throw new FormatException($"'{name}' is not one of {string.Join(", ", AllNames)}.");
}

/// <summary>Reads and writes an enum in its wire form; anything else is a <see cref="JsonException"/> that lists what is allowed.</summary>
public sealed class WireEnumConverter<[DynamicallyAccessedMembers(DynamicallyAccessedMemberTypes.PublicFields)] T> : JsonConverter<T>
    where T : struct, Enum
{
    public override T Read(ref Utf8JsonReader reader, Type typeToConvert, JsonSerializerOptions options) =>
        reader.TokenType == JsonTokenType.String && WireEnum<T>.TryParse(reader.GetString(), out var value)
            ? value
            : throw new JsonException($"must be one of {string.Join(", ", WireEnum<T>.AllNames)}");

    public override void Write(Utf8JsonWriter writer, T value, JsonSerializerOptions options) =>
        writer.WriteStringValue(WireEnum<T>.NameOf(value));
}
