using System.Net.Sockets;
using System.Text;
using Kohakku.Dispatcher.Sockets;

namespace Kohakku.Tests.Dispatcher.Sockets;

public sealed class AttemptSocketsTests : IDisposable
{
    private readonly string folder = Directory.CreateTempSubdirectory("kohakku-sockets-").FullName;
    private readonly List<Socket> opened = [];

    [Fact]
    public async Task Each_attempt_reaches_the_dispatcher_by_a_socket_of_its_own()
    {
        var sockets = Prepared();
        var listener = Listen(sockets);
        var attempt = Guid.CreateVersion7();
        var directory = sockets.Link(attempt);
        await ConnectAsync(Path.Combine(directory, AttemptSockets.AttemptSocketName));
        await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.Equal([attempt], sockets.List());
    }

    [Fact]
    public async Task After_a_restart_the_same_directory_leads_to_the_new_listener()
    {
        var attempt = Guid.CreateVersion7();
        var before = Prepared();
        Listen(before).Dispose();
        // Linked to what nobody listens on any more.
        await File.WriteAllTextAsync(before.ListeningPath, "", TestContext.Current.CancellationToken);
        var directory = before.Link(attempt);

        var after = Prepared();
        var listener = Listen(after);
        Assert.Equal(directory, after.Link(attempt));
        Assert.Equal(directory, after.Link(attempt));
        await ConnectAsync(Path.Combine(directory, AttemptSockets.AttemptSocketName));
        await listener.AcceptAsync(TestContext.Current.CancellationToken);
        Assert.Equal([AttemptSockets.AttemptSocketName], Directory.EnumerateFileSystemEntries(directory).Select(Path.GetFileName));
    }

    [Fact]
    public void Other_users_of_the_host_can_not_get_in_and_any_user_of_a_container_can_connect()
    {
        var sockets = Prepared();
        Listen(sockets);
        var directory = sockets.Link(Guid.CreateVersion7());
        Assert.Equal((UnixFileMode)0b111_000_000, File.GetUnixFileMode(sockets.Root));
        Assert.Equal((UnixFileMode)0b110_110_110, File.GetUnixFileMode(Path.Combine(directory, AttemptSockets.AttemptSocketName)));
    }

    [Fact]
    public void Removal_takes_all_of_it_and_nothing_there_is_no_error()
    {
        var sockets = Prepared();
        Listen(sockets);
        var attempt = Guid.CreateVersion7();
        File.WriteAllText(Path.Combine(sockets.Link(attempt), "left by an agent"), "");
        sockets.Remove(attempt);
        sockets.Remove(attempt);
        Assert.Empty(sockets.List());
    }

    [Fact]
    public void Before_the_dispatcher_listens_there_is_nothing_to_link_to()
    {
        var sockets = Prepared();
        Assert.ThrowsAny<IOException>(() => sockets.Link(Guid.CreateVersion7()));
    }

    [Fact]
    public void Where_paths_would_be_too_long_a_shorter_place_is_taken_and_always_the_same()
    {
        var configured = Path.Combine(folder, new string('x', 80));
        var sockets = new AttemptSockets(configured);
        Assert.NotEqual(sockets.Configured, sockets.Root);
        Assert.Equal(sockets.Root, new AttemptSockets(configured).Root);
        Assert.True(Encoding.UTF8.GetByteCount(Path.Combine(sockets.Root, Guid.Empty.ToString("N"), AttemptSockets.AttemptSocketName)) < 108);
    }

    public void Dispose()
    {
        foreach (var socket in opened) socket.Dispose();
        Directory.Delete(folder, recursive: true);
    }

    private AttemptSockets Prepared()
    {
        var sockets = new AttemptSockets(Path.Combine(folder, "s"));
        sockets.Prepare();
        return sockets;
    }

    private Socket Listen(AttemptSockets sockets)
    {
        var listener = NewSocket();
        listener.Bind(new UnixDomainSocketEndPoint(sockets.ListeningPath));
        listener.Listen();
        return listener;
    }

    private async Task ConnectAsync(string path) => await NewSocket().ConnectAsync(new UnixDomainSocketEndPoint(path), TestContext.Current.CancellationToken);

    private Socket NewSocket()
    {
        var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        opened.Add(socket);
        return socket;
    }
}
