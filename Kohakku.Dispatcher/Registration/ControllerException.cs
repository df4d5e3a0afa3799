namespace Kohakku.Dispatcher.Registration;

internal enum ControllerFault
{
    /// <summary>It can't be reached, is too slow, or has a fault of its own: the same call may work later.</summary>
    Away,
    /// <summary>It does not know this session: register anew.</summary>
    UnknownSession,
    /// <summary>A newer session of the same name has taken over: drain.</summary>
    Superseded,
    /// <summary>It will never take this request.</summary>
    Refused,
}

/// <summary>A call to the controller that did not bring an answer.</summary>
internal sealed class ControllerException(ControllerFault fault, string message, Exception? inner = null) : Exception(message, inner)
{
    public ControllerFault Fault { get; } = fault;
}
