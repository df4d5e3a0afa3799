using System.Globalization;
using System.Runtime.CompilerServices;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Tasks.Logs;

/// <summary>Logs of running attempts, from the dispatchers that run them.</summary>
internal sealed partial class LiveLogs(IHttpClientFactory clients, ILogger<LiveLogs> logger)
{
    private const string ClientName = "dispatcher-logs";
    private const int ChunkSize = 16 * 1024;

    public static void AddClient(IServiceCollection services) => services
        .AddHttpClient(ClientName).ForLongPolls().AddHttpMessageHandler<SigningHandler>()
        .ConfigurePrimaryHttpMessageHandler(() => new SocketsHttpHandler { ConnectTimeout = TimeSpan.FromSeconds(3), UseProxy = false, AllowAutoRedirect = false });

    /// <summary>Answers null where the dispatcher can't be reached or does not know the attempt any more.</summary>
    /// <param name="tail">The last lines only; null for all.</param>
    public async Task<Stream?> OpenAsync(LogAttempt attempt, bool follow, int? tail, CancellationToken cancellationToken)
    {
        if (attempt.Dispatcher is null) return null;
        var query = (follow ? "&follow=true" : "") + (tail is null ? "" : string.Create(CultureInfo.InvariantCulture, $"&tail={tail}"));
        var address = new Uri(attempt.Dispatcher, $"/v1/attempts/{attempt.Id}/logs{(query.Length > 0 ? $"?{query[1..]}" : "")}");
        try
        {
            // The stream outlives this method; closing it closes the answer.
            var answer = await clients.CreateClient(ClientName).GetAsync(address, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
            if (answer.IsSuccessStatusCode) return await answer.Content.ReadAsStreamAsync(cancellationToken);
            LogRefused(attempt.Id, (int)answer.StatusCode);
            answer.Dispose();
        }
        catch (Exception fault) when (fault is HttpRequestException || (fault is OperationCanceledException && !cancellationToken.IsCancellationRequested))
        {
            LogUnreachable(attempt.Id, fault.Message);
        }

        return null;
    }

    /// <summary>What comes until the stream ends or breaks; which of the two, is for the attempt's state to say.</summary>
    public static async IAsyncEnumerable<ReadOnlyMemory<byte>> ReadAsync(Stream stream, [EnumeratorCancellation] CancellationToken cancellationToken)
    {
        var buffer = new byte[ChunkSize];
        while (true)
        {
            int length;
            try
            {
                length = await stream.ReadAsync(buffer, cancellationToken);
            }
            catch (Exception fault) when (fault is IOException or HttpRequestException)
            {
                yield break;
            }

            if (length == 0) yield break;
            yield return buffer.AsMemory(0, length);
        }
    }

    [LoggerMessage(2201, LogLevel.Information, "The live log of attempt {AttemptId} can't be had from its dispatcher, which answers {Status}; showing what is stored.")]
    private partial void LogRefused(Guid attemptId, int status);

    [LoggerMessage(2202, LogLevel.Information, "The live log of attempt {AttemptId} can't be had from its dispatcher; showing what is stored: {Fault}")]
    private partial void LogUnreachable(Guid attemptId, string fault);
}
