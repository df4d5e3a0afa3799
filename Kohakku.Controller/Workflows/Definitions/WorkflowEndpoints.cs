using System.Text;
using System.Text.Json;
using Kohakku.Contracts;
using Kohakku.Contracts.Json;
using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Data;
using Kohakku.Controller.Identity;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Definitions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Workflows.Definitions;

internal static class WorkflowEndpoints
{
    private const int LargestDocument = 256 * 1024;

    public static void Map(IEndpointRouteBuilder endpoints)
    {
        var workflows = endpoints.MapGroup("/workflows").WithTags("Workflows");
        workflows.MapGet("", ListAsync).RequireAuthorization(Policies.Viewer).WithName("ListWorkflows");
        workflows.MapGet("/{name}", FindAsync).RequireAuthorization(Policies.Viewer).WithName("GetWorkflow");
        workflows.MapPut("/{name}", PutAsync).RequireAuthorization(Policies.Operator).WithName("PutWorkflow").Accepts<string>("application/yaml", "application/json");
        workflows.MapDelete("/{name}", DeleteAsync).RequireAuthorization(Policies.Operator).WithName("DeleteWorkflow");
        workflows.MapPost("/{name}/check", CheckAsync).RequireAuthorization(Policies.Viewer).WithName("CheckWorkflow");
    }

    private static async Task<Results<Ok<Page<WorkflowSummary>>, ProblemHttpResult>> ListAsync(
        HttpRequest request, Caller caller, ControllerDb database, CancellationToken cancellationToken)
    {
        if (!NamePage.TryParse(request.Query, out var page, out var fault)) return Problems.BadRequest(fault.Field, fault.Rule);
        var workflows = await database.Workflows.AsNoTracking()
            .Where(workflow => workflow.ProjectId == caller.ProjectId && workflow.DeletedAt == null && workflow.Name.CompareTo(page.After) > 0)
            .OrderBy(workflow => workflow.Name).Take(page.Limit + 1).ToListAsync(cancellationToken);
        return TypedResults.Ok(page.Of(
            workflows, workflow => new WorkflowSummary(workflow.Name, workflow.LatestVersion, workflow.Description, workflow.CreatedAt, workflow.UpdatedAt), workflow => workflow.Name));
    }

    private static async Task<Results<Ok<WorkflowView>, ProblemHttpResult>> FindAsync(
        string name, Caller caller, WorkflowRegistry registry, CancellationToken cancellationToken, int? version = null) =>
        await registry.FindAsync(caller.ProjectId, name, version, cancellationToken) is { } found ? TypedResults.Ok(WorkflowViews.Of(found.Workflow, found.Version)) : NotFound(name, version);

    /// <summary>The document as it stands in the body, YAML or JSON: JSON is YAML too.</summary>
    private static async Task<Results<Created<PutWorkflowResult>, Ok<PutWorkflowResult>, ProblemHttpResult>> PutAsync(
        string name, HttpRequest request, Caller caller, WorkflowRegistry registry, CancellationToken cancellationToken)
    {
        if (await ReadTextAsync(request, cancellationToken) is not { } source) return Problems.TooLarge($"A workflow's document has at most {LargestDocument / 1024} KiB of UTF-8.");
        var read = DefinitionReader.Read(source);
        if (read.Definition is not { } definition) return WorkflowViews.Refusal(read.Faults);
        if (definition.Name != name) return WorkflowViews.Refusal([new DefinitionFault(1, 1, "name", $"must be '{name}', as in the address; it is '{definition.Name}'")]);
        var (version, isNew) = await registry.PutAsync(caller.ProjectId, definition, source, caller.Name, cancellationToken);
        var result = new PutWorkflowResult(name, version);
        return isNew ? TypedResults.Created($"/api/v1/workflows/{name}", result) : TypedResults.Ok(result);
    }

    private static async Task<Results<NoContent, ProblemHttpResult>> DeleteAsync(string name, Caller caller, WorkflowRegistry registry, CancellationToken cancellationToken) =>
        await registry.DeleteAsync(caller.ProjectId, name, cancellationToken) ? TypedResults.NoContent() : NotFound(name, null);

    /// <summary>The dry run: what a run with these inputs would do, or every fault of them.</summary>
    private static async Task<Results<Ok<PlanView>, ProblemHttpResult>> CheckAsync(
        string name, CheckWorkflow check, Caller caller, WorkflowRegistry registry, CancellationToken cancellationToken)
    {
        if (await registry.FindAsync(caller.ProjectId, name, check.Version, cancellationToken) is not { } found) return NotFound(name, check.Version);
        var definition = CanonicalForm.Read(found.Version.Canonical);
        var faults = new Faults();
        var inputs = WorkflowInputs.Resolve(definition, check.Inputs, faults);
        if (faults.Any) return Problems.Unprocessable(faults);
        var plan = WorkflowPlan.Of(definition, inputs);
        foreach (var fault in plan.Faults) faults.Add(fault.Step is null ? fault.Key : $"steps.{fault.Step}.{fault.Key}", fault.Message);
        return faults.Any ? Problems.Unprocessable(faults) : TypedResults.Ok(plan);
    }

    private static async Task<string?> ReadTextAsync(HttpRequest request, CancellationToken cancellationToken)
    {
        var buffer = new byte[LargestDocument + 1];
        var length = await request.Body.ReadAtLeastAsync(buffer, buffer.Length, throwOnEndOfStream: false, cancellationToken);
        return length > LargestDocument ? null : Encoding.UTF8.GetString(buffer, 0, length).TrimStart('\uFEFF');
    }

    private static ProblemHttpResult NotFound(string name, int? version) => Problems.NotFound(
        version is null ? $"There is no workflow '{name}' in this project." : $"There is no workflow '{name}' with a version {version} in this project.");
}

/// <summary>What the API shows of a workflow and of a document's faults.</summary>
internal static class WorkflowViews
{
    public static WorkflowView Of(Workflow workflow, WorkflowVersion version)
    {
        var definition = CanonicalForm.Read(version.Canonical);
        return new WorkflowView(
            workflow.Name, version.Version, definition.Description, version.Source, Steps(definition), Inputs(version.Canonical), workflow.CreatedAt, version.CreatedAt);
    }

    public static IReadOnlyList<WorkflowStepView> Steps(WorkflowDefinition definition) =>
        [.. definition.Steps.Select(step => new WorkflowStepView(step.Id, WireEnum<StepKind>.NameOf(step.Kind), step.Needs, step.ForEach is not null, step.Id == definition.OnFailure))];

    /// <summary>By field as all faults are, and besides as a list with lines and columns.</summary>
    public static ProblemHttpResult Refusal(IReadOnlyList<DefinitionFault> faults)
    {
        var byField = new Faults();
        foreach (var fault in faults) byField.Add(fault.Path.Length == 0 ? "document" : fault.Path, $"{fault.Message} (line {fault.Line}, column {fault.Column})");
        var answer = Problems.Unprocessable(byField);
        answer.ProblemDetails.Extensions["faults"] = faults.Select(fault => new DocumentFault(fault.Line, fault.Column, fault.Path, fault.Message)).ToArray();
        return answer;
    }

    private static JsonElement Inputs(string canonical) =>
        JsonElement.Parse(canonical).TryGetProperty("inputs", out var inputs) ? inputs : JsonElement.Parse("{}");
}
