using Kohakku.ServiceDefaults;
using MailKit.Security;
using Microsoft.AspNetCore.WebUtilities;
using MimeKit;

namespace Kohakku.Controller.Failures.Digest;

/// <summary>
/// <c>SMTP_URL</c>: where e-mail goes out, from whom and to whom, like <c>smtp://user:password@mail.example.com:587?from=kohakku@example.com&amp;to=a@example.com,b@example.com</c>.
/// <c>smtps</c> speaks TLS from the start (port 465). <c>smtp</c> (port 587) goes over to TLS where the server can, and must where a password is sent, but for loopback.
/// </summary>
internal sealed record SmtpOptions(string Host, int Port, SecureSocketOptions Security, string? User, string? Password, MailboxAddress? From, IReadOnlyList<MailboxAddress> To)
{
    private const string Key = "SMTP_URL";

    public static readonly SmtpOptions None = new("", 0, SecureSocketOptions.None, null, null, null, []);

    public bool IsConfigured => To.Count > 0;

    public static SmtpOptions Read(SettingsReader settings)
    {
        var setting = new Setting(
            Key, "`smtp://user:password@host:587?from=kohakku@example.com&to=a@example.com,b@example.com`, or `smtps://…` for TLS from the start", null,
            "Where the [digest of failures](failures.md#the-digest) goes by e-mail.") { IsSecret = true };
        if (settings.Read(setting) is not { } text) return None;
        // Faults never show the address: there is a password in it.
        if (!Uri.TryCreate(text, UriKind.Absolute, out var url) || url.Scheme is not ("smtp" or "smtps") || url.Host.Length == 0) return Fault(settings, "is no address like smtp://user:password@host:587?from=a@example.com&to=b@example.com.");
        var query = QueryHelpers.ParseQuery(url.Query);
        if (!MailboxAddress.TryParse(query.GetValueOrDefault("from").ToString(), out var from)) return Fault(settings, "has no ?from=address that can be read.");
        List<MailboxAddress> to = [];
        foreach (var address in query.GetValueOrDefault("to").ToString().Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (!MailboxAddress.TryParse(address, out var mailbox)) return Fault(settings, $"has the recipient '{address}', which can't be read.");
            to.Add(mailbox);
        }

        if (to.Count == 0) return Fault(settings, "has no &to=address,address.");
        var user = url.UserInfo.Split(':', 2) is [{ Length: > 0 } name, ..] ? Uri.UnescapeDataString(name) : null;
        var password = url.UserInfo.Split(':', 2) is [_, var secret] ? Uri.UnescapeDataString(secret) : null;
        var isTls = url.Scheme == "smtps";
        return new SmtpOptions(
            url.Host, url.Port > 0 ? url.Port : isTls ? 465 : 587,
            isTls ? SecureSocketOptions.SslOnConnect : user is not null && !url.IsLoopback ? SecureSocketOptions.StartTls : SecureSocketOptions.StartTlsWhenAvailable,
            user, password, from, to);
    }

    private static SmtpOptions Fault(SettingsReader settings, string rule)
    {
        settings.Fault($"{Key} {rule}");
        return None;
    }
}
