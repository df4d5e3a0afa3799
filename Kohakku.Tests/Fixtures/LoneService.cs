namespace Kohakku.Tests.Fixtures;

/// <summary>What a service on the controller's database is told that has nothing else: object storage and Temporal are away, and it must work without them.</summary>
internal static class LoneService
{
    public static Dictionary<string, string?> Settings(string database, string urls) => new()
    {
        ["ASPNETCORE_ENVIRONMENT"] = "Development",
        ["ASPNETCORE_URLS"] = urls,
        ["ConnectionStrings__controller"] = database,
        ["KOHAKKU_SECRET_KEY"] = "a-secret-of-more-than-32-bytes-for-the-tests",
        ["CALLBACK_SIGNING_KEY"] = "a-signing-key-of-more-than-32-bytes-for-the-tests",
        // Nothing listens there.
        ["S3_ENDPOINT"] = "http://127.0.0.1:9",
        ["S3_ACCESS_KEY"] = "tests",
        ["S3_SECRET_KEY"] = "tests-secret",
        ["TEMPORAL_ADDRESS"] = "127.0.0.1:9",
    };
}
