using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Common.V1;

namespace Kohakku.Local.Temporal.Runs;

/// <summary>Search attributes as part of something that is checked as a whole.</summary>
internal static class SearchAttributeFaults
{
    /// <returns>What is wrong with them; null when nothing is.</returns>
    public static string? Fault(this SearchAttributeRegistry registry, string @namespace, SearchAttributes attributes)
    {
        try
        {
            registry.Validate(@namespace, attributes);
            return null;
        }
        catch (InvalidSearchAttributeException fault)
        {
            return fault.Message;
        }
    }
}
