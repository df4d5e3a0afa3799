using System.Text.Json.Serialization;

namespace Kohakku.Local.Temporal.Runs.State;

/// <summary>Which run, without its workflow id.</summary>
internal readonly record struct RunKey(string Namespace, Guid RunId)
{
    [JsonIgnore]
    public string Text => RunId.ToString();
}
