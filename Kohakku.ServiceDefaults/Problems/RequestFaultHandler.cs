using System.Text.Json;
using System.Text.RegularExpressions;
using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Kohakku.ServiceDefaults;

/// <summary>Says what is wrong with a request that can't be read, in the words of its author rather than the framework's.</summary>
internal sealed partial class RequestFaultHandler : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (exception is not BadHttpRequestException fault) return false;
        await ProblemOf(fault, httpContext.Request).ExecuteAsync(httpContext);
        return true;
    }

    private static ProblemHttpResult ProblemOf(BadHttpRequestException fault, HttpRequest request)
    {
        if (fault.StatusCode != StatusCodes.Status400BadRequest)
            return Problems.Of(fault.StatusCode, ProblemTypes.DetailOf(fault.StatusCode, request.Method, request.Path));
        if (fault.InnerException is JsonException json)
        {
            var faults = JsonFaults.Explain(json).ToDictionary();
            return Problems.Of(400, $"The JSON body can't be read: {string.Join("; ", faults.Select(pair => $"{pair.Key} {pair.Value[0]}"))}.", faults);
        }
        // Implicit body inferred for parameter "task" but no body was provided. …
        if (fault.Message.Contains("body", StringComparison.Ordinal)) return Problems.BadRequest("$", "is required: the request has no JSON body");
        // Required parameter "int limit" was not provided from query string.
        // Failed to bind parameter "int limit" from "ten".
        var match = Parameter().Match(fault.Message);
        if (!match.Success) return Problems.Of(400, "The request can't be read.");
        var name = match.Groups["name"].Value;
        return match.Groups["value"].Success
            ? Problems.BadRequest(name, $"is '{match.Groups["value"].Value}' but {JsonFaults.RuleOf(match.Groups["type"].Value)}")
            : Problems.BadRequest(name, "is required");
    }

    [GeneratedRegex("""parameter "(?<type>.+) (?<name>\S+)" (?:was not provided|from "(?<value>.*)")""", RegexOptions.CultureInvariant)]
    private static partial Regex Parameter();
}
