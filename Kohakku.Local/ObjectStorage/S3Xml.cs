using System.Globalization;
using System.Text;
using System.Xml;
using System.Xml.Linq;
using Microsoft.AspNetCore.Http;

namespace Kohakku.Local.ObjectStorage;

/// <summary>Reads and writes the XML of S3.</summary>
internal static class S3Xml
{
    private const int MaxRequestBytes = 4 * 1024 * 1024;
    private static readonly XNamespace Namespace = "http://s3.amazonaws.com/doc/2006-03-01/";

    public static XElement Element(string name, params object?[] content) => new(Namespace + name, content);

    public static string Time(DateTimeOffset time) => time.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);

    public static Task WriteAsync(HttpContext context, XElement root, int status = StatusCodes.Status200OK)
    {
        using var buffer = new MemoryStream();
        // A key may hold characters that XML has not; they go out as references, as S3 does it.
        using (var writer = XmlWriter.Create(buffer, new XmlWriterSettings { Encoding = new UTF8Encoding(false), CheckCharacters = false }))
            root.Save(writer);
        context.Response.StatusCode = status;
        context.Response.ContentType = "application/xml";
        context.Response.ContentLength = buffer.Length;
        return HttpMethods.IsHead(context.Request.Method)
            ? Task.CompletedTask
            : context.Response.Body.WriteAsync(buffer.GetBuffer(), 0, (int)buffer.Length, context.RequestAborted);
    }

    /// <summary>Errors have no namespace.</summary>
    public static Task WriteErrorAsync(HttpContext context, S3Exception error) => WriteAsync(
        context,
        new XElement(
            "Error", new XElement("Code", error.Code), new XElement("Message", error.Message),
            new XElement("Resource", context.Request.Path.Value), new XElement("RequestId", context.TraceIdentifier)),
        error.Status);

    /// <summary>Where a small XML body goes until it was verified.</summary>
    public static MemoryStream CreateBuffer(HttpContext context) =>
        context.Request.ContentLength > MaxRequestBytes ? throw S3Errors.MalformedXml() : new BoundedBuffer();

    public static XElement Parse(MemoryStream body)
    {
        try
        {
            body.Position = 0;
            using var reader = XmlReader.Create(body, new XmlReaderSettings { DtdProcessing = DtdProcessing.Prohibit, CheckCharacters = false });
            return XElement.Load(reader);
        }
        catch (XmlException)
        {
            throw S3Errors.MalformedXml();
        }
    }

    /// <summary>A child by its local name: clients send it with the namespace and without.</summary>
    public static string? Child(this XElement parent, string name) => parent.Elements().FirstOrDefault(child => child.Name.LocalName == name)?.Value;

    public static IEnumerable<XElement> Children(this XElement parent, string name) => parent.Elements().Where(child => child.Name.LocalName == name);

    private sealed class BoundedBuffer : MemoryStream
    {
        public override ValueTask WriteAsync(ReadOnlyMemory<byte> buffer, CancellationToken cancellationToken = default) =>
            Length + buffer.Length > MaxRequestBytes ? throw S3Errors.MalformedXml() : base.WriteAsync(buffer, cancellationToken);
    }
}
