namespace Kohakku.ServiceDefaults;

/// <summary>The object storage did not do what was asked.</summary>
public sealed class ObjectStorageException : Exception
{
    public ObjectStorageException(string message, bool transient, Exception? innerException = null) : base(message, innerException) => Transient = transient;
    public ObjectStorageException(string message, Exception innerException) : base(message, innerException) { }
    public ObjectStorageException(string message) : base(message) { }
    public ObjectStorageException() { }

    /// <summary>True where the same call may succeed later: the storage was away, slow or overloaded.</summary>
    public bool Transient { get; }
}
