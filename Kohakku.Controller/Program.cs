using Kohakku.Controller.Agents;
using Kohakku.Controller.Console;
using Kohakku.Controller.Data;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Projects;
using Kohakku.Controller.Skills;
using Kohakku.Controller.Tasks;

var builder = WebApplication.CreateBuilder(args);
builder.AddControllerData().AddIdentity().AddProjects().AddAgents().AddSkills().AddTasks().AddDispatching().AddConsole();

var app = builder.Build();
var api = app.MapGroup("/api/v1");
api.MapProjects();
api.MapAgents();
api.MapSkills();
api.MapTasks();
api.MapDispatching();
app.MapIdentity();
app.MapConsole();
await app.RunAsync();
