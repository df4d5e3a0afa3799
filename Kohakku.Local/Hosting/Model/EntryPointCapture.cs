using System.Reflection;
using System.Runtime.ExceptionServices;

namespace Aspire.Hosting.Testing;

/// <summary>Tells <see cref="DistributedApplication.CreateBuilder"/> that a test calls Program.cs, in this flow of control only.</summary>
internal sealed class EntryPointCapture(Assembly entryPoint, IReadOnlyDictionary<string, string?> environment, TextWriter? output)
{
    private static readonly AsyncLocal<EntryPointCapture?> Ambient = new();

    public static EntryPointCapture? Current => Ambient.Value;
    public Assembly EntryPoint { get; } = entryPoint;
    public IReadOnlyDictionary<string, string?> Environment { get; } = environment;
    public TextWriter Output { get; } = output ?? TextWriter.Null;
    public DistributedApplication? Application { get; private set; }

    public void Built(DistributedApplication application) => Application = application;

    public void Invoke(Action program)
    {
        Ambient.Value = this;
        try
        {
            program();
        }
        catch (TargetInvocationException fault) when (fault.InnerException is { } inner)
        {
            ExceptionDispatchInfo.Throw(inner);
        }
        finally
        {
            Ambient.Value = null;
        }
    }
}
