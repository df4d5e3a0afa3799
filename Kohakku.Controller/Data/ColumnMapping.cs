using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Kohakku.Contracts.Json;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.ChangeTracking;
using Microsoft.EntityFrameworkCore.Metadata.Builders;
using Microsoft.EntityFrameworkCore.Storage.ValueConversion;

namespace Kohakku.Controller.Data;

/// <summary>How our own kinds of value stand in a column.</summary>
internal static class ColumnMapping
{
    /// <summary>An enum as the text that the wire uses, so that SQL, API and logs show the same word.</summary>
    public static PropertyBuilder<T> HasWireName<T>(this PropertyBuilder<T> property) where T : struct, Enum =>
        property.HasColumnType("text").HasConversion(new ValueConverter<T, string>(value => WireEnum<T>.NameOf(value), name => WireEnum<T>.Parse(name)));

    /// <inheritdoc cref="HasWireName{T}(PropertyBuilder{T})"/>
    public static PropertyBuilder<T?> HasWireName<T>(this PropertyBuilder<T?> property) where T : struct, Enum =>
        property.HasColumnType("text").HasConversion(new ValueConverter<T, string>(value => WireEnum<T>.NameOf(value), name => WireEnum<T>.Parse(name)));

    /// <summary>A wire type as <c>jsonb</c>, in the form it has on the wire.</summary>
    public static PropertyBuilder<T> HasJson<T>(this PropertyBuilder<T> property, JsonTypeInfo type) =>
        property.HasColumnType("jsonb").HasConversion(
            new ValueConverter<T, string>(value => JsonSerializer.Serialize(value, type), text => (T)JsonSerializer.Deserialize(text, type)!),
            new ValueComparer<T>(
                (left, right) => JsonSerializer.Serialize(left, type) == JsonSerializer.Serialize(right, type),
                value => StringComparer.Ordinal.GetHashCode(JsonSerializer.Serialize(value, type)),
                value => value));
}
