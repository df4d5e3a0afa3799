using System.Text;
using Superpower;
using Superpower.Model;
using Superpower.Parsers;
using Superpower.Tokenizers;

namespace Kohakku.Local.Temporal.Visibility.Queries;

internal enum QueryToken
{
    /// <summary>A name or a keyword; which of both depends on where it stands.</summary>
    Word,

    /// <summary>A name in backticks, which is never a keyword.</summary>
    QuotedName,
    Text,
    Number,
    Operator,
    Open,
    Close,
    Comma,
}

/// <summary>Cuts a query such as <c>WorkflowType = 'Order' AND `In` IN ("a", 'it''s')</c> into its tokens.</summary>
internal static class QueryTokens
{
    // A quote within a text is doubled, or escaped as MySQL does. Alternatives stand in parentheses, as only the first would be
    // looked for at the place that is read.
    private static readonly TextParser<TextSpan> QuotedText = Span.Regex("""(?:'(?:[^'\\]|\\[\s\S]|'')*'|"(?:[^"\\]|\\[\s\S]|"")*")""");

    public static Tokenizer<QueryToken> Tokenizer { get; } = new TokenizerBuilder<QueryToken>()
        .Ignore(Span.WhiteSpace)
        .Match(QuotedText, QueryToken.Text)
        .Match(Span.Regex("`[^`]+`"), QueryToken.QuotedName)
        .Match(Span.Regex(@"[-+]?(?:\d+(?:\.\d*)?|\.\d+)(?:[eE][-+]?\d+)?(?![A-Za-z_0-9.])"), QueryToken.Number)
        .Match(Span.Regex(@"[\p{L}_][\p{L}\p{Nd}_$.]*"), QueryToken.Word)
        .Match(Span.Regex("(?:!=|<>|<=|>=|=|<|>)"), QueryToken.Operator)
        .Match(Character.EqualTo('('), QueryToken.Open)
        .Match(Character.EqualTo(')'), QueryToken.Close)
        .Match(Character.EqualTo(','), QueryToken.Comma)
        .Build();

    /// <summary>What the quoted text stands for.</summary>
    public static string Unquote(string quoted)
    {
        var quote = quoted[0];
        var text = new StringBuilder(quoted.Length);
        for (var index = 1; index < quoted.Length - 1; index++)
        {
            var character = quoted[index];
            if (character == '\\') text.Append(Escaped(quoted[++index]));
            else text.Append(character);
            if (character == quote) index++;
        }
        return text.ToString();
    }

    private static char Escaped(char character) => character switch
    {
        '0' => '\0',
        'b' => '\b',
        'n' => '\n',
        'r' => '\r',
        't' => '\t',
        _ => character,
    };
}
