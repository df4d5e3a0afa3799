using Kohakku.Local.Temporal.Visibility;
using Temporalio.Api.Enums.V1;
using Temporalio.Api.OperatorService.V1;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary><c>temporal.api.operatorservice.v1.OperatorService</c>: the search attributes of a namespace.</summary>
internal sealed class OperatorService(SearchAttributeRegistry searchAttributes, NamespaceCheck check) : GrpcService
{
    public override string ServiceName => "temporal.api.operatorservice.v1.OperatorService";

    public override void Map(GrpcMethods methods)
    {
        methods.Add<AddSearchAttributesRequest, AddSearchAttributesResponse>("AddSearchAttributes", async (request, call) =>
        {
            check.Check(request.Namespace);
            if (request.SearchAttributes.Count == 0) throw RpcErrors.Invalid("SearchAttributes are not set on request.");
            await searchAttributes.AddAsync(request.Namespace, new Dictionary<string, IndexedValueType>(request.SearchAttributes), call.CancellationToken);
            return new AddSearchAttributesResponse();
        });
        methods.Add<RemoveSearchAttributesRequest, RemoveSearchAttributesResponse>("RemoveSearchAttributes", async (request, call) =>
        {
            check.Check(request.Namespace);
            if (request.SearchAttributes.Count == 0) throw RpcErrors.Invalid("SearchAttributes are not set on request.");
            await searchAttributes.RemoveAsync(request.Namespace, request.SearchAttributes, call.CancellationToken);
            return new RemoveSearchAttributesResponse();
        });
        methods.Add<ListSearchAttributesRequest, ListSearchAttributesResponse>("ListSearchAttributes", (request, _) =>
        {
            check.Check(request.Namespace);
            var answer = new ListSearchAttributesResponse();
            foreach (var (name, type) in SearchAttributeRegistry.System) answer.SystemAttributes[name] = type;
            foreach (var (name, type) in searchAttributes.Custom(request.Namespace)) answer.CustomAttributes[name] = type;
            return Task.FromResult(answer);
        });
    }
}
