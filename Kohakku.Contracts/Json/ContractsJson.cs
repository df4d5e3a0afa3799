using System.Text.Json;
using System.Text.Json.Serialization;
using Kohakku.Contracts.AgentProtocol;
using Kohakku.Contracts.Dispatching;
using Kohakku.Contracts.Tasks;

namespace Kohakku.Contracts.Json;

/// <summary>Source-generated metadata of every wire type: no reflection, so that the native runner can use it too.</summary>
[JsonSourceGenerationOptions(JsonSerializerDefaults.Web, RespectNullableAnnotations = true, RespectRequiredConstructorParameters = true,
    DefaultIgnoreCondition = JsonIgnoreCondition.Never, AllowDuplicateProperties = false, NumberHandling = JsonNumberHandling.Strict,
    PropertyNameCaseInsensitive = false)]
[JsonSerializable(typeof(SubmitTask))]
[JsonSerializable(typeof(SubmitTaskBatch))]
[JsonSerializable(typeof(TaskView))]
[JsonSerializable(typeof(ItemsOf<TaskView>))]
[JsonSerializable(typeof(Page<TaskView>))]
[JsonSerializable(typeof(Page<TaskEventView>))]
[JsonSerializable(typeof(Page<ArtifactView>))]
[JsonSerializable(typeof(Page<AgentView>))]
[JsonSerializable(typeof(Page<SkillView>))]
[JsonSerializable(typeof(Page<DispatcherView>))]
[JsonSerializable(typeof(Page<QuestionView>))]
[JsonSerializable(typeof(PutAgent))]
[JsonSerializable(typeof(AnswerQuestion))]
[JsonSerializable(typeof(CreateProject))]
[JsonSerializable(typeof(ProjectView))]
[JsonSerializable(typeof(Page<ProjectView>))]
[JsonSerializable(typeof(CreateToken))]
[JsonSerializable(typeof(TokenView))]
[JsonSerializable(typeof(Page<TokenView>))]
[JsonSerializable(typeof(CreatedToken))]
[JsonSerializable(typeof(RegisterDispatcher))]
[JsonSerializable(typeof(DispatcherRegistration))]
[JsonSerializable(typeof(ClaimRequest))]
[JsonSerializable(typeof(ClaimAnswer))]
[JsonSerializable(typeof(HeartbeatRequest))]
[JsonSerializable(typeof(HeartbeatAnswer))]
[JsonSerializable(typeof(CallbackBatch))]
[JsonSerializable(typeof(CallbackAnswer))]
[JsonSerializable(typeof(PullingData))]
[JsonSerializable(typeof(RunningData))]
[JsonSerializable(typeof(ProgressData))]
[JsonSerializable(typeof(QuestionData))]
[JsonSerializable(typeof(ArtifactData))]
[JsonSerializable(typeof(UsageData))]
[JsonSerializable(typeof(MessageData))]
[JsonSerializable(typeof(EndedData))]
[JsonSerializable(typeof(AgentBrief))]
[JsonSerializable(typeof(AgentHeartbeat))]
[JsonSerializable(typeof(IReadOnlyList<AgentEvent>))]
[JsonSerializable(typeof(AskQuestion))]
[JsonSerializable(typeof(AskedQuestion))]
[JsonSerializable(typeof(QuestionAnswer))]
[JsonSerializable(typeof(AgentResult))]
[JsonSerializable(typeof(IReadOnlyDictionary<string, string>))]
[JsonSerializable(typeof(IReadOnlyList<string>))]
public sealed partial class ContractsJson : JsonSerializerContext;
