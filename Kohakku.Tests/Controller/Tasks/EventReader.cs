using System.Globalization;
using System.Net.Http.Headers;
using System.Text.Json;
using Kohakku.Contracts.Json;

namespace Kohakku.Tests.Controller.Tasks;

/// <summary>Reads server-sent events as any client does, and holds each event's three lines against one another.</summary>
internal sealed class EventReader : IDisposable
{
    private readonly HttpResponseMessage _answer;
    private readonly StreamReader _reader;

    private EventReader(HttpResponseMessage answer, Stream stream) => (_answer, _reader) = (answer, new StreamReader(stream));

    public static HttpRequestMessage Request(Guid taskId, long? lastEventId)
    {
        var request = new HttpRequestMessage(HttpMethod.Get, $"/api/v1/tasks/{taskId}/events");
        request.Headers.Accept.Add(new MediaTypeWithQualityHeaderValue("text/event-stream"));
        if (lastEventId is { } id) request.Headers.Add("Last-Event-ID", id.ToString(CultureInfo.InvariantCulture));
        return request;
    }

    public static async Task<EventReader> OpenAsync(HttpClient client, Guid taskId, long? lastEventId, CancellationToken cancellationToken)
    {
        using var request = Request(taskId, lastEventId);
        var answer = await client.SendAsync(request, HttpCompletionOption.ResponseHeadersRead, cancellationToken);
        Assert.Equal("text/event-stream", answer.Content.Headers.ContentType?.MediaType);
        return new EventReader(answer, await answer.Content.ReadAsStreamAsync(cancellationToken));
    }

    /// <summary><c>3 attempt.claimed</c>; null at the end of the stream.</summary>
    public async Task<string?> NextAsync(CancellationToken cancellationToken)
    {
        var fields = new Dictionary<string, string>();
        while (await _reader.ReadLineAsync(cancellationToken) is { } line)
        {
            if (line.StartsWith(':')) continue;
            if (line.Length > 0)
            {
                var parts = line.Split(": ", 2);
                fields.Add(parts[0], parts[1]);
                continue;
            }

            if (fields.Count == 0) continue;
            var view = JsonSerializer.Deserialize(fields["data"], ContractsJson.Default.TaskEventView)!;
            Assert.Equal((fields["id"], fields["event"]), (view.Id.ToString(CultureInfo.InvariantCulture), view.Type));
            return $"{view.Id} {view.Type}";
        }

        return null;
    }

    public void Dispose()
    {
        _reader.Dispose();
        _answer.Dispose();
    }
}
