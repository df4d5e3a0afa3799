namespace Kohakku.Local.ObjectStorage;

/// <summary>An answer of the S3 protocol that is an error; thrown where it is found, written in one place.</summary>
internal sealed class S3Exception(string code, int status, string message) : Exception(message)
{
    public string Code => code;
    public int Status => status;
}

/// <summary>The errors that this server answers, by the names and statuses of the S3 API reference.</summary>
internal static class S3Errors
{
    public static S3Exception AccessDenied(string message = "Access Denied") => new("AccessDenied", 403, message);
    public static S3Exception AuthorizationHeaderMalformed(string message) => new("AuthorizationHeaderMalformed", 400, message);
    public static S3Exception AuthorizationQueryParametersError(string message) => new("AuthorizationQueryParametersError", 400, message);
    public static S3Exception BadDigest(string what) => new("BadDigest", 400, $"The {what} you specified did not match what we received.");
    public static S3Exception BucketAlreadyOwnedByYou() => new("BucketAlreadyOwnedByYou", 409, "The bucket is there and is yours.");
    public static S3Exception BucketNotEmpty() => new("BucketNotEmpty", 409, "The bucket you tried to delete is not empty.");
    public static S3Exception EntityTooLarge() => new("EntityTooLarge", 400, "Your proposed upload exceeds the maximum allowed size.");
    public static S3Exception EntityTooSmall() => new("EntityTooSmall", 400, "Every part but the last must have at least 5 MiB.");
    public static S3Exception IncompleteBody() => new("IncompleteBody", 400, "The body does not have the number of bytes that the headers say.");
    public static S3Exception InternalError() => new("InternalError", 500, "We encountered an internal error. Please try again.");
    public static S3Exception InvalidAccessKeyId() => new("InvalidAccessKeyId", 403, "The access key id you provided does not exist in our records.");
    public static S3Exception InvalidArgument(string message) => new("InvalidArgument", 400, message);
    public static S3Exception InvalidBucketName(string name) => new("InvalidBucketName", 400, $"'{name}' is not a bucket name: 3 to 63 lower-case letters, digits, hyphens and dots.");
    public static S3Exception InvalidDigest() => new("InvalidDigest", 400, "The Content-MD5 you specified is not valid.");
    public static S3Exception InvalidPart() => new("InvalidPart", 400, "One or more of the specified parts could not be found, or its entity tag did not match.");
    public static S3Exception InvalidPartOrder() => new("InvalidPartOrder", 400, "The list of parts was not in ascending order.");
    public static S3Exception InvalidRange() => new("InvalidRange", 416, "The requested range is not satisfiable.");
    public static S3Exception InvalidRequest(string message) => new("InvalidRequest", 400, message);
    public static S3Exception InvalidUri() => new("InvalidURI", 400, "Couldn't parse the specified URI.");
    public static S3Exception KeyTooLong() => new("KeyTooLongError", 400, "Your key is too long; it has at most 1,024 bytes.");
    public static S3Exception MalformedXml() => new("MalformedXML", 400, "The XML you provided was not well formed or did not validate.");
    public static S3Exception MethodNotAllowed() => new("MethodNotAllowed", 405, "The specified method is not allowed against this resource.");
    public static S3Exception NoSuchBucket() => new("NoSuchBucket", 404, "The specified bucket does not exist.");
    public static S3Exception NoSuchKey() => new("NoSuchKey", 404, "The specified key does not exist.");
    public static S3Exception NoSuchUpload() => new("NoSuchUpload", 404, "The specified multipart upload does not exist; it may have been aborted or completed.");
    public static S3Exception NotImplemented(string what) => new("NotImplemented", 501, $"This server does not have {what}.");
    public static S3Exception PreconditionFailed() => new("PreconditionFailed", 412, "At least one of the preconditions you specified did not hold.");
    public static S3Exception RequestTimeTooSkewed() => new("RequestTimeTooSkewed", 403, "The difference between the request time and the server's time is too large.");
    public static S3Exception SignatureDoesNotMatch() => new("SignatureDoesNotMatch", 403, "The request signature we calculated does not match the signature you provided. Check your key and signing method.");
    public static S3Exception ContentSha256Mismatch() => new("XAmzContentSHA256Mismatch", 400, "The provided 'x-amz-content-sha256' header does not match what was computed.");
}
