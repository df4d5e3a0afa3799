using System.Globalization;

namespace Kohakku.Local.ObjectStorage.Authentication;

/// <summary>Verifies AWS Signature Version 4, in the header or in a presigned address. Any region is taken: there is only this server.</summary>
internal sealed class SignatureVerifier(string accessKey, string secretKey, TimeProvider time)
{
    public const string UnsignedPayload = "UNSIGNED-PAYLOAD";

    private const string Algorithm = "AWS4-HMAC-SHA256";
    private const string DateFormat = "yyyyMMdd'T'HHmmss'Z'";
    private const int MaxExpirySeconds = 7 * 24 * 3600;
    private static readonly TimeSpan MaxSkew = TimeSpan.FromMinutes(15);

    public VerifiedSignature Verify(S3Request request)
    {
        if (request.Value("X-Amz-Algorithm") is { } algorithm) return VerifyQuery(request, algorithm);
        if (request.Header("Authorization") is { } authorization) return VerifyHeader(request, authorization);
        throw S3Errors.AccessDenied();
    }

    // AWS4-HMAC-SHA256 Credential=AKID/20260131/us-east-1/s3/aws4_request, SignedHeaders=host;x-amz-date, Signature=0123…
    private VerifiedSignature VerifyHeader(S3Request request, string authorization)
    {
        if (!authorization.StartsWith(Algorithm + " ", StringComparison.Ordinal))
            throw S3Errors.InvalidRequest("The authorization mechanism you have provided is not supported. Please use AWS4-HMAC-SHA256.");
        var fields = authorization[Algorithm.Length..]
            .Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries)
            .Select(field => field.Split('=', 2))
            .Where(field => field.Length == 2)
            .GroupBy(field => field[0], field => field[1], StringComparer.Ordinal)
            .ToDictionary(field => field.Key, field => field.First(), StringComparer.Ordinal);
        if (!fields.TryGetValue("Credential", out var credential) || !fields.TryGetValue("SignedHeaders", out var signedHeaders)
            || !fields.TryGetValue("Signature", out var signature))
            throw S3Errors.AuthorizationHeaderMalformed("The authorization header must have Credential, SignedHeaders and Signature.");
        var scope = ReadCredential(credential, S3Errors.AuthorizationHeaderMalformed);
        var payloadHash = request.Header("x-amz-content-sha256") ?? throw S3Errors.InvalidRequest("Missing required header for this request: x-amz-content-sha256");
        var (date, at) = ReadDate(request.Header("x-amz-date"), scope, S3Errors.AccessDenied("AWS authentication requires a valid x-amz-date header."));
        if ((time.GetUtcNow() - at).Duration() > MaxSkew) throw S3Errors.RequestTimeTooSkewed();
        return VerifySignature(request, scope, date, signedHeaders, signature, payloadHash);
    }

    private VerifiedSignature VerifyQuery(S3Request request, string algorithm)
    {
        if (algorithm != Algorithm) throw S3Errors.AuthorizationQueryParametersError("X-Amz-Algorithm only supports AWS4-HMAC-SHA256.");
        if (request.Value("X-Amz-Credential") is not { } credential || request.Value("X-Amz-SignedHeaders") is not { } signedHeaders
            || request.Value("X-Amz-Signature") is not { } signature)
            throw S3Errors.AuthorizationQueryParametersError("Query-string authentication requires X-Amz-Credential, X-Amz-SignedHeaders, X-Amz-Signature, X-Amz-Date and X-Amz-Expires.");
        var scope = ReadCredential(credential, S3Errors.AuthorizationQueryParametersError);
        var (date, at) = ReadDate(
            request.Value("X-Amz-Date"), scope, S3Errors.AuthorizationQueryParametersError("X-Amz-Date must be like 20260131T120000Z and of the credential's day."));
        if (!int.TryParse(request.Value("X-Amz-Expires"), NumberStyles.None, CultureInfo.InvariantCulture, out var seconds) || seconds is < 1 or > MaxExpirySeconds)
            throw S3Errors.AuthorizationQueryParametersError($"X-Amz-Expires must be a number of seconds from 1 to {MaxExpirySeconds}.");
        var now = time.GetUtcNow();
        if (now > at.AddSeconds(seconds)) throw S3Errors.AccessDenied("Request has expired");
        if (at - now > MaxSkew) throw S3Errors.AccessDenied("Request is not valid yet");
        var payloadHash = request.Value("X-Amz-Content-Sha256") ?? request.Header("x-amz-content-sha256") ?? UnsignedPayload;
        return VerifySignature(request, scope, date, signedHeaders, signature, payloadHash);
    }

    private SigningScope ReadCredential(string credential, Func<string, S3Exception> malformed)
    {
        // The access key may itself hold slashes.
        var parts = credential.Split('/');
        var scope = parts.Length >= 5 ? SigningScope.Parse(parts[^4..]) : null;
        if (scope is null) throw malformed("The credential must be like AKID/20260131/us-east-1/s3/aws4_request.");
        return VerifiedSignature.Same(string.Join('/', parts[..^4]), accessKey) ? scope : throw S3Errors.InvalidAccessKeyId();
    }

    private static (string Text, DateTimeOffset At) ReadDate(string? text, SigningScope scope, S3Exception fault) =>
        text is not null && text.StartsWith(scope.Day, StringComparison.Ordinal)
        && DateTimeOffset.TryParseExact(text, DateFormat, CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal, out var at)
            ? (text, at)
            : throw fault;

    private VerifiedSignature VerifySignature(S3Request request, SigningScope scope, string date, string signedHeaders, string signature, string payloadHash)
    {
        var names = signedHeaders.Split(';');
        if (!names.Contains("host")) throw S3Errors.AccessDenied("The host header must be signed.");
        // Else whoever carries a signed request could give it other metadata, or another source of a copy.
        var loose = request.Context.Request.Headers.Keys
            .Select(name => name.ToLowerInvariant())
            .FirstOrDefault(name => name.StartsWith("x-amz-", StringComparison.Ordinal) && !names.Contains(name) && name != "x-amz-content-sha256");
        if (loose is not null) throw S3Errors.AccessDenied($"There were headers present in the request which were not signed: {loose}");
        var key = scope.Key(secretKey);
        var expected = VerifiedSignature.Sign(key, $"{Algorithm}\n{date}\n{scope}\n{CanonicalRequest.Hash(request, names, payloadHash)}");
        return VerifiedSignature.Same(expected, signature)
            ? new VerifiedSignature(key, date, scope, signature, payloadHash)
            : throw S3Errors.SignatureDoesNotMatch();
    }
}
