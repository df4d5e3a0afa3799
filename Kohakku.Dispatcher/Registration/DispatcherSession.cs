using System.Reflection;
using Kohakku.Contracts.Dispatching;
using Kohakku.Dispatcher.Runtimes;

namespace Kohakku.Dispatcher.Registration;

/// <summary>
/// This dispatcher's registration with the controller, made on first use and again when the controller says that it does not know it.
/// Safe for any thread.
/// </summary>
internal sealed partial class DispatcherSession(
    ControllerClient controller, DispatcherOptions options, IDispatcherIdentity identity, IAgentRuntime runtime, TimeProvider time,
    ILogger<DispatcherSession> logger) : IDisposable
{
    private static readonly string Version = Assembly.GetExecutingAssembly().GetName().Version?.ToString(3) ?? "0.0.0";
    private readonly SemaphoreSlim registering = new(1, 1);
    private volatile DispatcherRegistration? current;
    private volatile bool superseded;

    /// <summary>A newer dispatcher of the same name has taken over: claim nothing more, finish what runs.</summary>
    public bool IsSuperseded => superseded;

    /// <summary>The registration; waits for one, trying for ever, when there is none.</summary>
    public async ValueTask<DispatcherRegistration> CurrentAsync(CancellationToken cancellationToken)
    {
        if (current is { } known) return known;
        await registering.WaitAsync(cancellationToken);
        try
        {
            return current ??= await RegisterAsync(cancellationToken);
        }
        finally
        {
            registering.Release();
        }
    }

    /// <summary>Says what a call under <paramref name="session"/> met, so that the next <see cref="CurrentAsync"/> answers a session that holds.</summary>
    public void Report(DispatcherRegistration session, ControllerException fault)
    {
        // A call that began before the last registration tells nothing about it.
        if (current is not { } known || known.Session != session.Session) return;
        switch (fault.Fault)
        {
            case ControllerFault.UnknownSession:
                LogUnknown(fault.Message);
                current = null;
                break;
            case ControllerFault.Superseded when !superseded:
                superseded = true;
                LogSuperseded(options.Name, fault.Message);
                break;
        }
    }

    private async Task<DispatcherRegistration> RegisterAsync(CancellationToken cancellationToken)
    {
        var backoff = new Backoff(TimeSpan.FromMilliseconds(100), TimeSpan.FromSeconds(5));
        var request = new RegisterDispatcher(
            options.Name, identity.InstanceId, options.Url.ToString().TrimEnd('/'), Version, runtime.Name, options.Labels, options.Slots);
        while (true)
        {
            try
            {
                var registration = await controller.RegisterAsync(request, cancellationToken);
                LogRegistered(options.Name, registration.Id, options.ControllerUrl);
                return registration;
            }
            catch (ControllerException fault)
            {
                LogNotRegistered(fault.Message);
                await Task.Delay(backoff.Next(), time, cancellationToken);
            }
        }
    }

    public void Dispose() => registering.Dispose();

    [LoggerMessage(300, LogLevel.Information, "Registered as '{Name}' ({Id}) with {Controller}")]
    private partial void LogRegistered(string name, Guid id, Uri controller);

    [LoggerMessage(301, LogLevel.Warning, "Not registered yet: {Fault}")]
    private partial void LogNotRegistered(string fault);

    [LoggerMessage(302, LogLevel.Warning, "The controller does not know this session any more, registering anew: {Fault}")]
    private partial void LogUnknown(string fault);

    [LoggerMessage(303, LogLevel.Error, "A newer dispatcher named '{Name}' has taken over: this one claims nothing more and finishes what runs ({Fault})")]
    private partial void LogSuperseded(string name, string fault);
}
