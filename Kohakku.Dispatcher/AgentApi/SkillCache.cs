using System.Collections.Concurrent;
using System.Security.Cryptography;
using Kohakku.Contracts.Dispatching;

namespace Kohakku.Dispatcher.AgentApi;

/// <summary>
/// Packages of skills on this host's disk, by digest. A package is fetched once however many attempts ask at once, and what is there
/// was checked against its digest. The least recently used go when all together are too large. Safe for any thread.
/// </summary>
internal sealed partial class SkillCache(DispatcherOptions options, StorageClient storage, TimeProvider time, ILogger<SkillCache> logger)
{
    private const long LargestTotal = 1024L * 1024 * 1024;
    private readonly ConcurrentDictionary<string, Lazy<Task<string>>> fetches = new(StringComparer.Ordinal);
    private readonly string folder = Path.Combine(options.DataFolder, "skills");

    /// <returns>The zip, open for reading: it can be read to its end also when it is evicted meanwhile.</returns>
    /// <exception cref="HttpRequestException">It could not be fetched.</exception>
    /// <exception cref="InvalidDataException">What was fetched is not what was ordered.</exception>
    public async Task<FileStream> OpenAsync(OrderedSkill skill, CancellationToken cancellationToken)
    {
        if (skill.Digest.Length != 64 || !skill.Digest.All(char.IsAsciiHexDigitLower)) throw new InvalidDataException($"The digest of skill {skill.Name} is no SHA-256.");
        var path = Path.Combine(folder, $"{skill.Digest}.zip");
        if (!File.Exists(path))
        {
            var fetch = fetches.GetOrAdd(skill.Digest, _ => new Lazy<Task<string>>(() => FetchAsync(skill, path)));
            await fetch.Value.WaitAsync(cancellationToken);
        }
        var file = new FileStream(path, FileMode.Open, FileAccess.Read, FileShare.Read | FileShare.Delete);
        File.SetLastAccessTimeUtc(file.SafeFileHandle, time.GetUtcNow().UtcDateTime);
        return file;
    }

    private async Task<string> FetchAsync(OrderedSkill skill, string path)
    {
        // Goes on when its first caller goes away: others wait for it too.
        await Task.Yield();
        var partial = $"{path}.{Guid.NewGuid():N}.part";
        try
        {
            Directory.CreateDirectory(folder);
            await using (var file = new FileStream(partial, FileMode.CreateNew, FileAccess.ReadWrite))
            {
                await storage.CopyToAsync(new Uri(skill.Url), file, CancellationToken.None);
                file.Position = 0;
                var digest = Convert.ToHexStringLower(await SHA256.HashDataAsync(file));
                if (digest != skill.Digest) throw new InvalidDataException($"Skill {skill.Name} version {skill.Version} has digest {digest}, not {skill.Digest} as ordered.");
            }
            File.Move(partial, path, overwrite: true);
            Evict(path);
            return path;
        }
        finally
        {
            File.Delete(partial);
            fetches.TryRemove(skill.Digest, out _);
        }
    }

    private void Evict(string newest)
    {
        var packages = new DirectoryInfo(folder).GetFiles("*.zip").OrderByDescending(file => file.LastAccessTimeUtc).ToList();
        var total = 0L;
        foreach (var package in packages)
        {
            total += package.Length;
            if (total <= LargestTotal || package.FullName == newest) continue;
            package.Delete();
            LogEvicted(package.Name);
        }
    }

    [LoggerMessage(390, LogLevel.Information, "Skill package {Name} is removed from this host's cache, to make room")]
    private partial void LogEvicted(string name);
}
