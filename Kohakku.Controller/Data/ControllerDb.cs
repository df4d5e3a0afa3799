using Kohakku.Controller.Agents;
using Kohakku.Controller.Dispatching;
using Kohakku.Controller.Failures;
using Kohakku.Controller.Failures.Digest;
using Kohakku.Controller.Identity;
using Kohakku.Controller.Projects;
using Kohakku.Controller.Schedules;
using Kohakku.Controller.Skills;
using Kohakku.Controller.Status;
using Kohakku.Controller.Tasks;
using Kohakku.Controller.Triggers;
using Kohakku.Controller.Webhooks;
using Kohakku.Controller.Workflows.Definitions;
using Kohakku.Controller.Workflows.Runs;
using Microsoft.EntityFrameworkCore;

namespace Kohakku.Controller.Data;

/// <summary>
/// The controller's database. The model here makes the schema (migrations) and serves what is not hot; submit, claim and the
/// application of events are SQL by hand on the same tables. Each entity's mapping stands beside the entity.
/// </summary>
internal sealed class ControllerDb(DbContextOptions<ControllerDb> options) : DbContext(options)
{
    public DbSet<Project> Projects => Set<Project>();
    public DbSet<ApiToken> ApiTokens => Set<ApiToken>();
    public DbSet<LoginLink> LoginLinks => Set<LoginLink>();
    public DbSet<Agent> Agents => Set<Agent>();
    public DbSet<Skill> Skills => Set<Skill>();
    public DbSet<SkillVersion> SkillVersions => Set<SkillVersion>();
    public DbSet<AgentTask> Tasks => Set<AgentTask>();
    public DbSet<Attempt> Attempts => Set<Attempt>();
    public DbSet<TaskEvent> TaskEvents => Set<TaskEvent>();
    public DbSet<Artifact> Artifacts => Set<Artifact>();
    public DbSet<Question> Questions => Set<Question>();
    public DbSet<AttemptNote> AttemptMessages => Set<AttemptNote>();
    public DbSet<Dispatcher> Dispatchers => Set<Dispatcher>();
    public DbSet<OutboxMessage> Outbox => Set<OutboxMessage>();
    public DbSet<Workflow> Workflows => Set<Workflow>();
    public DbSet<WorkflowVersion> WorkflowVersions => Set<WorkflowVersion>();
    public DbSet<Run> Runs => Set<Run>();
    public DbSet<RunStep> RunSteps => Set<RunStep>();
    public DbSet<RunUnit> RunUnits => Set<RunUnit>();
    public DbSet<RunInboxEntry> RunInbox => Set<RunInboxEntry>();
    public DbSet<RunSignal> RunSignals => Set<RunSignal>();
    public DbSet<Schedule> Schedules => Set<Schedule>();
    public DbSet<ScheduleFiring> ScheduleFirings => Set<ScheduleFiring>();
    public DbSet<Trigger> Triggers => Set<Trigger>();
    public DbSet<TriggerDelivery> TriggerDeliveries => Set<TriggerDelivery>();
    public DbSet<Probe> Probes => Set<Probe>();
    public DbSet<Outage> Outages => Set<Outage>();
    public DbSet<RunEvent> RunEvents => Set<RunEvent>();
    public DbSet<FailureGroup> FailureGroups => Set<FailureGroup>();
    public DbSet<FailedAttempt> FailedAttempts => Set<FailedAttempt>();
    public DbSet<FailureHour> FailureHours => Set<FailureHour>();
    public DbSet<SentDigest> FailureDigests => Set<SentDigest>();
    public DbSet<Webhook> Webhooks => Set<Webhook>();
    public DbSet<WebhookDelivery> WebhookDeliveries => Set<WebhookDelivery>();

    protected override void OnModelCreating(ModelBuilder modelBuilder) =>
        modelBuilder.ApplyConfigurationsFromAssembly(typeof(ControllerDb).Assembly);
}
