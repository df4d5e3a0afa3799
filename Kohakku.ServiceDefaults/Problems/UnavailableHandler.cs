using Microsoft.AspNetCore.Diagnostics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Kohakku.ServiceDefaults;

/// <summary>Answers 503 where the database or the object storage is away or full, so that a client tries again rather than gives up.</summary>
internal sealed partial class UnavailableHandler(ILogger<UnavailableHandler> logger) : IExceptionHandler
{
    public async ValueTask<bool> TryHandleAsync(HttpContext httpContext, Exception exception, CancellationToken cancellationToken)
    {
        if (WhatIsAway(exception) is not { } what) return false;
        LogUnavailable(logger, what, exception, httpContext.Request.Method, httpContext.Request.Path);
        await Problems.Unavailable($"The {what} can't be used now; try again later.").ExecuteAsync(httpContext);
        return true;
    }

    private static string? WhatIsAway(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            switch (exception)
            {
                // Class 53: out of disk, memory or connections; 57: shutting down or terminated; 58: its disk failed.
                case PostgresException { SqlState: ['5', '3' or '7' or '8', ..] }:
                case NpgsqlException { IsTransient: true } and not PostgresException:
                    return "database";
                case ObjectStorageException { Transient: true }:
                    return "object storage";
            }
        }
        return null;
    }

    [LoggerMessage(1110, LogLevel.Error, "The {What} can't be used; {Method} {Path} was answered with 503.")]
    private static partial void LogUnavailable(ILogger logger, string what, Exception exception, string method, PathString path);
}
