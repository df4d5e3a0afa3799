namespace Kohakku.Local.Temporal.Storage;

/// <summary>The storage can't do what was asked, and trying again won't help.</summary>
internal class StorageException : Exception
{
    public StorageException(string message) : base(message)
    {
    }

    public StorageException(string message, Exception? inner) : base(message, inner)
    {
    }
}

/// <summary>The first run of a workflow id was to be written, and the id has a run; nothing of the change was written.</summary>
internal sealed class WorkflowIdInUseException(Exception inner) : Exception("the workflow id has a run", inner);

/// <summary>Another server owns the database: what this one holds in memory is out of date, and it must end.</summary>
internal sealed class SupersededException(string message) : StorageException(message);
