using System.Text.Json;
using Google.Protobuf;
using Temporalio.Api.Common.V1;

namespace Kohakku.Local.Temporal;

/// <summary>Payloads that the server itself writes or looks into: JSON, by their metadata.</summary>
internal static class JsonPayload
{
    private const string Encoding = "encoding";

    public static Payloads Text(string text) => new() { Payloads_ = { Json(JsonSerializer.SerializeToUtf8Bytes(text, JsonPayloadContext.Default.String)) } };

    public static Payload Json(byte[] json) => new() { Metadata = { [Encoding] = ByteString.CopyFromUtf8("json/plain") }, Data = ByteString.CopyFrom(json) };

    /// <summary>Stands for nothing: an explicit null, or an empty list.</summary>
    public static bool IsNil(Payload payload)
    {
        var encoding = payload.Metadata.TryGetValue(Encoding, out var value) ? value.ToStringUtf8() : "";
        if (encoding == "binary/null") return true;
        if (encoding != "json/plain") return false;
        var data = payload.Data.ToStringUtf8().Trim();
        return data is "null" or "[]" or "";
    }
}

[System.Text.Json.Serialization.JsonSerializable(typeof(string))]
internal sealed partial class JsonPayloadContext : System.Text.Json.Serialization.JsonSerializerContext;
