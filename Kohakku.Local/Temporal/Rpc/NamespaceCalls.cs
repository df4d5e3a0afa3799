using Google.Protobuf;
using Grpc.Core;
using Kohakku.Local.Temporal.Storage;
using Microsoft.Extensions.Options;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.WorkflowService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Namespaces: those the server was started with, and others that clients register.</summary>
internal sealed class NamespaceCalls(NamespaceStore namespaces, IOptions<RetentionOptions> retention)
{
    private const int PayloadLimit = 2 * 1024 * 1024;

    public void Map(GrpcMethods methods)
    {
        methods.Add<DescribeNamespaceRequest, DescribeNamespaceResponse>("DescribeNamespace", (request, _) => Task.FromResult(Describe(request)));
        methods.Add<ListNamespacesRequest, ListNamespacesResponse>("ListNamespaces", (request, _) => Task.FromResult(List(request)));
        methods.Add<RegisterNamespaceRequest, RegisterNamespaceResponse>("RegisterNamespace", RegisterAsync);
    }

    /// <summary>A namespace that is there from the start.</summary>
    public async Task EnsureAsync(string name, CancellationToken cancellationToken)
    {
        if (namespaces.Find(name) is null) await namespaces.AddAsync(Row(new RegisterNamespaceRequest { Namespace = name }), cancellationToken);
    }

    private DescribeNamespaceResponse Describe(DescribeNamespaceRequest request)
    {
        var row = request.Id.Length > 0
            ? Guid.TryParse(request.Id, out var id) ? namespaces.Find(id) : null
            : request.Namespace.Length > 0 ? namespaces.Find(request.Namespace) : throw RpcErrors.Invalid("Namespace not set on request.");
        if (row is null) throw RpcErrors.NamespaceNotFound(request.Namespace.Length > 0 ? request.Namespace : request.Id);
        var described = row.Description.Clone();
        // What this server can do is its own matter, whatever version made the namespace.
        described.NamespaceInfo.Capabilities = new() { SyncUpdate = true, AsyncUpdate = true, WorkerPollCompleteOnShutdown = true };
        described.NamespaceInfo.Limits = new() { BlobSizeLimitError = PayloadLimit, MemoSizeLimitError = PayloadLimit };
        described.Config.WorkflowExecutionRetentionTtl = retention.Value.Retention.ToDuration();
        return described;
    }

    private ListNamespacesResponse List(ListNamespacesRequest request)
    {
        const int DefaultPage = 100;
        var after = request.NextPageToken.ToStringUtf8();
        var size = request.PageSize > 0 ? request.PageSize : DefaultPage;
        var page = namespaces.All.Where(row => string.CompareOrdinal(row.Name, after) > 0).Take(size + 1).ToList();
        var answer = new ListNamespacesResponse();
        answer.Namespaces.Add(page.Take(size).Select(row => Describe(new() { Namespace = row.Name })));
        if (page.Count > size) answer.NextPageToken = ByteString.CopyFromUtf8(page[size - 1].Name);
        return answer;
    }

    private async Task<RegisterNamespaceResponse> RegisterAsync(RegisterNamespaceRequest request, ServerCallContext call)
    {
        if (request.Namespace.Length == 0) throw RpcErrors.Invalid("Namespace not set on request.");
        if (!await namespaces.AddAsync(Row(request), call.CancellationToken))
        {
            throw RpcErrors.With(StatusCode.AlreadyExists, "Namespace already exists.", new Temporalio.Api.ErrorDetails.V1.NamespaceAlreadyExistsFailure());
        }
        return new RegisterNamespaceResponse();
    }

    private NamespaceRow Row(RegisterNamespaceRequest request)
    {
        var id = Guid.CreateVersion7();
        var info = new Temporalio.Api.Namespace.V1.NamespaceInfo
        {
            Name = request.Namespace, Id = id.ToString(), State = NamespaceState.Registered, Description = request.Description, OwnerEmail = request.OwnerEmail,
        };
        info.Data.Add(request.Data);
        return new NamespaceRow(id, request.Namespace, new DescribeNamespaceResponse
        {
            NamespaceInfo = info,
            Config = new() { WorkflowExecutionRetentionTtl = retention.Value.Retention.ToDuration() },
            ReplicationConfig = new() { ActiveClusterName = "active", Clusters = { new Temporalio.Api.Replication.V1.ClusterReplicationConfig { ClusterName = "active" } } },
        });
    }
}
