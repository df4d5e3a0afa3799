using Kohakku.Controller.Console.Graph;

namespace Kohakku.Tests.Controller.Console;

public sealed class GraphLayoutTests
{
    [Fact]
    public void A_step_stands_below_all_that_it_needs()
    {
        var graph = GraphLayout.Of([Step("a"), Step("b", "a"), Step("c", "a", "b"), Step("d")]);
        Assert.True(Y(graph, "a") < Y(graph, "b"));
        Assert.True(Y(graph, "b") < Y(graph, "c"));
        Assert.Equal(Y(graph, "a"), Y(graph, "d"));
        Assert.Equal([("a", "b"), ("a", "c"), ("b", "c")], graph.Edges.Select(edge => (edge.From, edge.To)));
        Assert.Null(graph.ApartAt);
    }

    [Fact]
    public void A_chain_is_drawn_straight()
    {
        var graph = GraphLayout.Of([Step("a"), Step("b", "a"), Step("c", "b")]);
        Assert.Single(graph.Nodes.Select(node => node.X).Distinct());
        Assert.Equal(GraphLayout.NodeWidth, graph.Width);
    }

    [Fact]
    public void What_runs_only_on_failure_stands_apart_below_the_rest()
    {
        var graph = GraphLayout.Of([Step("tell"), Step("a"), Step("b", "a")], apart: "tell");
        Assert.True(graph.ApartAt > Y(graph, "b") + GraphLayout.NodeHeight);
        Assert.True(Y(graph, "tell") > graph.ApartAt);
        Assert.Equal(graph.Height, Y(graph, "tell") + GraphLayout.NodeHeight);
    }

    [Fact]
    public void A_layer_of_many_steps_is_broken_into_rows()
    {
        var graph = GraphLayout.Of([.. Enumerable.Range(0, 200).Select(number => Step($"s{number}"))]);
        Assert.True(graph.Width < 6 * GraphLayout.NodeWidth, $"It is {graph.Width} wide.");
        Assert.Equal(40, graph.Nodes.Select(node => node.Y).Distinct().Count());
    }

    [Fact]
    public void Steps_that_need_each_other_are_drawn_all_the_same()
    {
        var graph = GraphLayout.Of([Step("a", "b"), Step("b", "a"), Step("c", "nothing")]);
        Assert.Equal(3, graph.Nodes.Count);
    }

    [Fact]
    public void Two_hundred_steps_that_need_all_before_them_are_laid_out_at_once()
    {
        var graph = GraphLayout.Of([.. Enumerable.Range(0, 200).Select(number => Step($"s{number}", [.. Enumerable.Range(0, number).Select(before => $"s{before}")]))]);
        Assert.Equal(200, graph.Nodes.Count);
        AssertApart(graph);
    }

    [Fact]
    public void No_two_steps_overlap_and_none_leaves_the_picture()
    {
        var random = new Random(42);
        for (var round = 0; round < 50; round++)
        {
            var count = random.Next(1, 60);
            AssertApart(GraphLayout.Of([.. Enumerable.Range(0, count).Select(number =>
                Step($"s{number}", [.. Enumerable.Range(0, random.Next(0, Math.Min(number, 3) + 1)).Select(_ => $"s{random.Next(number)}").Distinct()]))]));
        }
    }

    private static void AssertApart(GraphPicture graph)
    {
        foreach (var node in graph.Nodes)
        {
            Assert.InRange(node.X, -0.01, graph.Width - GraphLayout.NodeWidth + 0.01);
            Assert.InRange(node.Y, 0, graph.Height - GraphLayout.NodeHeight + 0.01);
        }

        foreach (var row in graph.Nodes.GroupBy(node => node.Y))
        {
            var inOrder = row.OrderBy(node => node.X).ToArray();
            Assert.All(inOrder.Zip(inOrder.Skip(1)), pair => Assert.True(pair.Second.X - pair.First.X > GraphLayout.NodeWidth));
        }
    }

    private static double Y(GraphPicture graph, string id) => graph.Nodes.Single(node => node.Id == id).Y;

    private static GraphStep Step(string id, params string[] needs) => new(id, needs);
}
