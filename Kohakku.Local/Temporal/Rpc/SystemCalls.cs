using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>What the server is and can do.</summary>
internal static class SystemCalls
{
    /// <summary>Of the protocol, as clients ask for it: the real server whose behaviour this one follows.</summary>
    public const string ServerVersion = "1.29.0";

    public static void Map(GrpcMethods methods)
    {
        methods.Add<GetSystemInfoRequest, GetSystemInfoResponse>("GetSystemInfo", static (_, _) => Task.FromResult(new GetSystemInfoResponse
        {
            ServerVersion = ServerVersion,
            Capabilities = new()
            {
                SignalAndQueryHeader = true,
                InternalErrorDifferentiation = true,
                ActivityFailureIncludeHeartbeat = true,
                EncodedFailureAttributes = true,
                UpsertMemo = true,
                SdkMetadata = true,
                BuildIdBasedVersioning = true,
                CountGroupByExecutionStatus = true,
            },
        }));
        methods.Add<GetClusterInfoRequest, GetClusterInfoResponse>("GetClusterInfo", static (_, _) => Task.FromResult(new GetClusterInfoResponse
        {
            ServerVersion = ServerVersion,
            ClusterName = "kohakku-local",
            ClusterId = "kohakku-local",
            HistoryShardCount = 1,
            PersistenceStore = "postgres12",
            VisibilityStore = "postgres12",
        }));
    }
}
