namespace Kohakku.Controller.Skills;

internal static class SkillsFeature
{
    public static WebApplicationBuilder AddSkills(this WebApplicationBuilder builder)
    {
        builder.Services.AddSingleton<SkillRegistry>().AddSingleton<SkillUpload>();
        return builder;
    }

    public static void MapSkills(this IEndpointRouteBuilder endpoints) => SkillEndpoints.Map(endpoints);
}
