namespace Kohakku.AppHost;

/// <summary>The keys that the services share: made at the first start, and kept.</summary>
internal sealed record Secrets(IResourceBuilder<ParameterResource> CallbackSigningKey, IResourceBuilder<ParameterResource> SecretKey);

internal static class SecretsExtensions
{
    private static GenerateParameterDefault Random => new() { MinLength = 48, Special = false };

    public static Secrets AddSecrets(this IDistributedApplicationBuilder builder) => new(
        builder.AddParameter("callback-signing-key", Random, secret: true, persist: true),
        builder.AddParameter("secret-key", Random, secret: true, persist: true));

    public static IResourceBuilder<T> WithSecrets<T>(this IResourceBuilder<T> builder, Secrets secrets) where T : IResourceWithEnvironment => builder
        .WithEnvironment("CALLBACK_SIGNING_KEY", secrets.CallbackSigningKey)
        .WithEnvironment("KOHAKKU_SECRET_KEY", secrets.SecretKey);
}
