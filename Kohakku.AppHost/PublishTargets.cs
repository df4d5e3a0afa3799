namespace Kohakku.AppHost;

/// <summary>What Aspire can publish besides its manifest. The build for this machine publishes nothing.</summary>
internal static class PublishTargets
{
    /// <summary>With <c>-p:AspireCompose=true</c> (and UseAspire): <c>aspire publish</c> writes a compose file.</summary>
    public static void AddPublishTargets(this IDistributedApplicationBuilder builder)
    {
#if ASPIRE_COMPOSE
        builder.AddDockerComposeEnvironment("compose");
#else
        _ = builder;
#endif
    }
}
