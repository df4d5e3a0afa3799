using Microsoft.EntityFrameworkCore.Migrations;

namespace Kohakku.Controller.Data;

/// <summary>
/// The migration that a program must at least know to work on the database: one row of <c>schema_floor</c>. Migrations that only add leave it alone, so that
/// the release before works on. One that takes away or changes what earlier programs use raises it to the migration by which programs stopped using it:
/// <c>migrationBuilder.RaiseSchemaFloor("20270101000000_Name")</c>. It never sinks. See docs/upgrade.md.
/// </summary>
internal static class SchemaFloor
{
    /// <summary>Answers no row where nothing has made the table yet.</summary>
    public const string Read = "SELECT migration FROM schema_floor";

    /// <param name="migration">The full id; ids sort by their time.</param>
    public static void RaiseSchemaFloor(this MigrationBuilder migrations, string migration) =>
        migrations.Sql($"UPDATE schema_floor SET migration = greatest(migration COLLATE \"C\", '{migration}')");
}
