using Microsoft.AspNetCore.Builder;

namespace Kohakku.ServiceDefaults;

/// <summary>How every service begins.</summary>
public static class ServiceBuilder
{
    /// <summary>A host reads its settings at its start, and files among them are not watched.</summary>
    private const string NoReload = "--hostBuilder:reloadConfigOnChange=false";

    /// <summary>
    /// The host's root is the program's folder, not the working directory: there it would look for settings files, and watch it with all that is below, which
    /// for a service that is started in <c>/</c> is the whole disk.
    /// </summary>
    /// <param name="arguments">Settings, as <c>--KEY=value</c>, over those of the environment.</param>
    public static WebApplicationBuilder Create(params string[] arguments) =>
        WebApplication.CreateBuilder(new WebApplicationOptions { Args = [NoReload, .. arguments], ContentRootPath = AppContext.BaseDirectory });
}
