namespace Kohakku.ServiceDefaults;

/// <param name="Keys">The newest first: it signs, all of them verify.</param>
public sealed record SigningKeys(IReadOnlyList<byte[]> Keys);
