using System.CommandLine;
using Kohakku.Local.ObjectStorage;

return await new RootCommand("What stands in on this machine for services that are not installed.") { ObjectStorageServer.Command() }.Parse(args).InvokeAsync();
