namespace Kohakku.Controller.Skills;

internal static class SkillsFeature
{
    public static WebApplicationBuilder AddSkills(this WebApplicationBuilder builder) => builder;

    public static void MapSkills(this IEndpointRouteBuilder endpoints)
    {
    }
}
