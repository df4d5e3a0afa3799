using System.Globalization;
using System.Net.Sockets;
using System.Text.Json;
using Kohakku.Contracts.Failures;
using Kohakku.Contracts.Json;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using MailKit;
using MailKit.Net.Smtp;
using MailKit.Security;
using MimeKit;
using MimeKit.Text;
using Npgsql;

namespace Kohakku.Controller.Failures.Digest;

/// <summary>
/// Sends digests by e-mail, where <c>SMTP_URL</c> is set. One that does not go out is tried again, ever further apart, for about a day. Should this process die after the server
/// took one, it is sent again, with the same message id.
/// </summary>
internal sealed partial class DigestEmails(NpgsqlDataSource database, SmtpOptions smtp, ControllerOptions controller, TimeProvider time, ILogger<DigestEmails> logger)
{
    private const int MostTries = 10;
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private static readonly TimeSpan InHand = Patience * 2;
    private static readonly TimeSpan LongestPause = TimeSpan.FromHours(6);

    private sealed record TakenEmail(Guid ProjectId, DateOnly Day, FailureDigest Digest, int Tries);

    /// <summary>False when none is due.</summary>
    public async Task<bool> RunOnceAsync(CancellationToken cancellationToken)
    {
        if (!smtp.IsConfigured || await TakeAsync(cancellationToken) is not { } taken) return false;
        var fault = await SendAsync(taken, cancellationToken);
        var now = time.GetColumnNow();
        DateTimeOffset? again = fault is null || taken.Tries >= MostTries ? null : now + Pause(taken.Tries);
        if (fault is not null) LogFailed(taken.Digest.Project, smtp.Host, fault, again);
        await using var batch = database.CreateBatch();
        batch.Add(DigestSql.Emailed).With(taken.ProjectId).With(taken.Day).With(fault is null ? now : (DateTimeOffset?)null).With(again).With(fault);
        await batch.ExecuteNonQueryAsync(CancellationToken.None);
        return true;
    }

    /// <summary>A minute, then four times as long with each try, up to six hours.</summary>
    private static TimeSpan Pause(int tries)
    {
        var pause = TimeSpan.FromMinutes(Math.Pow(4, tries - 1));
        return pause < LongestPause ? pause : LongestPause;
    }

    private async Task<TakenEmail?> TakeAsync(CancellationToken cancellationToken)
    {
        var now = time.GetColumnNow();
        await using var batch = database.CreateBatch();
        batch.Add(DigestSql.TakeEmail).With(now).With(now + InHand);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        return new TakenEmail(rows.GetGuid(0), rows.GetFieldValue<DateOnly>(1), JsonSerializer.Deserialize(rows.GetString(2), ContractsJson.Default.FailureDigest)!, rows.GetInt32(3));
    }

    /// <summary>Null when the server took it, else what went wrong.</summary>
    private async Task<string?> SendAsync(TakenEmail taken, CancellationToken cancellationToken)
    {
        using var message = Message(taken);
        using var patience = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        patience.CancelAfter(Patience);
        try
        {
            using var client = new SmtpClient();
            await client.ConnectAsync(smtp.Host, smtp.Port, smtp.Security, patience.Token);
            if (smtp.User is { } user) await client.AuthenticateAsync(user, smtp.Password ?? "", patience.Token);
            await client.SendAsync(message, patience.Token);
            await client.DisconnectAsync(true, CancellationToken.None);
            return null;
        }
        catch (Exception fault) when (fault is SocketException or IOException or CommandException or ProtocolException or AuthenticationException or SslHandshakeException or NotSupportedException)
        {
            return fault.Message;
        }
        catch (OperationCanceledException) when (!cancellationToken.IsCancellationRequested)
        {
            return $"The server did not take it within {Patience.TotalSeconds.ToString(CultureInfo.InvariantCulture)} s.";
        }
    }

    private MimeMessage Message(TakenEmail taken)
    {
        var message = new MimeMessage { MessageId = $"digest.{taken.Day:yyyy-MM-dd}.{taken.ProjectId:N}@{new Uri(controller.Url).Host}", Date = time.GetUtcNow(), Subject = DigestText.Subject(taken.Digest) };
        message.From.Add(smtp.From!);
        message.To.AddRange(smtp.To);
        // So that nobody's holiday note comes back.
        message.Headers.Add("Auto-Submitted", "auto-generated");
        message.Body = new TextPart(TextFormat.Plain) { Text = DigestText.Body(taken.Digest, controller.Url) };
        return message;
    }

    [LoggerMessage(3420, LogLevel.Warning, "The digest of project {Project} could not be sent by e-mail through {Host}: {Fault} It is tried again at {Again}.")]
    private partial void LogFailed(string project, string host, string fault, DateTimeOffset? again);
}
