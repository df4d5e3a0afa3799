using System.Globalization;
using System.Net.Sockets;
using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>Runs the machine's redis-server, on loopback only.</summary>
internal sealed class RedisService(RedisResource redis, DataFolder data) : Service(redis)
{
    public override ILineLevels OutputLevels() => new RedisLevels();

    public override Task<Launch> LaunchAsync(CancellationToken cancellationToken)
    {
        var program = Programs.Find("redis-server") ?? throw new InvalidOperationException("redis-server is not installed.");
        var folder = data.Of(redis.Name);
        Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        var keeps = redis.All<DataVolumeAnnotation>().Any() ? "yes" : "no";
        string[] arguments =
        [
            "--bind", "127.0.0.1", "--port", redis.PrimaryEndpoint.Port.ToString(CultureInfo.InvariantCulture), "--dir", folder,
            "--appendonly", keeps, "--save", "", "--daemonize", "no",
        ];
        return Task.FromResult(new Launch(program, arguments, folder));
    }

    public override async Task<bool> IsHealthyAsync(CancellationToken cancellationToken)
    {
        try
        {
            using var client = new TcpClient();
            await client.ConnectAsync("127.0.0.1", redis.PrimaryEndpoint.Port, cancellationToken);
            var stream = client.GetStream();
            await stream.WriteAsync("PING\r\n"u8.ToArray(), cancellationToken);
            // +PONG, or -LOADING while it still reads its file.
            var answer = new byte[5];
            await stream.ReadExactlyAsync(answer, cancellationToken);
            return answer.AsSpan().SequenceEqual("+PONG"u8);
        }
        catch (Exception fault) when (fault is SocketException or IOException)
        {
            return false;
        }
    }
}
