using Npgsql;

namespace Kohakku.ServiceDefaults;

/// <summary>Outside Development a database is not opened without a password, nor with one that everyone knows.</summary>
internal static class DatabasePassword
{
    /// <summary>Notes a fault, which never shows the password.</summary>
    /// <param name="key">The setting that takes the password.</param>
    public static void Check(SettingsReader settings, string key, NpgsqlConnectionStringBuilder connection)
    {
        if (string.IsNullOrEmpty(connection.Password))
        {
            if (IsLetInWithout(connection)) return;
            settings.Fault(key == "POSTGRES_PASSWORD"
                ? $"{key} is not set; outside Development it takes the password of the database's user."
                : $"{key} has no password; outside Development it takes Password=…, Passfile=…, SSL Certificate=…, or the folder of a Unix socket as Host.");
        }
        else if (WellKnown.IsPassword(connection.Password) || IsName(connection.Password, connection.Username) || IsName(connection.Password, connection.Database))
        {
            settings.Fault($"{key} has a password that everyone knows or can guess; outside Development it takes one of your own, not the name of the user or the database.");
        }
    }

    private static bool IsLetInWithout(NpgsqlConnectionStringBuilder connection) =>
        !string.IsNullOrEmpty(connection.Passfile) || !string.IsNullOrEmpty(connection.SslCertificate)
        || (connection.Host ?? "").Split(',', StringSplitOptions.TrimEntries).All(host => host is ['/' or '@', ..])
        // Kerberos, when nothing else is taken.
        || (connection.RequireAuth ?? "").Split(',', StringSplitOptions.TrimEntries).All(way => way.Equals("GSS", StringComparison.OrdinalIgnoreCase) || way.Equals("SSPI", StringComparison.OrdinalIgnoreCase));

    private static bool IsName(string password, string? name) => string.Equals(password, name, StringComparison.OrdinalIgnoreCase);
}
