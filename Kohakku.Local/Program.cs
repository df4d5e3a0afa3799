using System.CommandLine;
using Kohakku.Local;
using Kohakku.Local.ObjectStorage;
using Kohakku.Local.Temporal;

var root = new RootCommand("What stands in on this machine for services that are not installed.") { ObjectStorageServer.Command(), TemporalServer.Command(), HealthQuestion.Command() };
// Two seconds, the library's own patience with a command that is told to stop, cut off what the servers do last on a busy machine, and make 143 of it.
return await root.Parse(args).InvokeAsync(new InvocationConfiguration { ProcessTerminationTimeout = TimeSpan.FromSeconds(15) });
