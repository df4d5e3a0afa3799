using System.Text.Json;
using System.Text.RegularExpressions;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Json;
using Kohakku.Controller.Data;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Npgsql;

namespace Kohakku.Controller.Dispatching.Registration;

internal static partial class RegisterEndpoint
{
    private const int MostLabels = 64;
    private const int LongestLabel = 128;
    private const int MostSlots = 10_000;
    private static readonly string[] Runtimes = ["local", "worker", "process"];

    public static async Task<Results<Ok<DispatcherRegistration>, ProblemHttpResult>> RegisterAsync(
        RegisterDispatcher request, NpgsqlDataSource database, ILogger<RegisterDispatcher> logger, CancellationToken cancellationToken)
    {
        if (Check(request) is { Any: true } faults) return Problems.Unprocessable(faults);
        var session = Guid.NewGuid();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var batch = new NpgsqlBatch(connection);
        batch.Add(RegistrationSql.LockName).With(request.Name);
        batch.Add(RegistrationSql.Upsert)
            .With(Guid.CreateVersion7()).With(request.InstanceId).With(request.Name).With(session).With(request.Url).With(request.Version)
            .With(request.Runtime).With(JsonSerializer.Serialize(request.Labels, ContractsJson.Default.IReadOnlyDictionaryStringString)).With(request.Capacity);
        batch.Add(RegistrationSql.SupersedeOthers).With(request.InstanceId).With(request.Name);

        await using var row = await batch.ExecuteReaderAsync(CancellationToken.None);
        await row.NextResultAsync(CancellationToken.None);
        await row.ReadAsync(CancellationToken.None);
        var registration = new DispatcherRegistration(
            row.GetGuid(0), session, DispatchingTimes.LeaseSeconds, DispatchingTimes.HeartbeatSeconds, row.GetFieldValue<DateTimeOffset>(1).ToUniversalTime());
        await row.NextResultAsync(CancellationToken.None);
        LogRegistered(logger, request.Name, registration.Id, request.Runtime, request.Capacity);
        return TypedResults.Ok(registration);
    }

    private static Faults Check(RegisterDispatcher request)
    {
        var faults = new Faults();
        if (!Name().IsMatch(request.Name)) faults.Add("name", "must be 1 to 63 letters, digits, '.', '_' or '-', beginning with a letter or digit");
        if (request.InstanceId == Guid.Empty) faults.Add("instanceId", "must not be the empty UUID");
        if (!Uri.TryCreate(request.Url, UriKind.Absolute, out var url) || url.Scheme is not ("http" or "https")) faults.Add("url", "must be an http or https address");
        if (request.Version.Length is 0 or > 64 || request.Version.Any(char.IsControl)) faults.Add("version", "must be 1 to 64 characters, none of them control characters");
        if (!Runtimes.Contains(request.Runtime)) faults.Add("runtime", $"must be one of {string.Join(", ", Runtimes)}");
        if (request.Capacity is < 1 or > MostSlots) faults.Add("capacity", $"must be from 1 to {MostSlots}");
        if (request.Labels.Count > MostLabels) faults.Add("labels", $"must be at most {MostLabels}");
        foreach (var (name, value) in request.Labels)
        {
            if (name.Length is 0 or > LongestLabel || name.Any(char.IsControl)) faults.Add("labels", $"must have names of 1 to {LongestLabel} characters, none of them control characters");
            else if (value is null || value.Length > LongestLabel || value.Any(char.IsControl)) faults.Add($"labels.{name}", $"must be at most {LongestLabel} characters, none of them control characters");
        }

        return faults;
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,62}\z")]
    private static partial Regex Name();

    [LoggerMessage(3030, LogLevel.Information, "Dispatcher {Name} ({Id}, runtime {Runtime}, {Capacity} slots) registered.")]
    private static partial void LogRegistered(ILogger logger, string name, Guid id, string runtime, int capacity);
}
