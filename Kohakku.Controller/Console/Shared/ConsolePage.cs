using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Authorization;
using Npgsql;

namespace Kohakku.Controller.Console.Shared;

/// <summary>
/// A page that shows what the database says and goes on showing it. It knows its caller, begins to follow before it first reads, and reads
/// again after signals, not more often than <see cref="Pause"/>.
/// </summary>
public abstract class ConsolePage : ComponentBase, IDisposable
{
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(400);
    private static readonly TimeSpan RetryPause = TimeSpan.FromSeconds(2);
    private readonly CancellationTokenSource gone = new();

    [CascadingParameter] private Task<AuthenticationState> Authentication { get; set; } = null!;
    [Inject] private TimeProvider Clock { get; set; } = null!;

    private protected Caller Caller { get; private set; } = null!;

    /// <summary>Cancelled when the person leaves the page.</summary>
    protected CancellationToken Gone { get; private set; }

    /// <summary>Why what is shown may be old; null while it is true.</summary>
    protected string? Outdated { get; private set; }

    protected override async Task OnInitializedAsync()
    {
        Gone = gone.Token;
        Caller = Caller.Of((await Authentication).User);
        await StartAsync();
    }

    /// <summary>Reads for the first time, and begins to follow.</summary>
    protected virtual Task StartAsync() => Task.CompletedTask;

    private protected bool May(Contracts.Tasks.Role role) => Caller.Role >= role;

    /// <summary>Reads now, and again whenever something may have changed, until the page is left.</summary>
    private protected async Task FollowAsync(ChangeSubscription changes, Func<Task> read)
    {
        try
        {
            await read();
        }
        catch
        {
            changes.Dispose();
            throw;
        }
        _ = FollowOnAsync(changes.WaitAsync, changes, read);
    }

    /// <summary>Reads now, and again every so often: for what nothing signals.</summary>
    protected async Task PollAsync(TimeSpan every, Func<Task> read)
    {
        await read();
        _ = FollowOnAsync(async cancellationToken => await Task.Delay(every, Clock, cancellationToken), null, read);
    }

    public virtual void Dispose()
    {
        gone.Cancel();
        gone.Dispose();
        GC.SuppressFinalize(this);
    }

    private async Task FollowOnAsync(Func<CancellationToken, ValueTask> wait, ChangeSubscription? changes, Func<Task> read)
    {
        using var _ = changes;
        try
        {
            while (true)
            {
                await wait(Gone);
                await InvokeAsync(() => ReadOnceAsync(read));
                // After a fault of the database no signal need come.
                while (Outdated is not null)
                {
                    await Task.Delay(RetryPause, Clock, Gone);
                    await InvokeAsync(() => ReadOnceAsync(read));
                }
                await Task.Delay(Pause, Clock, Gone);
            }
        }
        catch (OperationCanceledException) when (Gone.IsCancellationRequested)
        {
            // The page is left.
        }
        catch (Exception fault)
        {
            await DispatchExceptionAsync(fault);
        }
    }

    private async Task ReadOnceAsync(Func<Task> read)
    {
        try
        {
            await read();
            Outdated = null;
        }
        catch (Exception fault) when (fault is NpgsqlException or TimeoutException || fault.InnerException is NpgsqlException)
        {
            Outdated = "The database can't be reached now; what you see may be old. Trying again…";
        }
        StateHasChanged();
    }
}
