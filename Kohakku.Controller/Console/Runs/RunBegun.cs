using Kohakku.Controller.Workflows.Runs;
using Microsoft.AspNetCore.Components;
using MudBlazor;

namespace Kohakku.Controller.Console.Runs;

internal static class RunBegun
{
    /// <summary>Leads to the new run, or says why there is none.</summary>
    public static void Show(RunOutcome outcome, NavigationManager navigation, ISnackbar snackbar)
    {
        switch (outcome)
        {
            case RunOutcome.Made made: navigation.NavigateTo($"/runs/{made.Id}"); break;
            case RunOutcome.Missing missing: snackbar.Add(missing.What, Severity.Error); break;
            case RunOutcome.Conflict conflict: snackbar.Add(conflict.Why, Severity.Error); break;
            case RunOutcome.Refused refused:
                snackbar.Add(string.Join("; ", refused.Faults.ToDictionary().Select(fault => $"{fault.Key} {fault.Value[0]}")), Severity.Error);
                break;
        }
    }
}
