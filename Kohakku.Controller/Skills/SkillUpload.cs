using System.Security.Cryptography;
using Kohakku.Contracts.Storage;
using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Skills;

/// <summary>Takes a package in: through a file of its own, since it may be large and a zip is read from its end.</summary>
internal sealed class SkillUpload(SkillRegistry registry, ObjectStorage storage)
{
    /// <summary>Answers null when the package is refused; <paramref name="faults"/> then says why.</summary>
    public async Task<(SkillView Skill, bool IsNew)?> TakeAsync(Guid projectId, string name, Stream body, List<string> faults, CancellationToken cancellationToken)
    {
        await using var file = new FileStream(
            Path.Combine(Path.GetTempPath(), $"kohakku-skill-{Guid.NewGuid():N}.zip"), FileMode.CreateNew, FileAccess.ReadWrite, FileShare.None, 64 * 1024,
            FileOptions.Asynchronous | FileOptions.DeleteOnClose);
        if (await ReceiveAsync(body, file, cancellationToken) is not { } digest)
        {
            faults.Add($"must be at most {SkillPackage.MaxBytes / (1024 * 1024)} MiB");
            return null;
        }

        file.Position = 0;
        if (await SkillPackage.InspectAsync(file, name, faults, cancellationToken) is not { } manifest) return null;
        file.Position = 0;
        var size = file.Length;
        await storage.PutAsync(ObjectKeys.Skill(name, digest), file, "application/zip", cancellationToken);
        return await registry.AddVersionAsync(projectId, name, digest, size, manifest.Description, cancellationToken);
    }

    /// <summary>Answers the SHA-256 in lower-case hex; null when there is too much.</summary>
    private static async Task<string?> ReceiveAsync(Stream body, FileStream file, CancellationToken cancellationToken)
    {
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[64 * 1024];
        int read;
        while ((read = await body.ReadAsync(buffer, cancellationToken)) > 0)
        {
            if (file.Length + read > SkillPackage.MaxBytes) return null;
            hash.AppendData(buffer, 0, read);
            await file.WriteAsync(buffer.AsMemory(0, read), cancellationToken);
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }
}
