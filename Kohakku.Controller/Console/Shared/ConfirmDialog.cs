using MudBlazor;

namespace Kohakku.Controller.Console.Shared;

internal static class ConfirmDialog
{
    /// <summary>True when the person says yes; false when they think better of it.</summary>
    public static async Task<bool> ConfirmAsync(this IDialogService dialogs, string title, string text, string yes) =>
        await dialogs.ShowMessageBoxAsync(title, text, yesText: yes, cancelText: "Back") == true;
}
