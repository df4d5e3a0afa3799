using Kohakku.Contracts.Failures;

namespace Kohakku.Controller.Console.Failures;

/// <summary>Failures in words for a person.</summary>
internal static class FailureWords
{
    public static string Of(FailureGroupState state) => state.ToString();

    public static string Of(FailureKind kind) => kind is FailureKind.Infrastructure ? "Infrastructure" : "Agent";

    public static string Tone(FailureGroupState state) => state switch
    {
        FailureGroupState.Open => "bad",
        FailureGroupState.Acknowledged => "wait",
        _ => "good",
    };

    public static string Counted(long count, string one) => count == 1 ? $"1 {one}" : $"{count:N0} {one}s";
}
