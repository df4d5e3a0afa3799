namespace Kohakku.Workflows.Definitions.Reading;

internal enum NodeKind { Scalar, Sequence, Mapping }

/// <summary>A node of a document, with where it stands; of YAML and of JSON alike.</summary>
/// <param name="Line">From 1, as <paramref name="Column"/>.</param>
internal sealed record Node(NodeKind Kind, int Line, int Column)
{
    /// <summary>Of a scalar.</summary>
    public string Text { get; init; } = "";
    /// <summary>A scalar that may mean a number, a boolean or null: neither quoted nor a block of text.</summary>
    public bool IsPlain { get; init; }
    /// <summary>Where the text of a scalar begins, if its lines are the document's: a fault inside it can then be placed.</summary>
    public TextOrigin? Origin { get; init; }
    /// <summary>A mapping in braces.</summary>
    public bool IsFlow { get; init; }
    public IReadOnlyList<Node> Items { get; init; } = [];
    public IReadOnlyList<Entry> Entries { get; init; } = [];

    public bool IsNull => Kind == NodeKind.Scalar && IsPlain && CoreSchema.IsNull(Text);

    /// <summary>What it is, in words for a message.</summary>
    public string Description => Kind switch
    {
        NodeKind.Mapping => "an object",
        NodeKind.Sequence => "a list",
        _ when IsNull => "empty",
        _ => "text",
    };
}

internal sealed record Entry(Node Key, Node Value);

/// <param name="Line">The document's line on which the text's first stands.</param>
/// <param name="Column">Where it begins on each.</param>
/// <param name="IsBlock">Only then do further lines follow.</param>
internal sealed record TextOrigin(int Line, int Column, bool IsBlock);
