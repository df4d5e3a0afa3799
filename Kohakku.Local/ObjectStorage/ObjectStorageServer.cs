using System.CommandLine;
using Kohakku.Local.ObjectStorage.Authentication;
using Kohakku.Local.ObjectStorage.Storage;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Logging;

namespace Kohakku.Local.ObjectStorage;

/// <param name="Urls">Where to listen, separated by semicolons; port 0 takes a free one.</param>
/// <param name="Folder">Where the objects are kept; made if missing.</param>
internal sealed record ObjectStorageServerOptions(string Urls, string Folder, string AccessKey, string SecretKey);

/// <summary>An S3 server on files, for a machine that has none: the part of the protocol that Kohakku and the usual clients speak.</summary>
internal static class ObjectStorageServer
{
    /// <summary>The command <c>s3</c>; the keys come from the environment, where other processes can't see them.</summary>
    public static Command Command()
    {
        var urls = new Option<string>("--urls") { Description = "Where to listen.", DefaultValueFactory = _ => "http://127.0.0.1:9000" };
        var data = new Option<DirectoryInfo>("--data") { Description = "Folder of the objects; made if missing.", Required = true };
        var command = new Command("s3", "Serves object storage by the S3 protocol from a folder. Keys: S3_ACCESS_KEY and S3_SECRET_KEY.") { urls, data };
        command.SetAction((parsed, cancellationToken) => RunAsync(parsed.GetValue(urls)!, parsed.GetValue(data)!.FullName, cancellationToken));
        return command;
    }

    public static WebApplication Build(ObjectStorageServerOptions options, TimeProvider? time = null)
    {
        var builder = ServerBuilder.Create();
        builder.WebHost.UseUrls(options.Urls);
        builder.WebHost.ConfigureKestrel(kestrel =>
        {
            kestrel.AddServerHeader = false;
            // Sizes are S3's to limit, and it answers in its own way.
            kestrel.Limits.MaxRequestBodySize = null;
        });
        builder.Logging.AddFilter("Microsoft.AspNetCore", LogLevel.Warning);
        builder.Logging.AddSimpleConsole(console => console.SingleLine = true);
        builder.Services.AddSingleton(time ?? TimeProvider.System);
        builder.Services.AddSingleton(new ObjectStore(options.Folder));
        builder.Services.AddSingleton(services => new SignatureVerifier(options.AccessKey, options.SecretKey, services.GetRequiredService<TimeProvider>()));
        builder.Services.AddSingleton<S3Dispatch>();
        var app = builder.Build();
        var dispatch = app.Services.GetRequiredService<S3Dispatch>();
        // No routing: keys are not routes.
        app.Run(context => context.Request is { Method: "GET", Path.Value: "/health", QueryString.HasValue: false }
            ? context.Response.WriteAsync("""{"status":"healthy"}""", context.RequestAborted)
            : dispatch.HandleAsync(context));
        return app;
    }

    private static async Task<int> RunAsync(string urls, string folder, CancellationToken cancellationToken)
    {
        var accessKey = Environment.GetEnvironmentVariable("S3_ACCESS_KEY");
        var secretKey = Environment.GetEnvironmentVariable("S3_SECRET_KEY");
        if (string.IsNullOrEmpty(accessKey) || string.IsNullOrEmpty(secretKey))
        {
            await Console.Error.WriteLineAsync("kohakku-local s3: S3_ACCESS_KEY and S3_SECRET_KEY must be set; they take any text.");
            return 78;
        }
        await using var app = Build(new ObjectStorageServerOptions(urls, folder, accessKey, secretKey));
        try
        {
            await HostingAbstractionsHostExtensions.RunAsync(app, cancellationToken);
            return 0;
        }
        catch (IOException exception)
        {
            // Most often the port is taken.
            await Console.Error.WriteLineAsync($"kohakku-local s3: {exception.Message}");
            return 1;
        }
    }
}
