using Kohakku.Tests.Fixtures;

namespace Kohakku.Tests.Scheduler;

/// <summary>Schedulers as they ship, on a database of the test's; Temporal and object storage are away.</summary>
internal static class Schedulers
{
    public static ProgramProcess Start(string database, params IEnumerable<(string Key, string Value)> settings)
    {
        var environment = LoneService.Settings(database, "http://127.0.0.1:0");
        foreach (var (name, value) in settings) environment[name] = value;
        return new ProgramProcess(Release.This.Program("Kohakku.Scheduler"), [], environment);
    }
}
