using System.Xml.Linq;
using Kohakku.Controller.Data;
using Microsoft.AspNetCore.DataProtection.Repositories;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Identity;

/// <summary>Keeps <see cref="SessionKey"/>s. Called once at the first use and once a day: the interface knows no asynchrony.</summary>
internal sealed class SessionKeyStore(IDbContextFactory<ControllerDb> databases, TimeProvider time) : IXmlRepository
{
    public IReadOnlyCollection<XElement> GetAllElements()
    {
        using var database = databases.CreateDbContext();
        return [.. database.Set<SessionKey>().AsNoTracking().Select(key => key.Xml).AsEnumerable().Select(xml => XElement.Parse(xml))];
    }

    public void StoreElement(XElement element, string friendlyName)
    {
        using var database = databases.CreateDbContext();
        database.Add(new SessionKey { Name = friendlyName, Xml = element.ToString(SaveOptions.DisableFormatting), CreatedAt = time.GetUtcNow() });
        database.SaveChanges();
    }
}
