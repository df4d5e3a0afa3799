using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.Json;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.Extensions.DependencyInjection;

namespace Kohakku.ServiceDefaults;

internal static class ServerDefaults
{
    /// <summary>The largest body that is taken unless an endpoint says otherwise.</summary>
    public const long MaxRequestBodySize = 32 * 1024 * 1024;

    public static void AddServerDefaults(this WebApplicationBuilder builder)
    {
        builder.WebHost.ConfigureKestrel(options =>
        {
            options.AddServerHeader = false;
            options.Limits.MaxRequestBodySize = MaxRequestBodySize;
        });
        builder.Services.ConfigureHttpJsonOptions(options => UseContracts(options.SerializerOptions));
    }

    /// <summary>Reads and writes as <see cref="ContractsJson"/> does, whose own options do not come with its resolver.</summary>
    private static void UseContracts(JsonSerializerOptions options)
    {
        options.TypeInfoResolverChain.Insert(0, ContractsJson.Default);
        options.RespectNullableAnnotations = true;
        options.RespectRequiredConstructorParameters = true;
        options.AllowDuplicateProperties = false;
        options.PropertyNameCaseInsensitive = false;
        options.NumberHandling = JsonNumberHandling.Strict;
    }
}
