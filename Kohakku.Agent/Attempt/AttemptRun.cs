using Kohakku.Agent.Artifacts;
using Kohakku.Agent.Logs;
using Kohakku.Agent.Processes;
using Kohakku.Agent.Protocol;
using Kohakku.Agent.Workspace;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Agent.Attempt;

/// <summary>
/// One attempt from brief to result: brief, workspace, agent, output, report. Heartbeats and the log run beside it from the first
/// call to the last. Everything that ends the agent early comes through <see cref="Stops"/>.
/// </summary>
internal sealed class AttemptRun : IDisposable
{
    /// <summary>How long output may still come when everything of the agent has ended; only what escaped the runner could hold it open.</summary>
    private static readonly TimeSpan DrainLimit = TimeSpan.FromSeconds(2);

    private readonly Stops stops = new();
    private readonly RunnerSettings settings;
    private readonly TimeProvider time;
    private readonly DispatcherLink link;
    private readonly DispatcherClient dispatcher;
    private readonly LogBuffer log;
    private readonly WorkspaceFolder workspace;
    private readonly SignalsToStop signals;
    private AgentProcess? agent;

    public AttemptRun(RunnerSettings settings, TimeProvider time)
    {
        (this.settings, this.time) = (settings, time);
        link = new DispatcherLink(settings, time);
        dispatcher = new DispatcherClient(link);
        log = new LogBuffer(time);
        workspace = new WorkspaceFolder(settings.Workspace);
        signals = new SignalsToStop(stops, number => agent?.Signal(number));
    }

    /// <returns>The runner's exit code.</returns>
    public async Task<int> RunAsync()
    {
        using var reported = new CancellationTokenSource();
        var sending = new LogSender(log, dispatcher, time).RunAsync(CancellationToken.None);
        var beating = Task.CompletedTask;
        try
        {
            AgentResult result;
            try
            {
                var brief = await dispatcher.GetBriefAsync(stops.Token);
                beating = new Heartbeats(dispatcher, stops, log, time).RunAsync(reported.Token);
                result = await RunAgentAsync(brief);
            }
            catch (RunnerFault fault)
            {
                Terminal.Say(fault.Message);
                log.Note(fault.Message);
                result = new AgentResult(AgentOutcome.Failed, Error: fault.Message, ExitCode: fault.ExitCode, Reason: fault.Reason);
            }
            catch (OperationCanceledException) when (stops.Requested.IsCompleted)
            {
                var stop = await stops.Requested;
                result = new AgentResult(AgentOutcome.Failed, Error: stop.Message, Reason: stop.Reason);
            }
            return await ReportAsync(result, sending);
        }
        catch (LinkEndedException fault)
        {
            Terminal.Say(fault.Message);
            return fault.End.ExitCode;
        }
        finally
        {
            await reported.CancelAsync();
            await beating;
            if (agent is { AllEnded.IsCompleted: false } left) await left.KillAllAsync(time);
        }
    }

    public void Dispose()
    {
        signals.Dispose();
        link.Dispose();
    }

    private async Task<AgentResult> RunAgentAsync(AgentBrief brief)
    {
        if (brief.Agent.Mode != AgentMode.Exec)
        {
            throw new AgentFault($"This runner runs agents of mode exec only; this one's is {brief.Agent.Mode.ToString().ToLowerInvariant()}.", FailureReason.AgentError);
        }
        await new Preparation(dispatcher, workspace, settings.RunAs).RunAsync(brief, stops.Token);
        using var forwarder = settings.Socket is { } socket ? Forwarder.Start(socket) : null;
        stops.Token.ThrowIfCancellationRequested();
        var running = AgentProcess.Start(CommandOf(brief, forwarder?.Url ?? settings.Url), settings.RunAs);
        agent = running;
        var draining = Task.WhenAll(
            PipeReader.Start(running.Stdout, LogStream.Stdout, log), PipeReader.Start(running.Stderr, LogStream.Stderr, log));
        var stopped = await WaitForEndAsync(running);
        await running.KillAllAsync(time);
        var exit = await running.Exited;
        if (stops.NobodyToReportTo is not null) throw new LinkEndedException(link.End!);
        await Task.WhenAny(draining, Task.Delay(DrainLimit, time));
        return await CollectAsync(exit, stopped);
    }

    private AgentCommand CommandOf(AgentBrief brief, Uri url)
    {
        var own = Environment.GetEnvironmentVariables().Cast<System.Collections.DictionaryEntry>()
            .Select(variable => KeyValuePair.Create((string)variable.Key, (string?)variable.Value ?? ""));
        var variables = AgentVariables.Build(own, brief, workspace, url, settings.Token);
        var program = CommandLookup.Find(brief.Agent.Command, variables["PATH"], workspace.Root);
        return new AgentCommand(program, brief.Agent.Command, [.. variables.Select(pair => $"{pair.Key}={pair.Value}")], workspace.Root);
    }

    /// <returns>Why it was stopped; null when it ended by itself.</returns>
    private async Task<Stop?> WaitForEndAsync(AgentProcess running)
    {
        using var ended = new CancellationTokenSource();
        var watching = new WorkspaceWatch(workspace.Root, settings.WorkspaceLimitBytes, stops, time).RunAsync(ended.Token);
        await Task.WhenAny(running.Exited, stops.Requested);
        Stop? stop = null;
        if (!running.Exited.IsCompleted)
        {
            stop = await stops.Requested;
            log.Note(stop.Message);
            await running.StopAsync(stop.Signal, settings.Grace, time);
        }
        await ended.CancelAsync();
        await watching;
        return stop;
    }

    private async Task<AgentResult> CollectAsync(AgentExit exit, Stop? stopped)
    {
        var output = new ResultFile(null, null);
        if (OutputFolder.List(workspace.Output, log.Note) is { Count: > 0 } files)
        {
            await new ArtifactUpload(dispatcher, log.Note).RunAsync(files, CancellationToken.None);
            output = ResultFile.Read(files.Find(file => file.Path == "result.json"));
        }
        if (stopped is not null)
        {
            return new AgentResult(AgentOutcome.Failed, Output: output.Output, Error: stopped.Message, ExitCode: exit.Code, Reason: stopped.Reason);
        }
        if (!exit.IsSuccess)
        {
            return new AgentResult(AgentOutcome.Failed, Output: output.Output, Error: $"The agent {exit}.", ExitCode: exit.Code, Reason: FailureReason.AgentExit);
        }
        return output.Fault is null
            ? new AgentResult(AgentOutcome.Succeeded, Output: output.Output, ExitCode: exit.Code)
            : new AgentResult(AgentOutcome.Failed, Error: output.Fault, ExitCode: exit.Code, Reason: FailureReason.InvalidResult);
    }

    private async Task<int> ReportAsync(AgentResult result, Task sending)
    {
        log.Complete();
        await sending;
        await dispatcher.PostResultAsync(result, CancellationToken.None);
        return ExitCodes.Reported;
    }
}
