namespace Kohakku.Controller.Console.Layout;

/// <summary>The colours that a browser had last; <c>console.js</c> keeps them in cookies.</summary>
/// <param name="Choice"><c>dark</c>, <c>light</c>, or empty to follow the system.</param>
internal sealed record RememberedTheme(string Choice, bool SystemIsDark)
{
    public const string Dark = "dark";
    public const string Light = "light";
    public const string System = "";

    public bool IsDark => Choice switch { Dark => true, Light => false, _ => SystemIsDark };

    public static RememberedTheme Of(HttpRequest request) => new(
        request.Cookies["kohakku-theme"] is Dark or Light ? request.Cookies["kohakku-theme"]! : System,
        request.Cookies["kohakku-system"] == Dark);
}
