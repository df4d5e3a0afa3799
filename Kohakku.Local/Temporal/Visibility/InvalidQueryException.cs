namespace Kohakku.Local.Temporal.Visibility;

/// <summary>A list query can't be understood or asks what is not supported; the message names the field or the position and the rule, and is answered after <c>invalid query: </c>.</summary>
internal sealed class InvalidQueryException(string message) : Exception(message)
{
    public static InvalidQueryException Malformed(string detail) => new($"malformed SQL query: {detail}");

    public static InvalidQueryException Invalid(string detail) => new($"invalid expression: {detail}");

    public static InvalidQueryException NotSupported(string detail) => new($"operation is not supported: {detail}");
}

/// <summary>Search attributes that can't be registered or set; the message is answered as it is, as INVALID_ARGUMENT.</summary>
internal sealed class InvalidSearchAttributeException(string message) : Exception(message);
