using Kohakku.Contracts.Dispatching;
using Kohakku.Tests.Fixtures;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;

namespace Kohakku.Tests.Dispatcher;

internal static class DispatcherRuns
{
    /// <summary>Submits the order and waits until it runs.</summary>
    /// <returns>Its agent's client.</returns>
    public static async Task<HttpClient> RunAsync(this RunningDispatcher dispatcher, AttemptOrder order)
    {
        dispatcher.Controller.Submit(order);
        await Eventually.Async(() => dispatcher.Controller.TypesOf(order.AttemptId).Contains(AttemptEventTypes.Running));
        return dispatcher.Agent(order.Token);
    }

    /// <returns>True when no row of any attempt is left.</returns>
    public static async Task<bool> HasForgottenAllAsync(this RunningDispatcher dispatcher)
    {
        await using var command = dispatcher.App.Services.GetRequiredService<NpgsqlDataSource>()
            .CreateCommand("SELECT (SELECT count(*) FROM attempts) + (SELECT count(*) FROM outbox) + (SELECT count(*) FROM messages)");
        return (long)(await command.ExecuteScalarAsync())! == 0;
    }
}
