namespace Kohakku.Workflows.Templates;

/// <summary>What is wrong with a template, and where in it: from 1.</summary>
internal sealed record TemplateFault(int Line, int Column, string Message);
