using Kohakku.Tests.Fixtures;

[assembly: AssemblyFixture(typeof(Kohakku.Tests.Controller.Identity.IdentityFixture))]

namespace Kohakku.Tests.Controller.Identity;

/// <summary>One controller for all tests of who may call; started on first use.</summary>
public sealed class IdentityFixture(PostgresFixture postgres) : IAsyncDisposable
{
    private readonly SemaphoreSlim _starting = new(1, 1);
    private ControllerProcess? _controller;

    internal async Task<ControllerProcess> ControllerAsync()
    {
        await _starting.WaitAsync(TestContext.Current.CancellationToken);
        try
        {
            return _controller ??= await ControllerProcess.StartNewAsync(postgres);
        }
        finally
        {
            _starting.Release();
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (_controller is not null) await _controller.DisposeAsync();
        _starting.Dispose();
    }
}
