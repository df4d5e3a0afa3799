using Microsoft.AspNetCore.Builder;

namespace Kohakku.Local;

/// <summary>How each of the servers begins.</summary>
internal static class ServerBuilder
{
    /// <summary>No settings files are watched.</summary>
    private const string NoReload = "--hostBuilder:reloadConfigOnChange=false";

    /// <summary>The host's root is not the working directory, which it would watch with all that is below, such as a database's files.</summary>
    public static WebApplicationBuilder Create() =>
        WebApplication.CreateSlimBuilder(new WebApplicationOptions { Args = [NoReload], ContentRootPath = AppContext.BaseDirectory });
}
