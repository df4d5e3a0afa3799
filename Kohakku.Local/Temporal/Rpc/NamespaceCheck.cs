using Kohakku.Local.Temporal.Storage;

namespace Kohakku.Local.Temporal.Rpc;

/// <summary>Each call names a namespace, which must be there.</summary>
internal sealed class NamespaceCheck(NamespaceStore namespaces)
{
    /// <exception cref="Grpc.Core.RpcException">INVALID_ARGUMENT: none is named. NOT_FOUND: there is no such namespace.</exception>
    public void Check(string name)
    {
        if (name.Length == 0) throw RpcErrors.Invalid("Namespace not set on request.");
        if (namespaces.Find(name) is null) throw RpcErrors.NamespaceNotFound(name);
    }

    /// <summary>For an answer to a task, whose token names the namespace too: it is looked at where the caller names it, and before the token.</summary>
    /// <exception cref="Grpc.Core.RpcException">NOT_FOUND: there is no such namespace.</exception>
    public void CheckGiven(string name)
    {
        if (name.Length > 0) Check(name);
    }
}
