namespace Kohakku.Agent.Processes;

/// <summary>What is executed, fully resolved.</summary>
/// <param name="Program">An absolute path.</param>
/// <param name="Arguments">With the command's own name first.</param>
/// <param name="Environment">As <c>NAME=value</c>.</param>
internal sealed record AgentCommand(string Program, IReadOnlyList<string> Arguments, IReadOnlyList<string> Environment, string Folder);
