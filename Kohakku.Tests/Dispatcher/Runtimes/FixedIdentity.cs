using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Tests.Dispatcher.Runtimes;

internal sealed record FixedIdentity(Guid InstanceId) : IDispatcherIdentity;
