using Kohakku.ServiceDefaults;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.Hosting;
using Microsoft.Extensions.Hosting.Internal;

namespace Kohakku.Tests.ServiceDefaults;

/// <summary>Outside Development nothing starts with a password or key that is missing or that everyone knows, and the line that says so does not show it.</summary>
public sealed class KnownSecretsTests
{
    private const string Connection = "ConnectionStrings__controller";

    [Theory]
    [InlineData("Host=db;Username=me;Password=Wx7-something-of-my-own;Database=controller")]
    [InlineData("Host=db;Username=me;Passfile=/run/secrets/pgpass")]
    [InlineData("Host=db;Username=me;SSL Certificate=/run/secrets/client.pem")]
    [InlineData("Host=/var/run/postgresql;Username=me")]
    [InlineData("Host=db;Username=me;Require Auth=GSS")]
    public void A_database_with_a_password_or_another_way_in_is_taken(string given) => Assert.Empty(Database(Environments.Production, (Connection, given)));

    [Theory]
    [InlineData("Host=db;Username=me")]
    [InlineData("Host=db;Username=me;Password=")]
    [InlineData("Host=/var/run/postgresql,db;Username=me")]
    public void A_database_without_a_password_is_refused_by_one_line(string given) => Assert.Equal(
        "ConnectionStrings__controller has no password; outside Development it takes Password=…, Passfile=…, SSL Certificate=…, or the folder of a Unix socket as Host.",
        Assert.Single(Database(Environments.Production, (Connection, given))));

    [Theory]
    [InlineData("postgres")]
    [InlineData("Password")]
    [InlineData("kohakku")]
    [InlineData("changeme")]
    [InlineData("somebody")]
    [InlineData("somewhere")]
    public void A_databases_password_that_everyone_knows_is_refused_and_not_shown(string password)
    {
        var fault = Assert.Single(Database(Environments.Production, (Connection, $"Host=db;Username=somebody;Database=somewhere;Password={password}")));
        Assert.StartsWith("ConnectionStrings__controller has a password that everyone knows or can guess; outside Development it takes one of your own", fault, StringComparison.Ordinal);
        if (password != "Password") Assert.DoesNotContain(password, fault, StringComparison.Ordinal);
        Assert.StartsWith(
            "POSTGRES_PASSWORD has a password that everyone knows",
            Assert.Single(Database(Environments.Production, ("POSTGRES_USER", "somebody"), ("POSTGRES_DB", "somewhere"), ("POSTGRES_PASSWORD", password))), StringComparison.Ordinal);
    }

    [Fact]
    public void The_parts_of_a_connection_are_held_to_the_same()
    {
        Assert.Equal(
            "POSTGRES_PASSWORD is not set; outside Development it takes the password of the database's user.", Assert.Single(Database(Environments.Production)));
        Assert.Empty(Database(Environments.Production, ("POSTGRES_HOST", "/var/run/postgresql")));
        Assert.Empty(Database(Environments.Production, ("POSTGRES_PASSWORD", "Wx7-something-of-my-own")));
    }

    [Fact]
    public void A_connection_string_makes_the_parts_meaningless_whatever_they_are()
    {
        // As Kubernetes sets it where there is a service called postgres.
        Assert.Empty(Database(Environments.Production, (Connection, "Host=db;Username=me;Password=Wx7-something-of-my-own"), ("POSTGRES_PORT", "tcp://10.0.0.1:5432"), ("POSTGRES_PASSWORD", "postgres")));
        Assert.Single(Database(Environments.Production, (Connection, "Host=db;Username=me"), ("POSTGRES_PASSWORD", "Wx7-something-of-my-own")));
    }

    [Fact]
    public void Development_takes_what_there_is()
    {
        Assert.Empty(Database(Environments.Development));
        Assert.Empty(Database(Environments.Development, (Connection, "Host=db;Username=postgres;Password=postgres")));
        Assert.Empty(Storage(isDevelopment: true, "minioadmin", "minioadmin"));
    }

    [Theory]
    [InlineData("minioadmin", "Wx7-something-of-my-own", "S3_ACCESS_KEY is one that everyone knows; outside Development it takes a key of your own.")]
    [InlineData("kohakku", "minioadmin", "S3_SECRET_KEY is one that everyone knows; outside Development it takes a key of your own.")]
    [InlineData("kohakku", "changeme", "S3_SECRET_KEY is one that everyone knows; outside Development it takes a key of your own.")]
    [InlineData("kohakku", "Wx7", "S3_SECRET_KEY has 3 characters; it takes at least 8.")]
    [InlineData("k", "Wx7-something-of-my-own", "S3_ACCESS_KEY has 1 characters; it takes at least 3.")]
    public void Keys_of_the_object_storage_that_everyone_knows_or_can_try_are_refused(string accessKey, string secretKey, string fault) =>
        Assert.Equal(fault, Assert.Single(Storage(isDevelopment: false, accessKey, secretKey)));

    [Fact]
    public void A_missing_key_of_the_object_storage_is_named() =>
        Assert.Equal(["S3_ACCESS_KEY", "S3_SECRET_KEY"], Storage(isDevelopment: false, null, null).Select(fault => fault.Split(' ')[0]));

    private static IReadOnlyList<string> Database(string environment, params (string Key, string? Value)[] given)
    {
        var settings = Reader(given);
        PostgresDefaults.ConnectionString(settings, "controller", new HostingEnvironment { EnvironmentName = environment, ApplicationName = "tests" });
        return settings.Faults;
    }

    private static IReadOnlyList<string> Storage(bool isDevelopment, string? accessKey, string? secretKey)
    {
        var settings = Reader(("S3_ACCESS_KEY", accessKey), ("S3_SECRET_KEY", secretKey));
        ObjectStorageOptions.Read(settings, isDevelopment);
        return settings.Faults;
    }

    private static SettingsReader Reader(params (string Key, string? Value)[] settings) => new(new ConfigurationBuilder()
        .AddInMemoryCollection(settings.Select(pair => KeyValuePair.Create(pair.Key.Replace("__", ":", StringComparison.Ordinal), pair.Value))).Build());
}
