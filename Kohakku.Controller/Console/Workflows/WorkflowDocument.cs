using System.Text;

namespace Kohakku.Controller.Console.Workflows;

internal static class WorkflowDocument
{
    /// <summary>As the API has it.</summary>
    private const int LargestDocument = 256 * 1024;

    public static bool IsTooLarge(string text) => Encoding.UTF8.GetByteCount(text) > LargestDocument;
}
