using Kohakku.ServiceDefaults;
using Temporalio.Client;
using Temporalio.Extensions.Hosting;
using Temporalio.Worker;

namespace Kohakku.Workflows.Connection;

/// <summary>Does the work of the task queue. Waits for Temporal as long as it takes, rather than end the process where it starts first.</summary>
internal sealed partial class RunWorker(ITemporalClient client, TemporalWorkerOptions options, TimeProvider time, ILogger<RunWorker> logger)
    : TemporalWorkerService(client, options)
{
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);
    private readonly ITemporalClient _client = client;
    private readonly ILogger<RunWorker> _logger = logger;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        for (var pause = TimeSpan.FromMilliseconds(250); !await TryConnectAsync(stoppingToken); pause = pause * 2 < LongestPause ? pause * 2 : LongestPause)
            await Task.Delay(pause, time, stoppingToken);
        LogConnected(_client.Connection.Options.TargetHost!);
        await base.ExecuteAsync(stoppingToken);
    }

    private async Task<bool> TryConnectAsync(CancellationToken stoppingToken)
    {
        try
        {
            await _client.Connection.ConnectAsync().WaitAsync(stoppingToken);
            return true;
        }
        catch (Exception fault) when (fault is InvalidOperationException or Temporalio.Exceptions.RpcException)
        {
            LogAway(_client.Connection.Options.TargetHost!, fault.Message);
            return false;
        }
    }

    [LoggerMessage(5001, LogLevel.Warning, "Temporal at {Address} can't be reached yet; trying again: {Fault}")]
    private partial void LogAway(string address, string fault);

    [LoggerMessage(5002, LogLevel.Information, "Connected to Temporal at {Address}.")]
    private partial void LogConnected(string address);
}
