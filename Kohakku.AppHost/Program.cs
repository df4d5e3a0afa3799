using Kohakku.AppHost;

var builder = DistributedApplication.CreateBuilder(args);
builder.AddPublishTargets();

// What they share: state in Postgres, short-lived state in Redis, objects (briefs, logs, artifacts) in an S3 store, and durable
// workflows in Temporal.
var postgres = builder.AddPostgres("postgres", port: 5432).WithDataVolume();
var controllerDatabase = postgres.AddDatabase("controller-database", "controller");
var dispatcherDatabase = postgres.AddDatabase("dispatcher-database", "dispatcher");
var redis = builder.AddRedis("redis", port: 6379).WithDataVolume().WithPersistence();
var objects = builder.AddObjectStorage("s3", port: 9000);
var temporal = builder.AddTemporal("temporal", port: 7233, postgres);
var secrets = builder.AddSecrets();

// The image that the sample agents run in, where there is a container engine to run it.
builder.AddSampleImage("sample-image");

// REST API, console and task queue.
var controller = builder.AddProject<Projects.Kohakku_Controller>("controller")
    .WithHttpEndpoint(port: 8000).WithExternalHttpEndpoints()
    .WithHttpHealthCheck("/ready")
    .WithReference(controllerDatabase, "controller").WaitFor(controllerDatabase)
    .WithReference(redis).WaitFor(redis)
    .WithObjectStorage(objects)
    .WithTemporal(temporal)
    .WithSecrets(secrets);
controller.WithEnvironment("CONTROLLER_URL", controller.GetEndpoint("http"));

// Claims tasks from the controller and runs their agents. It bears the controller's absence at any time, but need not begin with it.
var dispatcher = builder.AddProject<Projects.Kohakku_Dispatcher>("dispatcher")
    .WithHttpEndpoint(port: 8080)
    .WithHttpHealthCheck("/ready")
    .WithReference(dispatcherDatabase, "dispatcher").WaitFor(dispatcherDatabase)
    .WithReference(redis).WaitFor(redis)
    .WithObjectStorage(objects)
    .WithSecrets(secrets)
    .WithReference(controller).WaitFor(controller)
    .WithEnvironment("CONTROLLER_URL", controller.GetEndpoint("http"))
    .WithAgentRuntime();
dispatcher.WithEnvironment("DISPATCHER_URL", dispatcher.GetEndpoint("http"));

// Interprets runs of workflows: what is next it hears from Temporal, what is done it tells the controller.
var worker = builder.AddProject<Projects.Kohakku_Workflows>("temporal-worker")
    .WithHttpEndpoint(port: 8090)
    .WithHttpHealthCheck("/ready")
    .WithTemporal(temporal).WaitForTemporal(temporal)
    .WithSecrets(secrets)
    .WithReference(controller).WaitFor(controller)
    .WithEnvironment("CONTROLLER_URL", controller.GetEndpoint("http"));

// Keeps time: schedules, and whatever has to be done now and then. On the controller's database, with the controller's own parts.
var scheduler = builder.AddProject<Projects.Kohakku_Scheduler>("scheduler")
    .WithHttpEndpoint(port: 8091)
    .WithHttpHealthCheck("/ready")
    .WithReference(controllerDatabase, "controller").WaitFor(controllerDatabase)
    .WithReference(redis).WaitFor(redis)
    .WithObjectStorage(objects)
    .WithTemporal(temporal)
    .WithSecrets(secrets)
    .WaitFor(controller)
    .WithEnvironment("CONTROLLER_URL", controller.GetEndpoint("http"));

// Whatever the operator has set in the environment of the AppHost comes before what stands above.
controller.WithOperatorSettings();
dispatcher.WithOperatorSettings();
worker.WithOperatorSettings();
scheduler.WithOperatorSettings();

builder.Build().Run();
