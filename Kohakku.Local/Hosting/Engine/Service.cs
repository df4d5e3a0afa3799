using Aspire.Hosting.ApplicationModel;
using Kohakku.Local.Hosting.Output;
using Kohakku.Local.Hosting.Processes;

namespace Kohakku.Local.Hosting.Engine;

/// <summary>How one kind of resource is run: what is made ready before, which process it is, and when it is healthy.</summary>
internal abstract class Service(IResource resource)
{
    protected static readonly TimeSpan ServerGrace = TimeSpan.FromSeconds(10);

    public IResource Resource { get; } = resource;
    public string Name => Resource.Name;

    /// <summary>A job: done when its process has ended, and not started again.</summary>
    public virtual bool RunsOnce => false;

    public virtual int StopSignal => LibC.SigTerm;

    /// <summary>How long it may take to end before it is killed.</summary>
    public virtual TimeSpan Grace => ServerGrace;

    public virtual ILineLevels OutputLevels() => new FixedLevels(LineLevel.Information);

    public virtual ILineLevels ErrorLevels() => new FixedLevels(LineLevel.Warning);

    /// <summary>Said beside its address, where there is something to say.</summary>
    public virtual string? Remark => null;

    /// <summary>Before each start.</summary>
    public virtual Task PrepareAsync(Action<string> say, CancellationToken cancellationToken) => Task.CompletedTask;

    public abstract Task<Launch> LaunchAsync(CancellationToken cancellationToken);

    /// <summary>One look, short; a fault to connect means no.</summary>
    public virtual Task<bool> IsHealthyAsync(CancellationToken cancellationToken) => Task.FromResult(true);
}
