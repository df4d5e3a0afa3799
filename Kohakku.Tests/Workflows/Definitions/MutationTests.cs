using CsCheck;
using Kohakku.Workflows.Definitions;

namespace Kohakku.Tests.Workflows.Definitions;

/// <summary>Documents as they are while somebody writes them, and as nobody would.</summary>
public sealed class MutationTests
{
    private static readonly string[] Pieces =
    [
        "{", "}", "[", "]", ":", ": ", "- ", "\n", "\n  ", "\t", "\"", "'", "|", ">", "&a ", "*a", "!x ", "%YAML 1.2\n", "---\n", "...\n", "# ", "? ", ",", "<<: ",
        "{{", "}}", "{%", "%}", "{{ steps }}", "{% if a %}", "{% endif %}", "\\u", "\ud800", "\0", "\uFEFF", "~", "null", "999999999999999999999", "0x", ".inf", "é😀", "@", "`",
    ];

    private static readonly string[] Documents = [Samples.FixIssue, Samples.Everything, DocumentJson.Of(Samples.Everything)];

    private static readonly Gen<string> Mutants = Gen.Select(
        Gen.Int[0, Documents.Length - 1], Gen.Select(Gen.Int[0, 4], Gen.Double[0, 1], Gen.Double[0, 1], Gen.Int[0, Pieces.Length - 1]).Array[1, 4]).Select(Mutate);

    [Fact]
    public void Whatever_it_is_given_the_reader_answers() => Mutants.Sample(document =>
    {
        var result = DefinitionReader.Read(document);
        Assert.Equal(result.Definition is null, result.Faults.Count > 0);
        var lines = document.Count(character => character == '\n') + 1;
        Assert.All(result.Faults, fault =>
        {
            Assert.InRange(fault.Line, 1, lines + 1);
            Assert.True(fault.Column >= 1);
            Assert.NotEmpty(fault.Message);
        });
        Assert.Equal(result.Faults.OrderBy(fault => fault.Line).ThenBy(fault => fault.Column), result.Faults);
    }, iter: 3000);

    [Fact]
    public void What_is_accepted_has_an_order_and_comes_back() => Mutants.Sample(document =>
    {
        if (DefinitionReader.Read(document).Definition is not { } definition) return;
        var done = new HashSet<string>();
        for (var left = definition.Steps.ToList(); left.Count > 0;)
        {
            var next = left.First(step => step.Needs.All(done.Contains));
            done.Add(next.Id);
            left.Remove(next);
        }

        var canonical = CanonicalForm.Write(definition);
        Assert.Equal(canonical, CanonicalForm.Write(CanonicalForm.Read(canonical)));
    }, iter: 1000);

    private static string Mutate(int which, (int Kind, double From, double To, int Piece)[] changes)
    {
        var text = Documents[which];
        foreach (var (kind, from, to, piece) in changes)
        {
            var start = (int)(Math.Min(from, to) * text.Length);
            var end = (int)(Math.Max(from, to) * text.Length);
            text = kind switch
            {
                0 => text[..start] + text[end..],
                1 => text[..end],
                2 => text[..start] + text[start..Math.Min(end, start + 200)] + text[start..],
                _ => text[..start] + Pieces[piece] + text[(kind == 3 ? start : Math.Min(text.Length, start + 1))..],
            };
        }

        return text;
    }
}
