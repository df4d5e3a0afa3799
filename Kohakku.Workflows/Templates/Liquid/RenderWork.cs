using Fluid;
using Fluid.Values;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>What the filters of one rendering have read and written, so that text doubled in a loop ends before memory does.</summary>
internal sealed class RenderWork
{
    private const string Key = "work";
    private long _done;

    public static void Begin(TemplateContext context) => context.AmbientValues[Key] = new RenderWork();

    public static void Charge(TemplateContext context, FluidValue value)
    {
        if (context.AmbientValues.TryGetValue(Key, out var work)) ((RenderWork)work).Charge(SizeOf(value));
    }

    /// <exception cref="TemplateException">It is more than one value may be.</exception>
    public static void CheckLength(long characters)
    {
        if (characters > MaxTextLength) throw new TemplateException("makes a text that is too long");
    }

    /// <exception cref="TemplateException">It is more than one array may have.</exception>
    public static void CheckItems(long items)
    {
        if (items > TemplateLimits.MaxItems) throw new TemplateException($"makes an array of more than {TemplateLimits.MaxItems} items");
    }

    // More than can be written, since a filter may still shorten it.
    private const long MaxTextLength = 4 * TemplateLimits.MaxOutputBytes;

    private void Charge(long size)
    {
        _done += size;
        if (_done > TemplateLimits.MaxWork) throw new TemplateException("takes too much work");
    }

    private static long SizeOf(FluidValue value) => value switch
    {
        StringValue text => text.ToStringValue().Length,
        ArrayValue array => array.Values.Count,
        _ => 1,
    };
}
