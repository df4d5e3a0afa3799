using System.Text;
using System.Text.RegularExpressions;

namespace Kohakku.Tests.Deploy.Terraform;

internal sealed record HclBlock(string Type, IReadOnlyList<string> Labels, HclBody Body);

/// <param name="Attributes">Names and the text of their expressions, without comments.</param>
internal sealed record HclBody(IReadOnlyDictionary<string, string> Attributes, IReadOnlyList<HclBlock> Blocks)
{
    public IEnumerable<HclBlock> Of(string type) => Blocks.Where(block => block.Type == type);

    /// <summary>The text of a string without anything to be filled in.</summary>
    public string? Text(string name) => Attributes.TryGetValue(name, out var raw) && raw.StartsWith('"') ? Regex.Unescape(raw[1..^1]) : null;

    /// <summary>All expressions, also those of blocks within.</summary>
    public IEnumerable<string> Expressions() => Attributes.Values.Concat(Blocks.SelectMany(block => block.Body.Expressions()));
}

/// <summary>
/// Reads the structure of HCL, blocks and attributes, and keeps expressions as text: enough to check what modules declare and refer to, on machines
/// without Terraform too. Brackets, strings and comments must be whole.
/// </summary>
internal sealed class Hcl
{
    private readonly string _text;
    private int _at;

    private Hcl(string text) => _text = text;

    /// <exception cref="FormatException">It is not well-formed; the message has the line.</exception>
    public static HclBody Read(string text)
    {
        var reader = new Hcl(text);
        return reader.Body(isOutermost: true);
    }

    private HclBody Body(bool isOutermost)
    {
        var attributes = new Dictionary<string, string>(StringComparer.Ordinal);
        var blocks = new List<HclBlock>();
        while (true)
        {
            SkipBlank();
            if (_at == _text.Length) return isOutermost ? new HclBody(attributes, blocks) : throw Fault("a block has no end");
            if (_text[_at] == '}')
            {
                if (isOutermost) throw Fault("a } that nothing opened");
                _at++;
                return new HclBody(attributes, blocks);
            }
            var name = Word();
            SkipSpaces();
            if (_at < _text.Length && _text[_at] == '=')
            {
                _at++;
                if (!attributes.TryAdd(name, Expression())) throw Fault($"{name} stands there twice");
                continue;
            }
            var labels = new List<string>();
            while (_at < _text.Length && _text[_at] == '"')
            {
                labels.Add(String()[1..^1]);
                SkipSpaces();
            }
            if (_at == _text.Length || _text[_at] != '{') throw Fault($"{name} goes on with neither = nor a block");
            _at++;
            blocks.Add(new HclBlock(name, labels, Body(isOutermost: false)));
        }
    }

    // Ends with the line, outside of all brackets.
    private string Expression()
    {
        var expression = new StringBuilder();
        var open = new Stack<char>();
        while (_at < _text.Length)
        {
            var c = _text[_at];
            if (IsComment())
            {
                SkipComment();
                continue;
            }
            if (c == '"')
            {
                expression.Append(String());
                continue;
            }
            if (c == '\n' && open.Count == 0) break;
            if (c is '(' or '[' or '{') open.Push(c);
            if (c is ')' or ']' or '}')
            {
                if (open.Count == 0) break;
                if (open.Pop() != Opening(c)) throw Fault($"a {c} that another bracket opened");
            }
            expression.Append(c);
            _at++;
        }
        if (open.Count > 0) throw Fault($"a {open.Peek()} has no end");
        return expression.Length == 0 || string.IsNullOrWhiteSpace(expression.ToString()) ? throw Fault("a value is missing") : expression.ToString().Trim();
    }

    private static char Opening(char closing) => closing switch { ')' => '(', ']' => '[', _ => '{' };

    private string String()
    {
        var start = _at++;
        while (_at < _text.Length && _text[_at] is not ('"' or '\n'))
        {
            if (_text[_at] == '\\') _at++;
            else if (_text[_at] is '$' or '%' && _at + 1 < _text.Length && _text[_at + 1] == '{' && _text[_at - 1] != _text[_at]) SkipTemplate();
            _at++;
        }
        return _at < _text.Length && _text[_at] == '"' ? _text[start..++_at] : throw Fault("a string has no end");
    }

    // From the $ of ${ … } to its }, strings within it and all.
    private void SkipTemplate()
    {
        _at += 2;
        for (var depth = 1; ; _at++)
        {
            if (_at >= _text.Length || _text[_at] == '\n') throw Fault("a ${ has no end");
            if (_text[_at] == '"')
            {
                String();
                _at--;
            }
            else if (_text[_at] == '{') depth++;
            else if (_text[_at] == '}' && --depth == 0) return;
        }
    }

    private string Word()
    {
        var start = _at;
        while (_at < _text.Length && (char.IsAsciiLetterOrDigit(_text[_at]) || _text[_at] is '_' or '-')) _at++;
        return _at > start ? _text[start.._at] : throw Fault($"'{_text[_at]}' where a name was to be");
    }

    private void SkipBlank()
    {
        while (_at < _text.Length)
        {
            if (char.IsWhiteSpace(_text[_at])) _at++;
            else if (IsComment()) SkipComment();
            else return;
        }
    }

    private void SkipSpaces()
    {
        while (_at < _text.Length && _text[_at] == ' ') _at++;
    }

    private bool IsComment() => _text[_at] == '#' || (_text[_at] == '/' && _at + 1 < _text.Length && _text[_at + 1] == '/');

    private void SkipComment()
    {
        while (_at < _text.Length && _text[_at] != '\n') _at++;
    }

    private FormatException Fault(string what) => new($"line {_text[.._at].Count(c => c == '\n') + 1}: {what}");
}
