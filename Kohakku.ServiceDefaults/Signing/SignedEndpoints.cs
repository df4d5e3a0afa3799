using Microsoft.AspNetCore.Authorization;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.ServiceDefaults;

/// <summary>Marks an endpoint that takes only calls signed by a process of this installation.</summary>
public sealed class SignedEndpointMetadata
{
    internal static readonly SignedEndpointMetadata Instance = new();
}

public static class SignedEndpoints
{
    /// <summary>
    /// Lets only signed calls through. It wraps the endpoint instead of filtering it: a filter runs after the body was
    /// bound, and nothing should be parsed of a body that nobody vouches for. The signature stands in for authorization.
    /// </summary>
    public static TBuilder RequireSignature<TBuilder>(this TBuilder builder) where TBuilder : IEndpointConventionBuilder
    {
        builder.Add(endpoint =>
        {
            var next = endpoint.RequestDelegate ?? throw new InvalidOperationException("Only an endpoint with a handler can require a signature.");
            endpoint.Metadata.Add(SignedEndpointMetadata.Instance);
            endpoint.Metadata.Add(new AllowAnonymousAttribute());
            endpoint.RequestDelegate = context => context.RequestServices.GetRequiredService<SignatureCheck>().RunAsync(context, next);
        });
        return builder;
    }
}
