using System.Globalization;
using System.Text;
using CsCheck;
using Kohakku.Contracts.Signing;
using Kohakku.Contracts.Triggers;
using Kohakku.Controller.Triggers;
using Kohakku.Controller.Triggers.Hooks;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Tests.Controller.Triggers;

public sealed class HookVerificationTests
{
    private const string StandardSecret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
    private static readonly DateTimeOffset Now = DateTimeOffset.FromUnixTimeSeconds(1_773_823_542);
    private static readonly Gen<string> Secrets = Gen.String[Gen.Char[' ', '~'], 8, 60];
    private static readonly Gen<byte[]> Bodies = Gen.Byte.Array[0, 300];

    [Fact]
    public void The_vector_that_github_publishes_is_verified()
    {
        const string Secret = "It's a Secret to Everybody";
        const string Signature = "sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17";
        Assert.Equal(Signature, HookVerification.SignGithub(Secret, "Hello, World!"u8));
        Assert.Equal(SignatureVerdict.Valid, Github(Secret, Signature, "Hello, World!"u8));
    }

    [Fact]
    public void Whatever_github_signs_is_valid_and_any_flipped_bit_is_not() =>
        Gen.Select(Secrets, Bodies, Gen.Int[0, 100_000]).Sample((secret, body, at) =>
        {
            var signature = HookVerification.SignGithub(secret, body);
            Assert.Equal(SignatureVerdict.Valid, Github(secret, signature, body));
            Assert.NotEqual(SignatureVerdict.Valid, Github(secret, signature, Flipped(body, at)));
            Assert.NotEqual(SignatureVerdict.Valid, Github(secret, Encoding.Latin1.GetString(Flipped(Encoding.Latin1.GetBytes(signature), at)), body));
            Assert.NotEqual(SignatureVerdict.Valid, Github(Encoding.Latin1.GetString(Flipped(Encoding.Latin1.GetBytes(secret), at)), signature, body));
        });

    [Fact]
    public void Whatever_standard_webhooks_sign_is_valid_and_any_flipped_bit_is_not() =>
        Gen.Select(Bodies, Gen.String[Gen.Char.AlphaNumeric, 1, 40], Gen.Int[0, 100_000], Gen.Int[-300, 300]).Sample((body, id, at, skew) =>
        {
            var timestamp = Now.ToUnixTimeSeconds() + skew;
            var key = StandardWebhooks.KeyBytes(StandardSecret);
            var signature = StandardWebhooks.Sign(key, id, timestamp, body);
            Assert.Equal(SignatureVerdict.Valid, Standard(id, timestamp, signature, body));
            Assert.Equal(SignatureVerdict.Forged, Standard(id, timestamp, signature, Flipped(body, at)));
            Assert.Equal(SignatureVerdict.Forged, Standard($"{id}x", timestamp, signature, body));
            Assert.Equal(SignatureVerdict.Forged, Standard(id, timestamp + 1, signature, body));
            Assert.Equal(SignatureVerdict.Forged, Standard(id, timestamp, $"v1,{Convert.ToBase64String(Flipped(Convert.FromBase64String(signature[3..]), at))}", body));
        });

    [Theory]
    [InlineData(-301)]
    [InlineData(301)]
    public void A_timestamp_more_than_five_minutes_off_is_refused(int skew)
    {
        var timestamp = Now.ToUnixTimeSeconds() + skew;
        var signature = StandardWebhooks.Sign(StandardWebhooks.KeyBytes(StandardSecret), "m", timestamp, "{}"u8);
        Assert.Equal(SignatureVerdict.ClockSkew, Standard("m", timestamp, signature, "{}"u8.ToArray()));
    }

    [Fact]
    public void A_token_is_taken_from_any_of_its_headers_and_any_flipped_bit_is_not() =>
        Gen.Select(Gen.String[Gen.Char['!', '~'], 8, 60], Gen.Int[0, 2], Gen.Int[0, 100_000]).Sample((secret, header, at) =>
        {
            var name = (string[])["Authorization", "X-Kohakku-Token", "X-Gitlab-Token"];
            var prefix = header == 0 ? "Bearer " : "";
            Assert.Equal(SignatureVerdict.Valid, Token(secret, (name[header], prefix + secret)));
            Assert.Equal(SignatureVerdict.Forged, Token(secret, (name[header], prefix + secret + "x")));
            Assert.Equal(SignatureVerdict.Forged, Token(secret, (name[header], prefix + secret[..^1])));
            Assert.Equal(SignatureVerdict.Forged, Token(secret, (name[header], prefix + Encoding.Latin1.GetString(Flipped(Encoding.Latin1.GetBytes(secret), at)))));
        });

    [Theory]
    [InlineData(TriggerVerification.Github)]
    [InlineData(TriggerVerification.Standard)]
    [InlineData(TriggerVerification.Token)]
    public void What_is_not_signed_at_all_is_malformed(TriggerVerification verify) =>
        Assert.Equal(SignatureVerdict.Malformed, HookVerification.Verify(verify, StandardSecret, new HeaderDictionary(), "{}"u8, Now));

    [Theory]
    [InlineData("sha256=")]
    [InlineData("757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")]
    [InlineData("sha1=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")]
    [InlineData("sha256=757107EA0EB2509FC211221CCE984B8A37570B6D7586C22C46F4379C8B043E17")]
    [InlineData("sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17,sha256=757107ea0eb2509fc211221cce984b8a37570b6d7586c22c46f4379c8b043e17")]
    public void A_signature_in_another_form_is_none(string signature) =>
        Assert.NotEqual(SignatureVerdict.Valid, Github("It's a Secret to Everybody", signature, "Hello, World!"u8));

    [Theory]
    [InlineData(TriggerVerification.Github, "seven77", false)]
    [InlineData(TriggerVerification.Github, "It's a Secret to Everybody", true)]
    [InlineData(TriggerVerification.Github, "line\nline", false)]
    [InlineData(TriggerVerification.Token, "with space", false)]
    [InlineData(TriggerVerification.Token, "glpat-0123456789", true)]
    [InlineData(TriggerVerification.Standard, StandardSecret, true)]
    [InlineData(TriggerVerification.Standard, "whsec_no-base64-at-all-in-here-is-it", false)]
    [InlineData(TriggerVerification.Standard, "whsec_c2hvcnQ=", false)]
    [InlineData(TriggerVerification.Standard, "a plain text of its own", true)]
    public void A_secret_fits_its_verification(TriggerVerification verify, string secret, bool fits) => Assert.Equal(fits, TriggerRules.SecretFault(verify, secret) is null);

    private static SignatureVerdict Github(string secret, string signature, ReadOnlySpan<byte> body) =>
        HookVerification.Verify(TriggerVerification.Github, secret, new HeaderDictionary { ["X-Hub-Signature-256"] = signature }, body, Now);

    private static SignatureVerdict Standard(string id, long timestamp, string signature, byte[] body) => HookVerification.Verify(
        TriggerVerification.Standard, StandardSecret,
        new HeaderDictionary { ["webhook-id"] = id, ["webhook-timestamp"] = timestamp.ToString(CultureInfo.InvariantCulture), ["webhook-signature"] = signature }, body, Now);

    private static SignatureVerdict Token(string secret, (string Name, string Value) header) =>
        HookVerification.Verify(TriggerVerification.Token, secret, new HeaderDictionary { [header.Name] = header.Value }, "{}"u8, Now);

    private static byte[] Flipped(byte[] bytes, int at)
    {
        if (bytes.Length == 0) return [0];
        byte[] flipped = [.. bytes];
        flipped[at / 8 % bytes.Length] ^= (byte)(1 << at % 8);
        return flipped;
    }
}
