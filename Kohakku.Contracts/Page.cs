namespace Kohakku.Contracts;

/// <summary>One page of a keyset-paged list.</summary>
/// <param name="NextCursor">Opaque; give it back as <c>cursor</c> for the next page. Null on the last.</param>
public sealed record Page<T>(IReadOnlyList<T> Items, string? NextCursor);

/// <summary>A whole answer in the order of its request, as of a batch.</summary>
public sealed record ItemsOf<T>(IReadOnlyList<T> Items);
