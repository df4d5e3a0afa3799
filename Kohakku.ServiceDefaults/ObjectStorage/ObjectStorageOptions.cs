using Amazon.Runtime;
using Amazon.S3;

namespace Kohakku.ServiceDefaults;

/// <summary>Where the objects are, from <c>S3_…</c>.</summary>
public sealed record ObjectStorageOptions(Uri Endpoint, string AccessKey, string SecretKey, string Region, string Bucket)
{
    private const int MinAccessKeyLength = 3;
    private const int MinSecretKeyLength = 8;

    internal static ObjectStorageOptions Read(SettingsReader settings, bool isDevelopment)
    {
        var options = new ObjectStorageOptions(
            settings.Url("S3_ENDPOINT", "http://localhost:9000", "Where the object storage is: MinIO, AWS or another S3."),
            Required(settings, "S3_ACCESS_KEY", MinAccessKeyLength, "The access key there.", isSecret: false, isDevelopment),
            Required(settings, "S3_SECRET_KEY", MinSecretKeyLength, "The secret key there.", isSecret: true, isDevelopment),
            settings.Text("S3_REGION", "us-east-1", "The region that requests are signed for."),
            settings.Text("S3_BUCKET", "kohakku", "The bucket, which is made where it is missing.", "a bucket's name"));
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

    // Faults never show a key.
    private static string Required(SettingsReader settings, string key, int minLength, string meaning, bool isSecret, bool isDevelopment)
    {
        var takes = $"at least {minLength} characters, outside Development none that everyone knows";
        if (settings.Read(new Setting(key, takes, null, meaning) { IsSecret = isSecret, Need = SettingNeed.Always }) is not { } value)
        {
            settings.Fault($"{key} is not set; it takes the key of the object storage at S3_ENDPOINT.");
            return "missing";
        }
        if (isDevelopment) return value;
        // A user may be called what everyone expects, but for the one whose password everyone knows as well.
        if (isSecret ? WellKnown.IsPassword(value) : value == "minioadmin")
            settings.Fault($"{key} is one that everyone knows; outside Development it takes a key of your own.");
        else if (value.Length < minLength) settings.Fault($"{key} has {value.Length} characters; it takes at least {minLength}.");
        return value;
    }

    private static bool IsBucketName(string name) =>
        name.Length is >= 3 and <= 63 && char.IsAsciiLetterOrDigit(name[0]) && char.IsAsciiLetterOrDigit(name[^1])
        && name.All(c => char.IsAsciiLetterLower(c) || char.IsAsciiDigit(c) || c is '-' or '.');
}
