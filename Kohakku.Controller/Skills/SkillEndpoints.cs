using Kohakku.Contracts;
using Kohakku.Contracts.Storage;
using Kohakku.Contracts.Tasks;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.AspNetCore.Mvc;
using Microsoft.EntityFrameworkCore;
using Microsoft.Net.Http.Headers;

namespace Kohakku.Controller.Skills;

internal static class SkillEndpoints
{
    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var skills = endpoints.MapGroup("/skills").WithTags("Skills");
        skills.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListSkills");
        skills.MapGet("/{name}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetSkill");
        skills.MapGet("/{name}/versions/{version:int}", DownloadAsync).RequireAuthorization(Policies.Viewer).WithName("DownloadSkill");
        // The package's own limit is 422 and larger than the server's.
        skills.MapPut("/{name}", PutAsync).RequireAuthorization(Policies.Operator).WithName("PutSkill")
            .WithMetadata(new RequestSizeLimitAttribute(2L * SkillPackage.MaxBytes));
        skills.MapDelete("/{name}", DeleteAsync).RequireAuthorization(Policies.Operator).WithName("DeleteSkill");
    }

    private static async Task<Results<Ok<Page<SkillView>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, SkillRegistry registry, CancellationToken cancellationToken)
    {
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var skills = await registry.ListAsync(caller.ProjectId, page, cancellationToken);
        var views = await registry.ViewAsync(skills, cancellationToken);
        return TypedResults.Ok(page.Of(skills, skill => views[skill.Id], skill => skill.Name));
    }

    private static async Task<Results<Ok<SkillView>, ProblemHttpResult>> FindAsync(
        string name, Caller caller, SkillRegistry registry, CancellationToken cancellationToken) =>
        await registry.FindAsync(caller.ProjectId, name, cancellationToken) is { } skill
            ? TypedResults.Ok((await registry.ViewAsync([skill], cancellationToken))[skill.Id])
            : NotFound(name);

    private static async Task<Results<Created<SkillView>, Ok<SkillView>, ProblemHttpResult>> PutAsync(
        string name, HttpRequest request, Caller caller, SkillUpload upload, CancellationToken cancellationToken)
    {
        var faults = new Faults();
        if (!SkillName.IsValid(name))
        {
            faults.Add("name", SkillName.Rule);
            return Problems.Unprocessable(faults);
        }

        var rules = new List<string>();
        if (await upload.TakeAsync(caller.ProjectId, name, request.Body, rules, cancellationToken) is { } taken)
            return taken.IsNew ? TypedResults.Created($"/api/v1/skills/{name}", taken.Skill) : TypedResults.Ok(taken.Skill);
        foreach (var rule in rules.Take(20)) faults.Add("package", rule);
        return Problems.Unprocessable(faults);
    }

    private static async Task<IResult> DownloadAsync(
        string name, int version, Caller caller, ControllerDb database, SkillRegistry registry, ObjectStorage storage, HttpContext context, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(caller.ProjectId, name, cancellationToken) is not { } skill) return NotFound(name);
        var found = await database.SkillVersions.AsNoTracking().SingleOrDefaultAsync(
            known => known.SkillId == skill.Id && known.Version == version, cancellationToken);
        if (found is null) return Problems.NotFound($"The skill '{name}' has no version {version}.");
        var key = ObjectKeys.Skill(name, found.Digest);
        await using var stored = await storage.GetAsync(key, null, null, cancellationToken)
            ?? throw new InvalidDataException($"{key} is not in the object storage, though its version is in the database.");
        var response = context.Response;
        response.ContentType = "application/zip";
        response.ContentLength = stored.Length;
        response.Headers.XContentTypeOptions = "nosniff";
        response.Headers.ETag = $"\"{found.Digest}\"";
        response.Headers.ContentDisposition = new ContentDispositionHeaderValue("attachment") { FileName = $"{name}-{version}.zip" }.ToString();
        await stored.Content.CopyToAsync(response.Body, cancellationToken);
        return TypedResults.Empty;
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(
        string name, Caller caller, SkillRegistry registry, CancellationToken cancellationToken) =>
        await registry.DeleteAsync(caller.ProjectId, name, cancellationToken) ? TypedResults.NoContent() : NotFound(name);

    private static ProblemHttpResult NotFound(string name) => Problems.NotFound($"There is no skill '{name}' in this project.");
}
