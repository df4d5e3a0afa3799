using Microsoft.Net.Http.Headers;

namespace Kohakku.Controller.Tasks.Artifacts;

/// <summary>The part of a file that a request asks for, by RFC 9110, 14. Several parts at once are answered with the whole, as it allows.</summary>
internal readonly record struct ByteRange(long From, long To)
{
    public long Length => To - From + 1;

    /// <summary>Null: the whole. Unsatisfiable: the file has no such part.</summary>
    public static (ByteRange? Range, bool Unsatisfiable) Of(HttpRequest request, long size, EntityTagHeaderValue current)
    {
        var headers = request.GetTypedHeaders();
        if (headers.Range is not { Unit.Value: "bytes", Ranges: { Count: 1 } ranges }) return (null, false);
        var asked = ranges.Single();
        // A part of another version of the file is of no use to the client.
        if (request.Headers.ContainsKey(HeaderNames.IfRange) && headers.IfRange?.EntityTag?.Compare(current, useStrongComparison: true) is not true) return (null, false);
        // bytes=-500: the last 500. A suffix longer than the file is the whole file.
        var (from, to) = asked switch
        {
            { From: null, To: { } suffix } => (Math.Max(0, size - suffix), size - 1),
            { From: { } start, To: { } end } => (start, Math.Min(end, size - 1)),
            { From: { } start } => (start, size - 1),
            _ => (0L, size - 1),
        };
        return from >= size || from > to || asked is { From: null, To: 0 } ? (null, true) : (new ByteRange(from, to), false);
    }
}
