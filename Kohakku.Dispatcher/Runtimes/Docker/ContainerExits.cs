using Docker.DotNet;
using Docker.DotNet.Models;

namespace Kohakku.Dispatcher.Runtimes.Docker;

/// <summary>
/// Tells how containers end. Each wait is one silent connection on which the engine answers when the container has ended, or
/// at once when it had: so there is nothing to poll, adopted containers are no special case, and nothing can be missed
/// between listening and looking, as it could with the engine's event stream. When the engine goes away, all waits
/// ask again once it is back.
/// </summary>
internal sealed class ContainerExits(DockerEngine engine)
{
    private const int LogTailCharacters = 4096;

    public async Task<RuntimeExit> WaitAsync(string containerId, CancellationToken cancellationToken)
    {
        while (true)
        {
            try
            {
                var ended = await engine.CallAsync(
                    Timeout.InfiniteTimeSpan, (docker, token) => docker.Containers.WaitContainerAsync(containerId, token), cancellationToken);
                return await LookBackAsync(containerId, ended.StatusCode, cancellationToken);
            }
            catch (DockerContainerNotFoundException)
            {
                return new RuntimeExit(null, OutOfMemory: false, "Its container is gone: somebody else removed it.");
            }
            catch (Exception fault) when (fault is EngineUnreachableException or DockerApiException)
            {
                if (!await engine.IsBackAsync(cancellationToken))
                {
                    return new RuntimeExit(null, OutOfMemory: false, $"The Docker engine went away and did not come back: {fault.Message}");
                }
            }
        }
    }

    private async Task<RuntimeExit> LookBackAsync(string containerId, long exitCode, CancellationToken cancellationToken)
    {
        ContainerInspectResponse container;
        try
        {
            container = await engine.RepeatAsync(DockerEngine.Quick, (docker, token) => docker.Containers.InspectContainerAsync(containerId, token), cancellationToken);
        }
        catch (DockerContainerNotFoundException)
        {
            return new RuntimeExit((int)exitCode, OutOfMemory: false, "");
        }
        var state = container.State ?? throw new DockerApiException(System.Net.HttpStatusCode.OK, "An inspected container has no state.");
        // What never ran has no exit code, though the engine answers 0.
        if (state.Status == "created") return new RuntimeExit(null, OutOfMemory: false, $"Its container was never started. {state.Error}".Trim());
        var tail = exitCode == 0 ? "" : await ReadTailAsync(containerId, cancellationToken);
        if (!string.IsNullOrEmpty(state.Error)) tail = $"{tail}\n{state.Error}".Trim();
        return new RuntimeExit((int)exitCode, state.OOMKilled, tail);
    }

    private async Task<string> ReadTailAsync(string containerId, CancellationToken cancellationToken)
    {
        try
        {
            var parameters = new ContainerLogsParameters { ShowStdout = true, ShowStderr = true, Tail = "50" };
            var (output, errors) = await engine.RepeatAsync(
                DockerEngine.Quick,
                async (docker, token) =>
                {
                    using var log = await docker.Containers.GetContainerLogsAsync(containerId, parameters, token);
                    return await log.ReadOutputToEndAsync(token);
                },
                cancellationToken);
            var tail = (output + errors).TrimEnd();
            return tail.Length <= LogTailCharacters ? tail : tail[^LogTailCharacters..];
        }
        catch (Exception fault) when (fault is DockerApiException or EngineUnreachableException)
        {
            return "";
        }
    }
}
