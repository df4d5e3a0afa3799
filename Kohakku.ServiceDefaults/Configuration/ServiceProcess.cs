using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.Options;

namespace Kohakku.ServiceDefaults;

/// <summary>Turns the end of a service into its exit code.</summary>
public static class ServiceProcess
{
    /// <summary>The exit code of a wrong configuration, <c>EX_CONFIG</c> of sysexits.h: a restart can't help.</summary>
    public const int ConfigurationFault = 78;

    /// <summary>
    /// Runs <paramref name="main"/>. A wrong configuration prints one line per fault to the error stream and answers
    /// <see cref="ConfigurationFault"/>; any other exception is printed whole and answers 1.
    /// </summary>
    public static Task<int> RunAsync(string[] args, Func<string[], Task> main)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunAsync(args, AppDomain.CurrentDomain.FriendlyName, main);
    }

    /// <inheritdoc cref="RunAsync(string[], string, Action{WebApplicationBuilder}, Func{WebApplicationBuilder, Task{int}})"/>
    public static Task<int> RunAsync(string[] args, string serviceName, Action<WebApplicationBuilder> add, Func<WebApplicationBuilder, Task> run)
    {
        ArgumentNullException.ThrowIfNull(run);
        return RunAsync(args, serviceName, add, async builder =>
        {
            await run(builder);
            return 0;
        });
    }

    /// <summary>
    /// Runs a service that <paramref name="add"/> puts together: <paramref name="run"/> builds it and answers its exit code when it has ended. With <c>settings</c> it is
    /// put together only, to say what it reads (see <see cref="SettingsCommand"/>).
    /// </summary>
    /// <param name="serviceName">Stands before every line.</param>
    public static Task<int> RunAsync(string[] args, string serviceName, Action<WebApplicationBuilder> add, Func<WebApplicationBuilder, Task<int>> run)
    {
        ArgumentNullException.ThrowIfNull(add);
        ArgumentNullException.ThrowIfNull(run);
        return RunAsync(args, serviceName, async arguments =>
        {
            if (SettingsCommand.IsMeant(arguments))
            {
                await SettingsCommand.RunAsync(arguments, add);
                return 0;
            }
            var builder = ServiceBuilder.Create(arguments);
            add(builder);
            return await run(builder);
        });
    }

    /// <inheritdoc cref="RunAsync(string[], Func{string[], Task})"/>
    /// <param name="serviceName">Stands before every line.</param>
    public static Task<int> RunAsync(string[] args, string serviceName, Func<string[], Task> main)
    {
        ArgumentNullException.ThrowIfNull(main);
        return RunAsync(args, serviceName, async arguments =>
        {
            await main(arguments);
            return 0;
        });
    }

    /// <inheritdoc cref="RunAsync(string[], string, Func{string[], Task})"/>
    /// <param name="args">With <c>health</c> the service is not run but asked (see <see cref="HealthCommand"/>).</param>
    /// <param name="main">Answers the exit code, as a command does.</param>
    public static async Task<int> RunAsync(string[] args, string serviceName, Func<string[], Task<int>> main)
    {
        ArgumentNullException.ThrowIfNull(main);
        if (HealthCommand.IsMeant(args)) return await HealthCommand.RunAsync(serviceName, args);
        try
        {
            return await main(args);
        }
        catch (Exception exception) when (ConfigurationFaults(exception) is { Count: > 0 } faults)
        {
            foreach (var fault in faults) await Console.Error.WriteLineAsync($"{serviceName}: {fault}");
            return ConfigurationFault;
        }
#pragma warning disable CA1031 // The last frame of the process: whatever comes this far must be told and become an exit code.
        catch (Exception exception)
#pragma warning restore CA1031
        {
            await Console.Error.WriteLineAsync($"{serviceName}: {exception}");
            return 1;
        }
    }

    /// <summary>What is wrong with the configuration, wherever in the chain it was thrown; empty for any other exception.</summary>
    internal static IReadOnlyList<string> ConfigurationFaults(Exception exception) => exception switch
    {
        OptionsValidationException validation => [.. validation.Failures],
        ConfigurationException fault => [fault.Message],
        AggregateException several => [.. several.InnerExceptions.SelectMany(ConfigurationFaults)],
        { InnerException: { } inner } => ConfigurationFaults(inner),
        _ => [],
    };
}
