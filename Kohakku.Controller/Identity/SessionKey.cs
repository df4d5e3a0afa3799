using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Metadata.Builders;

namespace Kohakku.Controller.Identity;

/// <summary>
/// A key that protects sessions and forms, made and rotated by ASP.NET Core's data protection. In the database, so that sessions survive
/// restarts and any controller knows them; encrypted by <see cref="SessionKeyEncryption"/>.
/// </summary>
internal sealed class SessionKey
{
    public required string Name { get; init; }
    public required string Xml { get; init; }
    public DateTimeOffset CreatedAt { get; init; }
}

internal sealed class SessionKeyMapping : IEntityTypeConfiguration<SessionKey>
{
    public void Configure(EntityTypeBuilder<SessionKey> builder)
    {
        builder.ToTable("session_keys");
        builder.HasKey(key => key.Name);
    }
}
