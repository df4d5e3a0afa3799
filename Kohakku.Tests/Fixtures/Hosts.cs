using System.Runtime.CompilerServices;

namespace Kohakku.Tests.Fixtures;

/// <summary>For the many hosts of ASP.NET Core that tests start in this process.</summary>
internal static class Hosts
{
    /// <summary>The variable by which a host watches the settings files of its folder or not; what else lies below is watched with them.</summary>
    public const string Reload = "DOTNET_hostBuilder__reloadConfigOnChange";

    /// <summary>None is to watch the thousands of folders below the working directory. Services take care of that themselves.</summary>
    [ModuleInitializer]
    public static void WatchNothing() => Environment.SetEnvironmentVariable(Reload, "false");
}
