using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Console.Targets;

namespace Kohakku.Controller.Console.Triggers;

/// <summary>Triggers and their deliveries in words for a person.</summary>
internal static class TriggerWords
{
    public static string Of(TriggerVerification verify) => verify switch
    {
        TriggerVerification.Github => "GitHub's signature",
        TriggerVerification.Standard => "Standard Webhooks",
        _ => "A plain token",
    };

    /// <summary>What tells deliveries apart where no template says it.</summary>
    public static string DefaultKey(TriggerVerification verify) => verify switch
    {
        TriggerVerification.Github => "X-GitHub-Delivery",
        TriggerVerification.Standard => "webhook-id",
        _ => "nothing: each delivery begins its own",
    };

    public static string Of(DeliveryResult result) => result switch
    {
        DeliveryResult.Accepted => "Accepted",
        DeliveryResult.Filtered => "Filtered",
        DeliveryResult.Duplicate => "Duplicate",
        DeliveryResult.Refused => "Refused",
        _ => "Failed",
    };

    /// <summary>Of one that began something: how that stands.</summary>
    public static string State(TriggerDeliveryView delivery) =>
        delivery.Result == DeliveryResult.Accepted ? TargetWords.Status(delivery.TargetStatus) : Of(delivery.Result);

    public static string Tone(TriggerDeliveryView delivery) =>
        delivery.Result == DeliveryResult.Accepted ? TargetWords.Tone(delivery.TargetStatus) : Tone(delivery.Result);

    public static string Tone(DeliveryResult result) => result switch
    {
        DeliveryResult.Accepted => "good",
        DeliveryResult.Refused or DeliveryResult.Failed => "bad",
        _ => "calm",
    };
}
