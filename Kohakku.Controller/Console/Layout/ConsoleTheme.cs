using MudBlazor;

namespace Kohakku.Controller.Console.Layout;

/// <summary>Amber (kohaku) on quiet greys, in the system's own fonts.</summary>
internal static class ConsoleTheme
{
    private static readonly string[] Sans = ["system-ui", "-apple-system", "Segoe UI", "Roboto", "Liberation Sans", "sans-serif"];

    public static readonly MudTheme Theme = new()
    {
        PaletteLight = new PaletteLight
        {
            Primary = "#b45309", Secondary = "#57606a", Tertiary = "#0e7490", Info = "#1d6fb8", Success = "#1a7f37", Warning = "#9a6700", Error = "#c5282f",
            Background = "#f6f7f9", Surface = "#ffffff", AppbarBackground = "#ffffff", AppbarText = "#1f2328", DrawerBackground = "#ffffff",
            DrawerText = "#3d444d", DrawerIcon = "#59636e", TextPrimary = "#1f2328", TextSecondary = "#59636e", ActionDefault = "#59636e",
            LinesDefault = "#d9dee4", LinesInputs = "#afb8c1", TableLines = "#e4e8ec", Divider = "#d9dee4",
        },
        PaletteDark = new PaletteDark
        {
            Primary = "#f0a94a", PrimaryContrastText = "#1b1408", Secondary = "#9aa4b0", Tertiary = "#58c4dc", Info = "#6cb6ff", Success = "#57c26b",
            Warning = "#e0b341", Error = "#ff7b72", ErrorContrastText = "#1b0806",
            Background = "#14171b", Surface = "#1b1f24", AppbarBackground = "#1b1f24", AppbarText = "#e6e9ed", DrawerBackground = "#1b1f24",
            DrawerText = "#c5ccd4", DrawerIcon = "#9aa4b0", TextPrimary = "#e6e9ed", TextSecondary = "#9aa4b0", ActionDefault = "#9aa4b0",
            LinesDefault = "#2d333b", LinesInputs = "#57616c", TableLines = "#2d333b", Divider = "#2d333b",
        },
        LayoutProperties = new LayoutProperties { DefaultBorderRadius = "8px", DrawerWidthLeft = "216px", AppbarHeight = "56px" },
        Typography = new Typography
        {
            Default = new DefaultTypography { FontFamily = Sans, FontSize = "0.9rem", LineHeight = "1.5", LetterSpacing = "normal" },
            Body1 = new Body1Typography { FontFamily = Sans, FontSize = "0.9rem", LineHeight = "1.5", LetterSpacing = "normal" },
            Body2 = new Body2Typography { FontFamily = Sans, FontSize = "0.85rem", LineHeight = "1.45", LetterSpacing = "normal" },
            Button = new ButtonTypography { FontFamily = Sans, FontSize = "0.875rem", FontWeight = "600", TextTransform = "none", LetterSpacing = "normal" },
            H6 = new H6Typography { FontFamily = Sans, FontSize = "1.05rem", FontWeight = "600", LetterSpacing = "normal" },
        },
    };
}
