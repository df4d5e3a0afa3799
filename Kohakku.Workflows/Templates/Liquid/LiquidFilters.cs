using Fluid;
using Fluid.Values;
using Kohakku.Workflows.Templates.Values;

namespace Kohakku.Workflows.Templates.Liquid;

/// <summary>
/// The filters that templates have: Liquid's own but those that format by a pattern of the caller's (a width in it can ask for any amount of memory), each
/// with what it reads and writes counted.
/// </summary>
internal static class LiquidFilters
{
    private static readonly string[] Plain =
    [
        "first", "last", "concat", "map", "reverse", "size", "sort", "sort_natural", "uniq", "where", "find", "find_index", "has", "reject",
        "append", "capitalize", "downcase", "lstrip", "rstrip", "newline_to_br", "prepend", "remove_first", "remove", "remove_last", "replace_first",
        "replace_last", "slice", "split", "strip", "strip_newlines", "truncate", "truncatewords", "upcase",
        "abs", "at_least", "at_most", "ceil", "divided_by", "floor", "minus", "modulo", "plus", "round", "times",
        "default", "compact", "url_encode", "url_decode", "base64_encode", "base64_decode", "base64_url_safe_encode", "base64_url_safe_decode",
        "strip_html", "escape", "escape_once", "handleize", "time_zone", "sha256", "hmac_sha256",
    ];

    public static void Install(FilterCollection filters)
    {
        var offered = filters.ToDictionary(filter => filter.Key, filter => filter.Value, StringComparer.Ordinal);
        filters.Clear();
        foreach (var name in Plain) filters.AddFilter(name, Counted(offered[name]));
        filters.AddFilter("date", Counted(Date(offered["date"])));
        filters.AddFilter("replace", Counted(Replace(offered["replace"])));
        filters.AddFilter("join", Counted(Join(offered["join"])));
        filters.AddFilter("sum", Counted(Sum));
        filters.AddFilter("json", Counted(Json));
    }

    private static FilterDelegate Counted(FilterDelegate filter) => async (input, arguments, context) =>
    {
        RenderWork.Charge(context, input);
        for (var i = 0; i < arguments.Count; i++) RenderWork.Charge(context, arguments.At(i));
        var result = await filter(input, arguments, context);
        if (result is StringValue text) RenderWork.CheckLength(text.ToStringValue().Length);
        if (result is ArrayValue array) RenderWork.CheckItems(array.Values.Count);
        RenderWork.Charge(context, result);
        return result;
    };

    // `%9999999n` would be ten million line ends.
    private static FilterDelegate Date(FilterDelegate filter) => (input, arguments, context) =>
    {
        var format = arguments.At(0).ToStringValue();
        var digits = 0;
        foreach (var character in format)
        {
            digits = char.IsAsciiDigit(character) ? digits + 1 : 0;
            if (digits > 4 || format.Length > 200) throw new TemplateException("has a date format that is too long");
        }

        return filter(input, arguments, context);
    };

    private static FilterDelegate Replace(FilterDelegate filter) => (input, arguments, context) =>
    {
        var text = input.ToStringValue();
        var search = arguments.At(0).ToStringValue();
        if (search.Length > 0) RenderWork.CheckLength(text.Length + ((long)text.AsSpan().Count(search) * arguments.At(1).ToStringValue().Length));
        return filter(input, arguments, context);
    };

    private static FilterDelegate Join(FilterDelegate filter) => (input, arguments, context) =>
    {
        if (input is ArrayValue array)
            RenderWork.CheckLength(((long)array.Values.Count * arguments.At(0).ToStringValue().Length) + array.Values.Sum(item => (long)item.ToStringValue().Length));
        return filter(input, arguments, context);
    };

    /// <summary>Fluid's own knows no members of our objects.</summary>
    private static async ValueTask<FluidValue> Sum(FluidValue input, FilterArguments arguments, TemplateContext context)
    {
        var sum = 0m;
        foreach (var item in input.Enumerate(context))
        {
            var value = arguments.Count > 0 ? await item.GetValueAsync(arguments.At(0).ToStringValue(), context) : item;
            sum += value.Type is FluidValues.Number or FluidValues.String ? value.ToNumberValue() : 0;
        }

        return NumberValue.Create(sum);
    }

    private static ValueTask<FluidValue> Json(FluidValue input, FilterArguments arguments, TemplateContext context) => new StringValue(ValueJson.Text(input));
}
