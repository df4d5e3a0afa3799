using System.Text.Encodings.Web;
using System.Text.Json;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;

namespace Kohakku.ServiceDefaults;

/// <summary>
/// The argument <c>settings</c> of every service: prints what the service can be told, as a Markdown table or, with <c>--json</c>, as JSON. The service is put
/// together on an empty configuration and not built, so that neither the environment nor what is wrong in it makes a difference.
/// </summary>
internal static class SettingsCommand
{
    public const string Verb = "settings";
    private const string Json = "--json";
    private static readonly JsonSerializerOptions Format = new() { WriteIndented = true, Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public static bool IsMeant(string[] arguments) => arguments is [Verb] or [Verb, Json];

    public static async Task RunAsync(string[] arguments, Action<WebApplicationBuilder> add)
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        add(builder);
        var settings = builder.Settings().Declared;
        await Console.Out.WriteAsync(arguments is [_, Json] ? ToJson(settings) : ToMarkdown(settings));
    }

    internal static string ToMarkdown(IEnumerable<Setting> settings) =>
        string.Concat(settings.Select(Row).Prepend("| key | takes | default | meaning |\n| --- | --- | --- | --- |\n"));

    internal static string ToJson(IEnumerable<Setting> settings)
    {
        var array = new JsonArray([.. settings.Select(setting => new JsonObject
        {
            ["key"] = setting.Key,
            ["takes"] = setting.Takes,
            ["default"] = setting.Default,
            ["required"] = setting.Need switch { SettingNeed.Always => "always", SettingNeed.OutsideDevelopment => "outsideDevelopment", _ => null },
            ["secret"] = setting.IsSecret,
            ["meaning"] = setting.Meaning,
        })]);
        return array.ToJsonString(Format) + "\n";
    }

    private static string Row(Setting setting)
    {
        var holds = setting.Need switch
        {
            SettingNeed.Always => "required",
            SettingNeed.OutsideDevelopment => "required outside Development",
            _ => setting.Default ?? "unset",
        };
        return $"| `{setting.Key}` | {setting.Takes} | {holds} | {(setting.IsSecret ? "**Secret.** " : "")}{setting.Meaning} |\n";
    }
}
