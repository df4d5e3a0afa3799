using System.CommandLine;

var root = new RootCommand("What stands in on this machine for services that are not installed.");
return await root.Parse(args).InvokeAsync();
