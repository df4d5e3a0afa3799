using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>One controller for the tests of a class; they keep apart by tags of their own.</summary>
public sealed class ControllerFixture(PostgresFixture postgres, ObjectStorageFixture storage) : IAsyncLifetime
{
    internal RunningController Controller { get; private set; } = null!;

    public async ValueTask InitializeAsync() => Controller = await RunningController.StartAsync(postgres, storage);

    public ValueTask DisposeAsync() => Controller.DisposeAsync();
}
