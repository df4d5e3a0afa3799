using Aspire.Hosting;
using Aspire.Hosting.ApplicationModel;
using Aspire.Hosting.Testing;
using Kohakku.Local.Hosting.Engine;
using Kohakku.Local.Hosting.Postgres;
using Kohakku.Local.Hosting.Processes;
using Kohakku.Tests.Fixtures;
using Npgsql;

namespace Kohakku.Tests.Local.Hosting;

public sealed class PostgresTests
{
    private static CancellationToken Cancellation => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Its_databases_are_there_with_a_password_and_durable_and_survive_kills_and_restarts()
    {
        Requirement.Program("initdb");
        await using var test = new TestApplication();
        var database = Add(test);
        var app = await test.StartAsync();
        var connection = await AddressAsync(database);
        Assert.Equal("onon", await AskAsync(connection, "SELECT current_setting('fsync') || current_setting('synchronous_commit')"));
        Assert.Equal("200", await AskAsync(connection, "SELECT current_setting('max_connections')"));
        await AskAsync(connection, "CREATE TABLE kept (id int)");
        await Assert.ThrowsAsync<PostgresException>(() => AskAsync(connection.Replace("Password=", "Password=x", StringComparison.Ordinal), "SELECT 1"));

        Assert.NotNull(app.ProcessOf("postgres")).Signal(LibC.SigKill);
        await Eventually.Async(() => test.Supervisor("postgres") is { Restarts: > 0, State: ServiceState.Healthy });
        Assert.Equal("0", await AskAsync(connection, "SELECT count(*) FROM kept"));
        await test.StopAsync();

        await using var next = new TestApplication(test.DataFolder);
        database = Add(next);
        await next.StartAsync();
        connection = await AddressAsync(database);
        Assert.Equal("0", await AskAsync(connection, "SELECT count(*) FROM kept"));
    }

    [Fact]
    public async Task A_lock_left_by_a_server_whose_number_another_process_has_now_does_not_keep_it_from_starting()
    {
        Requirement.Program("initdb");
        await using var test = new TestApplication();
        Add(test);
        await test.StartAsync();
        await test.StopAsync();
        await File.WriteAllTextAsync(test.PathOf("postgres/data/postmaster.pid"), $"{Environment.ProcessId}\n{test.PathOf("postgres/data")}\n", Cancellation);

        await using var next = new TestApplication(test.DataFolder);
        Add(next);
        await next.StartAsync();

        Assert.Equal(ServiceState.Healthy, next.Supervisor("postgres").State);
        Assert.Equal(0, next.Supervisor("postgres").Restarts);
    }

    [Fact]
    public async Task Started_by_root_in_a_folder_that_others_may_not_enter_its_data_moves_and_the_table_says_where()
    {
        Requirement.Program("initdb");
        Requirement.Met(Environment.IsPrivilegedProcess, "this is about root");
        var closed = Directory.CreateTempSubdirectory("kohakku-closed-").FullName; // 0700, root's
        var elsewhere = "";
        try
        {
            await using var test = new TestApplication(Path.Combine(closed, "data"));
            Add(test);
            await test.StartAsync();

            var address = Summary.Rows(test.Builder.Resources, test.App!.Supervisors).Single(row => row.Resource == "postgres").Address;
            elsewhere = address[address.IndexOf("/var/lib/kohakku/", StringComparison.Ordinal)..^1];
            Assert.True(File.Exists(Path.Combine(elsewhere, "data", "PG_VERSION")));
            Assert.False(Directory.Exists(test.PathOf("postgres")));
        }
        finally
        {
            Directory.Delete(closed, recursive: true);
            if (elsewhere.Length > 0) Directory.Delete(elsewhere, recursive: true);
        }
    }

    [Fact]
    public async Task A_start_cut_short_in_the_middle_of_making_the_cluster_leaves_nothing_half_made()
    {
        Requirement.Program("initdb");
        await using var test = new TestApplication();
        Directory.CreateDirectory(test.PathOf("postgres/data.new/base"));
        await File.WriteAllTextAsync(test.PathOf("postgres/data.new/PG_VERSION"), "15\n", Cancellation);
        Add(test);

        await test.StartAsync();

        Assert.Equal(ServiceState.Healthy, test.Supervisor("postgres").State);
        Assert.False(Directory.Exists(test.PathOf("postgres/data.new")));
    }

    [Fact]
    public async Task A_missing_version_is_named()
    {
        var fault = await Assert.ThrowsAsync<InvalidOperationException>(() => PostgresInstallation.FindAsync(9, Cancellation));
        Assert.Contains("PostgreSQL 9", fault.Message, StringComparison.Ordinal);
    }

    private static IResourceBuilder<PostgresDatabaseResource> Add(TestApplication test) =>
        test.Builder.AddPostgres("postgres").WithDataVolume().AddDatabase("work-database", "work");

    private static async Task<string> AddressAsync(IResourceBuilder<PostgresDatabaseResource> database) =>
        await database.Resource.ConnectionStringExpression.GetValueAsync(Cancellation) ?? throw new InvalidOperationException("It has no address.");

    private static async Task<string?> AskAsync(string connectionString, string sql)
    {
        await using var source = NpgsqlDataSource.Create(connectionString + ";Pooling=false");
        await using var command = source.CreateCommand(sql);
        return (await command.ExecuteScalarAsync(Cancellation))?.ToString();
    }
}
