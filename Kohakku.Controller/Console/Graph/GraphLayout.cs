using System.Globalization;
using System.Text;

namespace Kohakku.Controller.Console.Graph;

internal sealed record GraphStep(string Id, IReadOnlyList<string> Needs);

/// <param name="X">Of its left upper corner.</param>
internal sealed record GraphNode(string Id, double X, double Y);

/// <param name="Path">As SVG draws it, from the lower edge of one to the upper edge of the other.</param>
internal sealed record GraphEdge(string From, string To, string Path);

/// <param name="ApartAt">Where the line is that sets the last node apart; null: there is none.</param>
internal sealed record GraphPicture(double Width, double Height, IReadOnlyList<GraphNode> Nodes, IReadOnlyList<GraphEdge> Edges, double? ApartAt);

/// <summary>
/// Where the steps of a graph stand: each below all that it needs, layer by layer. Edges over several layers have a lane of their own in those between, so
/// that they don't run through other steps. A layer of many is broken into rows, so that the picture never gets wider than a few steps.
/// </summary>
internal static class GraphLayout
{
    public const double NodeWidth = 156;
    public const double NodeHeight = 48;
    private const double LaneWidth = 10;
    private const double Gap = 16;
    private const double RowGap = 20;
    private const double LayerGap = 44;
    private const double ApartGap = 52;
    private const int MostPerRow = 5;
    private const int MostLanes = 2_000;
    private const int Sweeps = 4;

    /// <param name="apart">The id of the step that stands outside the graph, below it.</param>
    public static GraphPicture Of(IReadOnlyList<GraphStep> steps, string? apart = null)
    {
        var inGraph = steps.Where(step => step.Id != apart).ToArray();
        var places = Places(inGraph);
        var edges = Edges(inGraph, places);
        var rows = Rows(places.Values.Concat(edges.SelectMany(edge => edge.Lanes)));
        Spread(rows);
        var left = rows.SelectMany(row => row).Select(place => place.Left).DefaultIfEmpty(0).Min();
        foreach (var place in rows.SelectMany(row => row)) place.Center -= left;
        var height = rows.Count == 0 ? 0 : rows[^1][0].Top + NodeHeight;
        var width = Math.Max(NodeWidth, rows.SelectMany(row => row).Select(place => place.Center + place.Width / 2).DefaultIfEmpty(0).Max());
        List<GraphNode> nodes = [.. inGraph.Select(step => new GraphNode(step.Id, places[step.Id].Left, places[step.Id].Top))];
        double? line = null;
        if (steps.Any(step => step.Id == apart))
        {
            line = rows.Count == 0 ? 0 : height + ApartGap / 2 - 8;
            nodes.Add(new GraphNode(apart!, (width - NodeWidth) / 2, height + ApartGap));
            height += ApartGap + NodeHeight;
        }

        return new GraphPicture(width, height, nodes, [.. edges.Select(edge => new GraphEdge(edge.From.Id!, edge.To.Id!, edge.Path()))], line);
    }

    private static Dictionary<string, Place> Places(GraphStep[] steps)
    {
        var places = steps.DistinctBy(step => step.Id).ToDictionary(step => step.Id, step => new Place(step.Id, NodeWidth), StringComparer.Ordinal);
        // As often as there are steps at most, even were there a cycle.
        for (var round = 0; round < steps.Length; round++)
        {
            var moved = false;
            foreach (var step in steps)
            {
                var layer = step.Needs.Where(places.ContainsKey).Select(need => places[need].Layer + 1).DefaultIfEmpty(0).Max();
                moved |= layer > places[step.Id].Layer;
                places[step.Id].Layer = Math.Max(layer, places[step.Id].Layer);
            }

            if (!moved) break;
        }

        return places;
    }

    private static List<Edge> Edges(GraphStep[] steps, Dictionary<string, Place> places)
    {
        List<Edge> edges = [.. steps.SelectMany(step => step.Needs.Distinct().Where(places.ContainsKey).Select(need => new Edge(places[need], places[step.Id])))];
        var lanes = edges.Sum(edge => Math.Max(0, edge.To.Layer - edge.From.Layer - 1));
        foreach (var edge in edges)
        {
            for (var layer = edge.From.Layer + 1; layer < edge.To.Layer && lanes <= MostLanes; layer++) edge.Lanes.Add(new Place(null, LaneWidth) { Layer = layer });
            Place[] way = [edge.From, .. edge.Lanes, edge.To];
            foreach (var (above, below) in way.Zip(way.Skip(1)))
            {
                above.Below.Add(below);
                below.Above.Add(above);
            }
        }

        return edges;
    }

    /// <summary>In an order in which few edges cross, and each with its height.</summary>
    private static List<List<Place>> Rows(IEnumerable<Place> places)
    {
        var layers = places.GroupBy(place => place.Layer).OrderBy(layer => layer.Key).Select(layer => layer.ToList()).ToList();
        Number(layers);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            foreach (var layer in layers) Sort(layer, place => place.Above);
            foreach (var layer in Enumerable.Reverse(layers)) Sort(layer, place => place.Below);
        }

        List<List<Place>> rows = [];
        var top = 0.0;
        foreach (var layer in layers)
        {
            foreach (var row in Broken(layer))
            {
                foreach (var place in row) place.Top = top;
                rows.Add(row);
                top += NodeHeight + RowGap;
            }

            top += LayerGap - RowGap;
        }

        return rows;
    }

    private static void Number(List<List<Place>> layers)
    {
        foreach (var layer in layers)
            for (var i = 0; i < layer.Count; i++) layer[i].Order = i;
    }

    private static void Sort(List<Place> layer, Func<Place, List<Place>> neighbours)
    {
        // Stable: what has no neighbours there stays about where the document has it.
        var sorted = layer.OrderBy(place => neighbours(place).Select(other => other.Order).DefaultIfEmpty(place.Order).Average()).ToArray();
        for (var i = 0; i < sorted.Length; i++)
        {
            sorted[i].Order = i;
            layer[i] = sorted[i];
        }
    }

    private static IEnumerable<List<Place>> Broken(List<Place> layer)
    {
        var row = new List<Place>();
        foreach (var place in layer)
        {
            if (place.Id is not null && row.Count(each => each.Id is not null) == MostPerRow)
            {
                yield return row;
                row = [];
            }

            row.Add(place);
        }

        if (row.Count > 0) yield return row;
    }

    /// <summary>Each as near below and above its neighbours as those beside it let it.</summary>
    private static void Spread(List<List<Place>> rows)
    {
        foreach (var row in rows) Set(row, _ => 0);
        for (var sweep = 0; sweep < Sweeps; sweep++)
        {
            foreach (var row in rows) Set(row, place => Middle(place.Above, place));
            foreach (var row in Enumerable.Reverse(rows)) Set(row, place => Middle(place.Below, place));
        }
    }

    private static double Middle(List<Place> neighbours, Place place) => neighbours.Count == 0 ? place.Center : neighbours.Average(other => other.Center);

    private static void Set(List<Place> row, Func<Place, double> wish)
    {
        var wishes = row.Select(wish).ToArray();
        var fromLeft = new double[row.Count];
        var fromRight = new double[row.Count];
        for (var i = 0; i < row.Count; i++) fromLeft[i] = i == 0 ? wishes[i] : Math.Max(wishes[i], fromLeft[i - 1] + Apart(row[i - 1], row[i]));
        for (var i = row.Count - 1; i >= 0; i--) fromRight[i] = i == row.Count - 1 ? wishes[i] : Math.Min(wishes[i], fromRight[i + 1] - Apart(row[i], row[i + 1]));
        // Both keep their distances, and so does what is between them.
        for (var i = 0; i < row.Count; i++) row[i].Center = (fromLeft[i] + fromRight[i]) / 2;
    }

    private static double Apart(Place left, Place right) => (left.Width + right.Width) / 2 + Gap;

    /// <param name="id">Null: an edge's lane.</param>
    private sealed class Place(string? id, double width)
    {
        public string? Id { get; } = id;
        public double Width { get; } = width;
        public int Layer { get; set; }
        public double Order { get; set; }
        public double Center { get; set; }
        public double Top { get; set; }
        public double Left => Center - Width / 2;
        public List<Place> Above { get; } = [];
        public List<Place> Below { get; } = [];
    }

    private sealed record Edge(Place From, Place To)
    {
        public List<Place> Lanes { get; } = [];

        public string Path()
        {
            var path = new StringBuilder();
            var (x, y) = (From.Center, From.Top + NodeHeight);
            path.Append(CultureInfo.InvariantCulture, $"M{x:0.#} {y:0.#}");
            foreach (var next in Lanes.Append(To))
            {
                var half = (next.Top - y) / 2;
                path.Append(CultureInfo.InvariantCulture, $" C{x:0.#} {y + half:0.#} {next.Center:0.#} {next.Top - half:0.#} {next.Center:0.#} {next.Top:0.#}");
                (x, y) = (next.Center, next.Top);
                if (next == To) continue;
                y += NodeHeight;
                path.Append(CultureInfo.InvariantCulture, $" V{y:0.#}");
            }

            return path.ToString();
        }
    }
}
