using System.Runtime.InteropServices;
using System.Text;

namespace Kohakku.Agent.Processes;

/// <summary>A null-terminated array of C strings, as argv and envp are.</summary>
internal sealed unsafe class Utf8Strings : IDisposable
{
    private readonly byte** pointers;
    private readonly int count;

    public Utf8Strings(IReadOnlyList<string> strings)
    {
        count = strings.Count;
        pointers = (byte**)NativeMemory.AllocZeroed((nuint)count + 1, (nuint)sizeof(byte*));
        for (var index = 0; index < count; index++)
        {
            var bytes = Encoding.UTF8.GetBytes(strings[index] + '\0');
            pointers[index] = (byte*)NativeMemory.Alloc((nuint)bytes.Length);
            bytes.CopyTo(new Span<byte>(pointers[index], bytes.Length));
        }
    }

    public byte** Pointers => pointers;

    public void Dispose()
    {
        for (var index = 0; index < count; index++) NativeMemory.Free(pointers[index]);
        NativeMemory.Free(pointers);
    }
}
