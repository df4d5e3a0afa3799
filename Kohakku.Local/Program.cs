using System.CommandLine;
using Kohakku.Local;
using Kohakku.Local.ObjectStorage;
using Kohakku.Local.Temporal;

return await new RootCommand("What stands in on this machine for services that are not installed.") { ObjectStorageServer.Command(), TemporalServer.Command(), HealthQuestion.Command() }.Parse(args).InvokeAsync();
