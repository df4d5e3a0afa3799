using Microsoft.EntityFrameworkCore.Migrations;

#nullable disable

namespace Kohakku.Controller.Data.Migrations
{
    /// <summary>The table is read before the model is used, and is no part of it. Programs older than this migration refuse every newer database, so the floor begins here.</summary>
    public partial class SchemaFloor : Migration
    {
        /// <inheritdoc />
        protected override void Up(MigrationBuilder migrationBuilder) => migrationBuilder.Sql(
            """
            CREATE TABLE schema_floor (only_row boolean PRIMARY KEY DEFAULT true CHECK (only_row), migration text NOT NULL);
            INSERT INTO schema_floor (migration) VALUES ('20261128082326_SchemaFloor');
            """);

        /// <inheritdoc />
        protected override void Down(MigrationBuilder migrationBuilder) => migrationBuilder.Sql("DROP TABLE schema_floor");
    }
}
