using Temporalio.Workflows;

namespace Kohakku.Tests.Local.Temporal;

/// <summary>Other versions of workflows that the tests have, under the same names.</summary>
public static class Variants
{
    [Workflow("EchoWorkflow")]
    public class BrokenEchoWorkflow
    {
        [WorkflowRun]
        public Task<string> RunAsync(string text) => throw new InvalidOperationException($"a bug, not a failure: {text}");
    }
}
