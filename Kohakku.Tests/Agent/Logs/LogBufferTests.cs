using CsCheck;
using Kohakku.Agent.Logs;

namespace Kohakku.Tests.Agent.Logs;

public sealed class LogBufferTests
{
    [Fact]
    public void What_goes_in_comes_out_in_order_by_stream_and_over_all() =>
        Gen.Select(Gen.Bool, Gen.Byte.Array[1, 50], Gen.Int[0, 60]).Array[0, 200].Sample(writes =>
        {
            var buffer = new LogBuffer(TimeProvider.System, capacity: 128);
            var expected = new List<(LogStream, byte)>();
            var taken = new List<(LogStream, byte)>();
            foreach (var (isError, bytes, take) in writes)
            {
                var stream = isError ? LogStream.Stderr : LogStream.Stdout;
                while (buffer.Length + bytes.Length > 128) Take(buffer, taken, 64);
                buffer.Append(stream, bytes);
                expected.AddRange(bytes.Select(value => (stream, value)));
                if (take > 0) Take(buffer, taken, take);
            }
            while (buffer.Length > 0) Take(buffer, taken, 7);
            Assert.Equal(expected, taken);
            Assert.Equal(0, buffer.Cut);
        });

    [Fact]
    public async Task A_writer_waits_while_it_is_full_and_goes_on_when_there_is_room()
    {
        var buffer = new LogBuffer(TimeProvider.System, TimeSpan.FromMinutes(5), capacity: 100);
        var writing = Task.Factory.StartNew(() => buffer.Append(LogStream.Stdout, new byte[1000]), TaskCreationOptions.LongRunning);
        var taken = new List<(LogStream, byte)>();

        while (taken.Count < 1000)
        {
            await buffer.WaitAsync(TimeSpan.FromMilliseconds(5), TestContext.Current.CancellationToken);
            Take(buffer, taken, 30);
        }

        await writing;
        Assert.Equal(0, buffer.Cut);
    }

    [Fact]
    public async Task When_nobody_reads_for_long_the_rest_is_counted_and_dropped_until_it_is_empty_again()
    {
        var buffer = new LogBuffer(TimeProvider.System, TimeSpan.FromMilliseconds(50), capacity: 100);
        await Task.Factory.StartNew(() => buffer.Append(LogStream.Stdout, new byte[1000]), TaskCreationOptions.LongRunning);
        Assert.Equal((900, 0), (buffer.Cut, buffer.TakeCut()));

        var taken = new List<(LogStream, byte)>();
        while (buffer.Length > 0) Take(buffer, taken, 64);
        Assert.Equal((100, 900, 0), (taken.Count, buffer.TakeCut(), buffer.TakeCut()));

        buffer.Append(LogStream.Stdout, new byte[60]);
        Assert.Equal((60, 900), (buffer.Length, buffer.Cut));
    }

    [Fact]
    public async Task Closing_it_frees_a_writer_that_waits()
    {
        var buffer = new LogBuffer(TimeProvider.System, TimeSpan.FromMinutes(5), capacity: 100);
        var writing = Task.Factory.StartNew(() => buffer.Append(LogStream.Stdout, new byte[1000]), TaskCreationOptions.LongRunning);
        await Fixtures.Eventually.Async(() => buffer.Length == 100);

        buffer.Close();

        await writing;
        Assert.Equal((0, 1000), (buffer.Length, buffer.Cut));
    }

    private static void Take(LogBuffer buffer, List<(LogStream, byte)> taken, int most)
    {
        var bytes = new byte[most];
        var count = buffer.Take(bytes, out var stream);
        taken.AddRange(bytes.Take(count).Select(value => (stream, value)));
    }
}
