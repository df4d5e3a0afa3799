using System.Text.Json;
using System.Text.Json.Serialization;

namespace Kohakku.Controller.Backup;

/// <summary><c>backup.json</c>: what a backup holds, and what it takes to restore it.</summary>
/// <param name="Format">Of the folder; a program knows <see cref="CurrentFormat"/> and older.</param>
/// <param name="Release">Kohakku's version that made it.</param>
/// <param name="Migration">The newest one of the database: a release that does not know it can't restore it.</param>
/// <param name="SecretKey">A fingerprint of <c>KOHAKKU_SECRET_KEY</c>, which is not in the backup.</param>
/// <param name="Objects">How many; <paramref name="ObjectBytes"/> of them together.</param>
internal sealed record BackupManifest(int Format, string Release, DateTimeOffset CreatedAt, string Migration, string SecretKey, long DatabaseBytes, long Objects, long ObjectBytes)
{
    public const int CurrentFormat = 1;
}

/// <summary>A line of <c>objects.jsonl</c>.</summary>
/// <param name="Sha256">Of the content, in hexadecimal: the name of the file that holds it.</param>
/// <param name="Size">Bytes.</param>
internal sealed record SavedObject(string Key, long Size, DateTimeOffset LastModified, string ContentType, string Sha256);

[JsonSourceGenerationOptions(JsonSerializerDefaults.Web)]
[JsonSerializable(typeof(BackupManifest))]
[JsonSerializable(typeof(SavedObject))]
internal sealed partial class BackupJson : JsonSerializerContext;
