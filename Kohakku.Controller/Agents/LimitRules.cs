using Kohakku.Contracts.Tasks;
using Kohakku.ServiceDefaults;

namespace Kohakku.Controller.Agents;

/// <summary>What an agent may use of its machine and of the network.</summary>
internal static class LimitRules
{
    public static void Check(ResourceLimits? resources, string field, Faults faults)
    {
        if (resources is null) return;
        if (resources.Cpu is { } cpu && !(cpu > 0 && cpu <= 256)) faults.Add($"{field}.cpu", "must be above 0 and at most 256");
        Range(resources.MemoryMb, 16, 1_048_576, $"{field}.memoryMb", faults);
        Range(resources.Pids, 8, 65_536, $"{field}.pids", faults);
    }

    public static void Check(NetworkPolicy? network, string field, Faults faults)
    {
        if (network is null) return;
        if (network.Mode == NetworkMode.Allow) faults.Add($"{field}.mode", "'allow' is not in this release; it takes none or internet");
        else if (network.Allow is { Count: > 0 }) faults.Add($"{field}.allow", "goes with the mode 'allow' only, which is not in this release");
    }

    public static void Range(int? value, int min, int max, string field, Faults faults)
    {
        if (value < min || value > max) faults.Add(field, $"must be from {min} to {max}");
    }
}
