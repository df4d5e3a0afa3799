using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Projects;
using Kohakku.Tests.Controller.Data;
using Kohakku.Tests.Fixtures;
using Microsoft.EntityFrameworkCore;
using Microsoft.Extensions.Time.Testing;
using Npgsql;

namespace Kohakku.Tests.Controller.Identity;

public sealed class TokenLookupTests(PostgresFixture postgres) : IAsyncLifetime
{
    private readonly FakeTimeProvider _time = new(new DateTimeOffset(2030, 1, 1, 0, 0, 0, TimeSpan.Zero));
    private NpgsqlDataSource _database = null!;
    private TokenLookup _lookup = null!;
    private ApiTokens _tokens = null!;
    private Guid _projectId;

    private static CancellationToken Cancel => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        _database = NpgsqlDataSource.Create(await postgres.CreateDatabaseAsync(Cancel));
        var databases = ControllerDatabases.Of(_database);
        await ControllerDatabases.Schema(_database).ApplyAsync(Cancel);
        await using var database = databases.CreateDbContext();
        database.Projects.Add(new Project { Id = _projectId = Guid.CreateVersion7(), Name = "default", CreatedAt = _time.GetUtcNow() });
        await database.SaveChangesAsync(Cancel);
        _lookup = new TokenLookup(databases, _time);
        _tokens = new ApiTokens(databases, _lookup, _time);
    }

    public ValueTask DisposeAsync() => _database.DisposeAsync();

    [Fact]
    public async Task A_token_stands_for_its_project_and_role()
    {
        var caller = Caller.Of((await _lookup.FindAsync((await IssueAsync(null)).Token))!);
        Assert.Equal(new Caller(_projectId, "default", Role.Operator, "ci"), caller);
    }

    [Fact]
    public async Task A_token_opens_until_it_expires_and_not_after_though_it_was_just_looked_up()
    {
        var token = (await IssueAsync(_time.GetUtcNow().AddSeconds(3))).Token;
        Assert.NotNull(await _lookup.FindAsync(token));
        _time.Advance(TimeSpan.FromSeconds(3));
        Assert.Null(await _lookup.FindAsync(token));
    }

    [Fact]
    public async Task A_busy_token_costs_no_query_yet_what_another_controller_revoked_is_seen_within_seconds()
    {
        var (row, token) = await IssueAsync(null);
        Assert.NotNull(await _lookup.FindAsync(token));
        await ExecuteAsync($"DELETE FROM api_tokens WHERE id = '{row.Id}'");
        Assert.NotNull(await _lookup.FindAsync(token)); // Still the answer of before: nobody asked the database.
        _time.Advance(TokenLookup.Freshness);
        Assert.Null(await _lookup.FindAsync(token));
    }

    [Fact]
    public async Task What_is_revoked_here_opens_nothing_at_once()
    {
        var (row, token) = await IssueAsync(null);
        Assert.NotNull(await _lookup.FindAsync(token));
        Assert.True(await _tokens.RevokeAsync(row.Id, _projectId, Cancel));
        Assert.Null(await _lookup.FindAsync(token));
    }

    [Fact]
    public async Task An_unknown_token_that_is_made_meanwhile_is_known_at_once()
    {
        const string Token = "configured-by-the-operator";
        Assert.Null(await _lookup.FindAsync(Token));
        await _tokens.EnsureAdminAsync(_projectId, "configured", Token, Cancel);
        Assert.Equal(Role.Admin, Caller.Of((await _lookup.FindAsync(Token))!).Role);
    }

    [Fact]
    public async Task Its_last_use_is_written_at_most_once_a_minute()
    {
        var (row, token) = await IssueAsync(null);
        await _lookup.FindAsync(token);
        var first = await LastUsedAsync(row.Id);
        Assert.Equal(_time.GetUtcNow(), first);
        _time.Advance(TimeSpan.FromSeconds(30));
        await _lookup.FindAsync(token);
        Assert.Equal(first, await LastUsedAsync(row.Id));
        _time.Advance(TimeSpan.FromSeconds(31));
        await _lookup.FindAsync(token);
        Assert.Equal(_time.GetUtcNow(), await LastUsedAsync(row.Id));
    }

    [Fact]
    public async Task Many_who_ask_at_once_get_the_same_answer()
    {
        var token = (await IssueAsync(null)).Token;
        var answers = await Task.WhenAll(Enumerable.Range(0, 200).Select(_ => Task.Run(async () => await _lookup.FindAsync(token))));
        Assert.Single(answers.Distinct());
        Assert.NotNull(answers[0]);
    }

    private Task<(ApiToken Row, string Token)> IssueAsync(DateTimeOffset? expiresAt) => _tokens.IssueAsync(_projectId, "ci", Role.Operator, expiresAt, Cancel);

    private async Task<DateTimeOffset> LastUsedAsync(Guid id)
    {
        await using var command = _database.CreateCommand($"SELECT last_used_at FROM api_tokens WHERE id = '{id}'");
        return new DateTimeOffset((DateTime)(await command.ExecuteScalarAsync(Cancel))!);
    }

    private async Task ExecuteAsync(string sql)
    {
        await using var command = _database.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Cancel);
    }
}
