using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Scheduler;

/// <summary>Schedulers as they ship, on a database of the test's; Temporal and object storage are away.</summary>
internal static class Schedulers
{
    public static ServiceProcess Start(string database, params IEnumerable<(string Key, string Value)> settings)
    {
        var environment = new Dictionary<string, string?>
        {
            ["ASPNETCORE_ENVIRONMENT"] = "Development",
            ["ASPNETCORE_URLS"] = "http://127.0.0.1:0",
            ["ConnectionStrings__controller"] = database,
            ["KOHAKKU_SECRET_KEY"] = "a-secret-of-more-than-32-bytes-for-the-tests",
            ["CALLBACK_SIGNING_KEY"] = "a-signing-key-of-more-than-32-bytes-for-the-tests",
            ["S3_ENDPOINT"] = "http://127.0.0.1:9",
            ["S3_ACCESS_KEY"] = "tests",
            ["S3_SECRET_KEY"] = "tests-secret",
            ["TEMPORAL_ADDRESS"] = "127.0.0.1:9",
        };
        foreach (var (name, value) in settings) environment[name] = value;
        return new ServiceProcess(Release.This.Program("Kohakku.Scheduler"), [], environment);
    }
}
