using CsCheck;
using Kohakku.Dispatcher.Claiming;

namespace Kohakku.Tests.Dispatcher.Claiming;

public sealed class ClaimSizeTests
{
    [Fact]
    public void Asks_for_the_free_slots_as_long_as_agents_come()
    {
        var size = new ClaimSize(500);
        Assert.Equal(8, size.Next(8));
        size.Observe(8, inlineOrders: 7, otherOrders: 1);
        Assert.Equal(3, size.Next(3));
    }

    [Fact]
    public void Doubles_while_claims_are_full_of_inline_attempts_and_falls_back_at_the_first_agent()
    {
        var size = new ClaimSize(100);
        var asked = size.Next(8);
        var grown = new List<int>();
        for (var i = 0; i < 5; i++)
        {
            size.Observe(asked, asked, 0);
            grown.Add(asked = size.Next(8));
        }
        Assert.Equal([16, 32, 64, 100, 100], grown);
        size.Observe(100, 99, 1);
        Assert.Equal(8, size.Next(8));
    }

    [Fact]
    public void A_claim_that_is_not_full_ends_the_run() =>
        Gen.Int[1, 500].Sample(asked =>
        {
            var size = new ClaimSize(500);
            size.Observe(asked, asked - 1, 0);
            return size.Next(4) == 4;
        });
}
