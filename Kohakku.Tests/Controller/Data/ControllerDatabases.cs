using Kohakku.Controller.Data;
using Microsoft.EntityFrameworkCore;
using Microsoft.EntityFrameworkCore.Infrastructure;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Kohakku.Tests.Controller.Data;

/// <summary>The controller's model over a test's own database, as the service has it.</summary>
internal static class ControllerDatabases
{
    public static IDbContextFactory<ControllerDb> Of(NpgsqlDataSource source)
    {
        var options = new DbContextOptionsBuilder<ControllerDb>();
        DataFeature.Configure(options, source);
        return new PooledDbContextFactory<ControllerDb>(options.Options);
    }

    public static DatabaseSchema Schema(NpgsqlDataSource source, ILogger<DatabaseSchema>? logger = null) =>
        new(Of(source), source, TimeProvider.System, logger ?? NullLogger<DatabaseSchema>.Instance);
}
