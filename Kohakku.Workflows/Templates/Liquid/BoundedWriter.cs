using System.Text;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>Where a template is rendered to; it refuses more than a rendering may be.</summary>
internal sealed class BoundedWriter : TextWriter
{
    private readonly StringBuilder _text = new();
    private long _bytes;

    public override Encoding Encoding => Encoding.UTF8;

    public override void Write(char value) => Write([value]);

    public override void Write(string? value) => Write(value.AsSpan());

    public override void Write(char[] buffer, int index, int count) => Write(buffer.AsSpan(index, count));

    public override void Write(ReadOnlySpan<char> buffer)
    {
        _bytes += Encoding.UTF8.GetByteCount(buffer);
        if (_bytes > TemplateLimits.MaxOutputBytes) throw new TemplateException($"makes more than {TemplateLimits.MaxOutputBytes / 1024} KiB");
        _text.Append(buffer);
    }

    public override Task WriteAsync(char value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(string? value)
    {
        Write(value);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(char[] buffer, int index, int count)
    {
        Write(buffer, index, count);
        return Task.CompletedTask;
    }

    public override Task WriteAsync(ReadOnlyMemory<char> buffer, CancellationToken cancellationToken = default)
    {
        Write(buffer.Span);
        return Task.CompletedTask;
    }

    public override string ToString() => _text.ToString();
}
