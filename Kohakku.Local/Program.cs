using System.CommandLine;
using Kohakku.Local.ObjectStorage;

return await new RootCommand("Stands in on a laptop for what Kohakku works with.") { ObjectStorageServer.Command() }.Parse(args).InvokeAsync();
