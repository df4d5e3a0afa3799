namespace Kohakku.ServiceDefaults;

/// <summary>What stands in guides and examples and is tried first by whoever wants to come in.</summary>
internal static class WellKnown
{
    private static readonly HashSet<string> Passwords = new(StringComparer.OrdinalIgnoreCase)
    {
        "postgres", "postgresql", "password", "passw0rd", "pass", "kohakku", "changeme", "change-me", "change_me", "changeit", "admin", "administrator", "root", "secret",
        "default", "example", "test", "guest", "minio", "minioadmin", "minio123", "123456", "12345678", "123456789", "qwerty",
    };

    public static bool IsPassword(string text) => Passwords.Contains(text);
}
