using Temporalio.Common;

namespace Kohakku.Tests.Local.Temporal;

public sealed class ListTests(TemporalServerFixture server) : TemporalTest(server)
{
    public static readonly SearchAttributeKey<string> Keyword = SearchAttributeKey.CreateKeyword("TestKeyword");
    public static readonly SearchAttributeKey<long> Number = SearchAttributeKey.CreateLong("TestNumber");
}
