using Kohakku.Contracts.Workflows;
using Kohakku.Controller.Console.Graph;
using Kohakku.Controller.Console.Shared;
using Kohakku.Controller.Data;
using Kohakku.Controller.Workflows.Definitions;
using Kohakku.Controller.Workflows.Runs;
using Kohakku.ServiceDefaults;
using Kohakku.Workflows.Definitions;
using Microsoft.AspNetCore.Components;
using Microsoft.AspNetCore.Components.Routing;
using MudBlazor;

namespace Kohakku.Controller.Console.Workflows;

/// <summary>One workflow: its document and what it means, its versions and runs; without a name a new one.</summary>
public sealed partial class WorkflowPage
{
    private const int MostRuns = 8;
    private const int MostVersions = 100;

    private bool _isLoaded;
    private bool _isMissing;
    private bool _isBusy;
    private CodeEditor? _editor;
    private WorkflowVersion? _version;
    private int _latest;
    private VersionRow? _newer;
    private string _source = StartingDocument.Text;
    private string _text = StartingDocument.Text;
    private IReadOnlyList<DefinitionFault> _faults = [];
    private WorkflowDefinition? _definition;
    private IReadOnlyList<StepMark> _marks = [];
    private IReadOnlyList<RunSummary> _runs = [];
    private List<VersionRow> _versions = [];
    private IDictionary<string, string[]> _inputFaults = new Dictionary<string, string[]>();
    private string? _startFault;

    [Parameter] public string? Name { get; set; }
    [SupplyParameterFromQuery(Name = "version")] private int? Version { get; set; }
    [Inject] private WorkflowRegistry Registry { get; set; } = null!;
    [Inject] private WorkflowReads Reads { get; set; } = null!;
    [Inject] private RunQueries Runs { get; set; } = null!;
    [Inject] private RunSubmission Submission { get; set; } = null!;
    [Inject] private ChangeFeed Feed { get; set; } = null!;
    [Inject] private NavigationManager Navigation { get; set; } = null!;
    [Inject] private IDialogService Dialogs { get; set; } = null!;
    [Inject] private ISnackbar Snackbar { get; set; } = null!;

    private bool IsNew => Name is null;
    private bool IsOld => _version is { } version && version.Version < _latest;
    private bool IsDirty => !IsOld && _text != _source;
    private string StartText => IsDirty || IsNew ? "Save and start" : IsOld ? $"Start with version {Version}" : "Start";
    private string Verdict => _faults.Count switch { 0 => "No faults", 1 => "1 fault", _ => $"{_faults.Count} faults" };
    private IReadOnlyList<CodeEditor.EditorFault> EditorFaults =>
        [.. _faults.Select(fault => new CodeEditor.EditorFault(fault.Line, fault.Column, $"{fault.Path} {fault.Message}".Trim()))];

    protected override async Task StartAsync()
    {
        await ReloadAsync();
        if (!IsNew && !_isMissing) await FollowAsync(Feed.FollowAllTasks(), ReadAroundAsync);
    }

    protected override async Task OnParametersSetAsync()
    {
        // Another version of the same workflow: the page stays.
        if (_isLoaded && !IsNew && (Version ?? _latest) != _version?.Version) await ReloadAsync();
    }

    private async Task ReloadAsync()
    {
        if (Name is not null)
        {
            _versions = await Reads.VersionsAsync(Caller.ProjectId, Name, MostVersions, Gone);
            if (await Registry.FindAsync(Caller.ProjectId, Name, Version, Gone) is not { } found)
            {
                _isMissing = true;
                return;
            }

            (_version, _latest, _source, _newer) = (found.Version, found.Workflow.LatestVersion, found.Version.Source, null);
        }

        _isLoaded = true;
        _definition = null;
        Take(_source);
    }

    /// <summary>What others do meanwhile. The document stays as the person has it.</summary>
    private async Task ReadAroundAsync()
    {
        _runs = (await Runs.ListAsync(Caller.ProjectId, Name, [], null, MostRuns, Gone)).Items;
        _versions = await Reads.VersionsAsync(Caller.ProjectId, Name!, MostVersions, Gone);
        if (!IsOld && _versions is [var newest, ..] && newest.Version > _latest) _newer = newest;
    }

    private void Take(string text)
    {
        _text = text;
        var read = DefinitionReader.Read(text);
        _faults = read.Faults;
        if (read.Definition is not { } definition) return;
        (_definition, _marks) = (definition, StepMark.Of(definition));
        if (Name is not null && definition.Name != Name) _faults = [NameFault($"must be '{Name}': another name is another workflow")];
    }

    private async Task GoToStepAsync(string id)
    {
        var line = _text.Split('\n').ToList().FindIndex(line => line.TrimStart(' ', '-').TrimEnd() == $"id: {id}" || line.Contains($"id: {id},", StringComparison.Ordinal));
        if (line >= 0) await _editor!.GoToAsync(line + 1, 1);
    }

    private async Task SaveAsync()
    {
        if (_isBusy || IsOld || !May(Contracts.Tasks.Role.Operator)) return;
        _isBusy = true;
        try
        {
            if (await SaveNowAsync() is { } definition && IsNew) Navigation.NavigateTo($"/workflows/{definition.Name}");
        }
        finally
        {
            _isBusy = false;
        }
    }

    /// <summary>Null: it was not saved, and the person was told why.</summary>
    private async Task<WorkflowDefinition?> SaveNowAsync()
    {
        Take(await _editor!.ReadAsync());
        if (_faults.Count == 0 && IsNew && await Registry.FindAsync(Caller.ProjectId, _definition!.Name, null, Gone) is not null)
            _faults = [NameFault($"there is a workflow '{_definition.Name}' already: open that one to change it")];
        if (_faults.Count > 0 || WorkflowDocument.IsTooLarge(_text))
        {
            Snackbar.Add(_faults.Count > 0 ? "Not saved: the document has faults." : "Not saved: a document has at most 256 KiB.", Severity.Error);
            return null;
        }

        var definition = _definition!;
        var (version, _) = await Registry.PutAsync(Caller.ProjectId, definition, _text, Caller.Name, Gone);
        Snackbar.Add(version == _latest ? $"Nothing has changed: it is still version {version}." : $"Saved as version {version}.", Severity.Success);
        _source = _text;
        if (!IsNew) await ReloadAsync();
        return definition;
    }

    private async Task StartRunAsync(System.Text.Json.JsonElement inputs)
    {
        if (_isBusy) return;
        _isBusy = true;
        (_inputFaults, _startFault) = (new Dictionary<string, string[]>(), null);
        try
        {
            // Inputs that don't fit must not leave a version behind.
            var faults = new Faults();
            WorkflowInputs.Resolve(_definition!, inputs, faults);
            if (faults.Any) Show(faults);
            else if (!IsNew && !IsDirty) await StartSavedAsync(Name!, inputs);
            else if (await SaveNowAsync() is { } saved) await StartSavedAsync(saved.Name, inputs);
        }
        finally
        {
            _isBusy = false;
        }
    }

    private async Task StartSavedAsync(string workflow, System.Text.Json.JsonElement inputs)
    {
        switch (await Submission.StartAsync(workflow, new StartRun { Inputs = inputs, Version = IsOld ? Version : null }, Caller, null, Gone))
        {
            case RunOutcome.Made made: Navigation.NavigateTo($"/runs/{made.Id}"); break;
            case RunOutcome.Refused refused: Show(refused.Faults); break;
            case RunOutcome.Missing missing: Show(new Faults(), missing.What); break;
            case RunOutcome.Conflict conflict: Show(new Faults(), conflict.Why); break;
        }
    }

    private void Show(Faults faults, string summary = "Nothing was started: see what is marked.")
    {
        var all = faults.ToDictionary();
        var others = all.Where(fault => !fault.Key.StartsWith("inputs.", StringComparison.Ordinal)).Select(fault => $"{fault.Key} {fault.Value[0]}").ToArray();
        (_inputFaults, _startFault) = (all, others.Length > 0 ? string.Join("; ", others) : summary);
    }

    private async Task DeleteAsync()
    {
        if (!await Dialogs.ConfirmAsync($"Delete {Name}?", "No more runs of it begin; those on their way go on, and all that ran stays to be read.", "Delete")) return;
        if (!await Registry.DeleteAsync(Caller.ProjectId, Name!, Gone)) Snackbar.Add("It was deleted before.", Severity.Info);
        _source = _text;
        Navigation.NavigateTo("/workflows");
    }

    private async Task AskBeforeLeavingAsync(LocationChangingContext leaving)
    {
        if (IsDirty && !await Dialogs.ConfirmAsync("Leave without saving?", "What you changed in the document is not saved.", "Leave")) leaving.PreventNavigation();
    }

    private DefinitionFault NameFault(string message)
    {
        var lines = _text.Split('\n');
        var line = Array.FindIndex(lines, each => each.StartsWith("name:", StringComparison.Ordinal));
        return new DefinitionFault(Math.Max(line, 0) + 1, line < 0 ? 1 : 7, "name", message);
    }
}
