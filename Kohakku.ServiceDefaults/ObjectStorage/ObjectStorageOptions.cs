using Amazon.Runtime;
using Amazon.S3;

namespace Kohakku.ServiceDefaults;

/// <summary>Where the objects are, from <c>S3_…</c>.</summary>
public sealed record ObjectStorageOptions(Uri Endpoint, string AccessKey, string SecretKey, string Region, string Bucket)
{
    internal static ObjectStorageOptions Read(SettingsReader settings)
    {
        var options = new ObjectStorageOptions(
            settings.Url("S3_ENDPOINT", "http://localhost:9000"), Required(settings, "S3_ACCESS_KEY"), Required(settings, "S3_SECRET_KEY"),
            settings.Text("S3_REGION", "us-east-1"), settings.Text("S3_BUCKET", "kohakku"));
        if (!IsBucketName(options.Bucket))
            settings.Fault($"S3_BUCKET is '{options.Bucket}'; it takes 3 to 63 lower-case letters, digits, hyphens and dots, a letter or digit at both ends.");
        return options;
    }

    internal AmazonS3Client CreateClient() => new(
        new BasicAWSCredentials(AccessKey, SecretKey),
        new AmazonS3Config
        {
            ServiceURL = Endpoint.ToString(),
            AuthenticationRegion = Region,
            // MinIO and other servers of one's own have no name per bucket.
            ForcePathStyle = true,
            // The newer checksums of AWS, sent unasked, are refused by plain S3 servers. TLS and SHA-256 of the payload stay.
            RequestChecksumCalculation = RequestChecksumCalculation.WHEN_REQUIRED,
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = 3,
            ConnectTimeout = TimeSpan.FromSeconds(5),
            // For one request, of at most one part; an object's content streams on after it.
            Timeout = TimeSpan.FromSeconds(60),
        });

    private static string Required(SettingsReader settings, string key)
    {
        if (settings.Text(key) is { } value) return value;
        settings.Fault($"{key} is not set; it takes the key of the object storage at S3_ENDPOINT.");
        return "missing";
    }

    private static bool IsBucketName(string name) =>
        name.Length is >= 3 and <= 63 && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');
}
