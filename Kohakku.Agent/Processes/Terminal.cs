using System.Text;

namespace Kohakku.Agent.Processes;

/// <summary>Writes to the runner's own output as it is, without .NET's console, which looks for terminals and encodings.</summary>
internal static class Terminal
{
    /// <summary>One line for whoever looks after the runner; the agent's log is elsewhere.</summary>
    public static void Say(string message) => Write(2, $"kohakku-agent: {message}\n");

    public static unsafe void Write(int descriptor, string text)
    {
        var bytes = Encoding.UTF8.GetBytes(text);
        fixed (byte* start = bytes)
        {
            // Nobody may be listening any more: then there is nobody to tell either.
            for (nint written = 0, count; written < bytes.Length; written += count)
            {
                count = LibC.Write(descriptor, start + written, bytes.Length - written);
                if (count <= 0) return;
            }
        }
    }
}
