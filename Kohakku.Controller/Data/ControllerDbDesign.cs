using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Design;

namespace Kohakku.Controller.Data;

/// <summary>Lets <c>dotnet ef migrations add</c> see the model without starting the service or a database (see docs/controller.md).</summary>
internal sealed class ControllerDbDesign : IDesignTimeDbContextFactory<ControllerDb>
{
    public ControllerDb CreateDbContext(string[] args) =>
        new(new DbContextOptionsBuilder<ControllerDb>().UseNpgsql("Host=none").UseSnakeCaseNamingConvention().Options);
}
