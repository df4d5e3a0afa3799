namespace Kohakku.ServiceDefaults;

/// <summary>The process can't run as it is configured; the message is one line for the operator.</summary>
public sealed class ConfigurationException : Exception
{
    public ConfigurationException(string message) : base(message) { }
    public ConfigurationException(string message, Exception innerException) : base(message, innerException) { }
    public ConfigurationException() { }
}
