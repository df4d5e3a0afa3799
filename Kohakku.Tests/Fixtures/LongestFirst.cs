using Kohakku.Tests.Browser;
using Kohakku.Tests.Controller.Backup;
using Kohakku.Tests.Deploy.Compose;
using Kohakku.Tests.EndToEnd;
using Kohakku.Tests.Faults;
using Kohakku.Tests.Fixtures;
using Kohakku.Tests.Local.Hosting;
using Kohakku.Tests.Upgrades;
using Xunit.Sdk;
using Xunit.v3;

[assembly: TestCollectionOrderer(typeof(LongestFirst))]

namespace Kohakku.Tests.Fixtures;

/// <summary>What takes minutes begins first: begun last it would run on alone, while a core has nothing to do.</summary>
public sealed class LongestFirst : ITestCollectionOrderer
{
    private static readonly Type[] Long =
    [
        typeof(ComposeTests), typeof(KilledProcessTests), typeof(RestoreTests), typeof(RollingUpgradeTests), typeof(ConsoleTests), typeof(AppHostProcessTests),
        typeof(BackupTests), typeof(KilledWorkflowTests),
    ];

    public IReadOnlyCollection<TTestCollection> OrderTestCollections<TTestCollection>(IReadOnlyCollection<TTestCollection> testCollections)
        where TTestCollection : ITestCollection
    {
        ArgumentNullException.ThrowIfNull(testCollections);
        return [.. testCollections.OrderBy(Rank).ThenBy(collection => collection.UniqueID, StringComparer.Ordinal)];
    }

    private static int Rank<TTestCollection>(TTestCollection collection)
        where TTestCollection : ITestCollection
    {
        var index = Array.FindIndex(Long, type => collection.TestCollectionDisplayName.Contains($"{type.FullName} ", StringComparison.Ordinal));
        return index < 0 ? Long.Length : index;
    }
}
