namespace Kohakku.Dispatcher.Runtimes;

/// <summary>Who this dispatcher is across restarts; runtimes write it on all they start, and touch nothing that bears another's.</summary>
internal interface IDispatcherIdentity
{
    /// <summary>Kept in the dispatcher's database; known before any runtime is used.</summary>
    Guid InstanceId { get; }
}
