using System.Text;
using CsCheck;
using Kohakku.Agent.Logs;

namespace Kohakku.Tests.Agent.Logs;

public sealed class LineSplitterTests
{
    /// <summary>Text with characters of 1 to 4 bytes, with short and very long lines, as its bytes.</summary>
    private static readonly Gen<byte[]> Text =
        Gen.OneOf(Gen.Const("\n"), Gen.Const("ascii"), Gen.Const("ü"), Gen.Const("€"), Gen.Const("𝄞"), Gen.Int[1, 9000].Select(count => new string('é', count)))
            .Array[0, 40].Select(pieces => Encoding.UTF8.GetBytes(string.Concat(pieces)));

    [Fact]
    public void The_pieces_together_are_the_stream_however_it_is_cut() =>
        Gen.Select(Text, Gen.Int[1, 20_000]).Sample((bytes, chunk) =>
        {
            var pieces = Split(bytes, chunk, out _);
            Assert.Equal(Encoding.UTF8.GetString(bytes), string.Concat(pieces));
        });

    [Fact]
    public void A_piece_ends_with_a_line_unless_the_line_is_too_long_for_one() =>
        Gen.Select(Text, Gen.Int[1, 20_000]).Sample((bytes, chunk) =>
        {
            var pieces = Split(bytes, chunk, out var beforeFlush);
            Assert.All(pieces, piece => Assert.InRange(Encoding.UTF8.GetByteCount(piece), 1, LineSplitter.LongestPiece));
            Assert.All(pieces.Take(beforeFlush).Where(piece => !piece.EndsWith('\n')),
                piece => Assert.True(Encoding.UTF8.GetByteCount(piece) > LineSplitter.LongestPiece - 4 && !piece.Contains('\n', StringComparison.Ordinal)));
        });

    [Fact]
    public void Rubbish_becomes_replacement_characters_and_never_an_error() =>
        Gen.Select(Gen.Byte.Array[0, 40_000], Gen.Int[1, 20_000]).Sample((bytes, chunk) =>
        {
            var lines = bytes.Count(value => value == '\n');
            Assert.Equal(lines, string.Concat(Split(bytes, chunk, out _)).Count(character => character == '\n'));
        });

    [Fact]
    public void An_unfinished_character_waits_for_its_end()
    {
        var splitter = new LineSplitter();
        var pieces = new List<string>();
        splitter.Append([0x61, 0xE2, 0x82], pieces.Add);

        splitter.FlushCharacters(pieces.Add);
        Assert.Equal(["a"], pieces);

        splitter.Append([0xAC], pieces.Add);
        splitter.FlushCharacters(pieces.Add);
        Assert.Equal(["a", "€"], pieces);
    }

    private static List<string> Split(byte[] bytes, int chunk, out int beforeFlush)
    {
        var splitter = new LineSplitter();
        var pieces = new List<string>();
        foreach (var part in bytes.Chunk(chunk)) splitter.Append(part, pieces.Add);
        beforeFlush = pieces.Count;
        splitter.Flush(pieces.Add);
        Assert.False(splitter.HoldsText);
        return pieces;
    }
}
