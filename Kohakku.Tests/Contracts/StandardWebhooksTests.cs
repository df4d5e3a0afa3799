using System.Globalization;
using System.Text;
using CsCheck;
using Kohakku.Contracts.Signing;

namespace Kohakku.Tests.Contracts;

public sealed class StandardWebhooksTests
{
    // The vector that standardwebhooks.com publishes.
    private const string Id = "msg_p5jXN8AQM9LWM0D4loKWxJek";
    private const long Timestamp = 1614265330;
    private const string Signature = "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=";
    private static readonly byte[] Key = StandardWebhooks.KeyBytes("whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw");
    private static readonly byte[] Body = """{"test": 2432232314}"""u8.ToArray();
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(Timestamp);
    private static readonly string TimestampText = Timestamp.ToString(CultureInfo.InvariantCulture);

    [Fact]
    public void The_published_vector_is_signed_and_verified()
    {
        Assert.Equal(Signature, StandardWebhooks.Sign(Key, Id, Timestamp, Body));
        Assert.Equal(SignatureVerdict.Valid, StandardWebhooks.Verify([Key], Id, TimestampText, Signature, Body, Now));
    }

    [Fact]
    public void Whatever_was_signed_is_valid_and_any_change_is_forged() =>
        Gen.Select(Gen.Byte.Array[32, 64], Gen.String[Gen.Char.AlphaNumeric, 1, 40], Gen.Byte.Array[0, 200], Gen.Int[0, 1000]).Sample((key, id, body, at) =>
        {
            var signature = StandardWebhooks.Sign(key, id, Timestamp, body);
            Assert.Equal(SignatureVerdict.Valid, StandardWebhooks.Verify([key], id, TimestampText, signature, body, Now));
            byte[] changed = [.. body, 0];
            if (body.Length > 0)
            {
                changed = [.. body];
                changed[at % body.Length] ^= 1;
            }
            byte[] otherKey = [.. key];
            otherKey[at % key.Length] ^= 1;
            Assert.Equal(SignatureVerdict.Forged, StandardWebhooks.Verify([key], id, TimestampText, signature, changed, Now));
            Assert.Equal(SignatureVerdict.Forged, StandardWebhooks.Verify([key], id + "x", TimestampText, signature, body, Now));
            Assert.Equal(SignatureVerdict.Forged, StandardWebhooks.Verify([key], id, (Timestamp + 1).ToString(CultureInfo.InvariantCulture), signature, body, Now));
            Assert.Equal(SignatureVerdict.Forged, StandardWebhooks.Verify([otherKey], id, TimestampText, signature, body, Now));
        });

    [Fact]
    public void While_keys_rotate_any_pair_that_fits_will_do()
    {
        var old = Encoding.UTF8.GetBytes(new string('o', 32));
        var both = $"{StandardWebhooks.Sign(old, Id, Timestamp, Body)} {Signature}";
        Assert.Equal(SignatureVerdict.Valid, StandardWebhooks.Verify([Key], Id, TimestampText, both, Body, Now));
        Assert.Equal(SignatureVerdict.Valid, StandardWebhooks.Verify([Key, old], Id, TimestampText, StandardWebhooks.Sign(old, Id, Timestamp, Body), Body, Now));
        Assert.Equal(SignatureVerdict.Forged, StandardWebhooks.Verify([old], Id, TimestampText, Signature, Body, Now));
        Assert.Equal(SignatureVerdict.Forged, StandardWebhooks.Verify([], Id, TimestampText, Signature, Body, Now));
    }

    [Theory]
    [InlineData(-301, SignatureVerdict.ClockSkew)]
    [InlineData(-300, SignatureVerdict.Valid)]
    [InlineData(300, SignatureVerdict.Valid)]
    [InlineData(301, SignatureVerdict.ClockSkew)]
    public void Outside_five_minutes_a_right_signature_is_skewed(int seconds, SignatureVerdict expected) =>
        Assert.Equal(expected, StandardWebhooks.Verify([Key], Id, TimestampText, Signature, Body, Now.AddSeconds(seconds)));

    [Theory]
    [InlineData(long.MinValue)]
    [InlineData(long.MaxValue)]
    public void A_timestamp_that_is_no_date_is_skewed_and_breaks_nothing(long timestamp) =>
        Assert.Equal(
            SignatureVerdict.ClockSkew,
            StandardWebhooks.Verify([Key], Id, timestamp.ToString(CultureInfo.InvariantCulture), StandardWebhooks.Sign(Key, Id, timestamp, Body), Body, Now));

    [Theory]
    [InlineData(null, "1614265330", Signature, SignatureVerdict.Malformed)]
    [InlineData("", "1614265330", Signature, SignatureVerdict.Malformed)]
    [InlineData(Id, null, Signature, SignatureVerdict.Malformed)]
    [InlineData(Id, "soon", Signature, SignatureVerdict.Malformed)]
    [InlineData(Id, "1614265330.5", Signature, SignatureVerdict.Malformed)]
    [InlineData(Id, "99999999999999999999", Signature, SignatureVerdict.Malformed)]
    [InlineData(Id, "1614265330", null, SignatureVerdict.Malformed)]
    [InlineData(Id, "1614265330", "", SignatureVerdict.Malformed)]
    [InlineData(Id, "1614265330", "   ", SignatureVerdict.Forged)]
    [InlineData(Id, "1614265330", "v1,", SignatureVerdict.Forged)]
    [InlineData(Id, "1614265330", "v1,not base64!", SignatureVerdict.Forged)]
    [InlineData(Id, "1614265330", "v1,AAAA", SignatureVerdict.Forged)]
    [InlineData(Id, "1614265330", "v2,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.Forged)]
    [InlineData(Id, "1614265330", "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=", SignatureVerdict.Forged)]
    public void What_is_no_signature_is_refused(string? id, string? timestamp, string? signature, SignatureVerdict expected) =>
        Assert.Equal(expected, StandardWebhooks.Verify([Key], id, timestamp, signature, Body, Now));

    [Fact]
    public void Any_text_as_a_header_breaks_nothing() =>
        Gen.Select(Gen.String, Gen.String, Gen.String).Sample((id, timestamp, signature) =>
            StandardWebhooks.Verify([Key], id, timestamp, signature, Body, Now) != SignatureVerdict.Valid);

    [Fact]
    public void The_content_of_a_call_holds_its_method_and_path() =>
        Assert.Equal("POST /api/v1/callbacks?x=1.{}", Encoding.UTF8.GetString(StandardWebhooks.RequestContent("POST", "/api/v1/callbacks?x=1", "{}"u8)));
}
