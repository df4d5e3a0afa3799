namespace Kohakku.Workflows.Templates;

/// <summary>A template could not be rendered; the message is for the operator who wrote it and names the template.</summary>
public sealed class TemplateException : Exception
{
    public TemplateException(string message) : base(message)
    {
    }

    public TemplateException(string message, Exception inner) : base(message, inner)
    {
    }

    public TemplateException()
    {
    }
}
