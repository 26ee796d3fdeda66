//! The head of a response as a client reads it, and where its body ends: RFC 9112 §4 and §6.3.
//!
//! [`super::head::Scanner`] finds the end of the head, as it does for a request. [`ResponseHead`]
//! then reads it in one go, and [`ResponseFraming::decide`] is the one place that looks at
//! Content-Length, Transfer-Encoding and Connection of a response. It is as strict as the request's:
//! what two readers could understand differently is refused.

use super::fields::{self, FieldSpan};
use super::framing::Codings;
use super::head::{self, Extent, Method, Version};
use super::{Error, ascii};
use crate::limits;

/// Offsets of a parsed response head. Kept by the caller and used again, so that a parse allocates
/// nothing.
#[derive(Clone, Debug, Default)]
pub struct ResponseSpans {
    version: Version,
    status: u16,
    fields: Vec<FieldSpan>,
}

/// A response head: bytes from the status line's first to the final empty line, and where its parts
/// lie in them.
#[derive(Clone, Copy, Debug)]
pub struct ResponseHead<'a> {
    bytes: &'a [u8],
    spans: &'a ResponseSpans,
}

#[expect(
    clippy::indexing_slicing,
    reason = "offsets are used with the bytes that they were found in"
)]
impl<'a> ResponseHead<'a> {
    /// Parses the complete head that the scan found in `input`.
    ///
    /// # Example
    /// ```
    /// use barewire::wire::head::{HeadLimits, Scanner};
    /// use barewire::wire::response::{ResponseHead, ResponseSpans};
    ///
    /// let input = b"HTTP/1.1 204 No Content\r\nETag: \"a\"\r\n\r\n";
    /// let extent = Scanner::default().scan(input, &HeadLimits::default())?.expect("complete");
    /// let mut spans = ResponseSpans::default();
    /// let head = ResponseHead::parse(input, extent, &mut spans)?;
    /// assert_eq!(head.status(), 204);
    /// assert_eq!(head.field("etag"), Some(&b"\"a\""[..]));
    /// # Ok::<(), barewire::wire::Error>(())
    /// ```
    pub fn parse(
        input: &'a [u8],
        extent: Extent,
        spans: &'a mut ResponseSpans,
    ) -> Result<Self, Error> {
        // Empty lines are skipped before a request alone (RFC 9112 §2.2).
        if extent.start != 0 {
            return Err(Error::StatusLine);
        }
        let bytes = &input[..extent.end];
        let line = &bytes[..extent.fields_start - b"\r\n".len()];
        (spans.version, spans.status) = status_line(line)?;
        spans.fields.clear();
        fields::parse(bytes, extent.fields_start, extent.fields, &mut spans.fields)?;
        Ok(ResponseHead { bytes, spans })
    }

    /// A head that was parsed before: the same bytes (or a copy of them) and its spans.
    pub fn of(bytes: &'a [u8], spans: &'a ResponseSpans) -> Self {
        ResponseHead { bytes, spans }
    }

    /// The bytes of the whole head, with the final empty line.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.spans.version
    }

    /// The status code, 100 to 599.
    pub fn status(&self) -> u16 {
        self.spans.status
    }

    /// Whether it is an interim answer (1xx), behind which the final one follows.
    pub fn is_interim(&self) -> bool {
        self.spans.status < 200
    }

    /// Each field's name and value, as sent and in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let bytes = self.bytes;
        self.spans.fields.iter().map(move |span| (span.name(bytes), span.value(bytes)))
    }

    /// The first value of a field, by name in any case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v)
    }
}

/// `HTTP-version SP status-code [SP reason-phrase]` (RFC 9112 §4). The space before an empty phrase
/// is missing from some servers' lines, and nothing depends on it.
fn status_line(line: &[u8]) -> Result<(Version, u16), Error> {
    let (version, rest) = line.split_at_checked(b"HTTP/1.1".len()).ok_or(Error::StatusLine)?;
    let version = head::version(version)?;
    let [b' ', code @ ..] = rest else {
        return Err(Error::StatusLine);
    };
    let (code, phrase) = code.split_at_checked(3).ok_or(Error::StatusLine)?;
    // RFC 9110 §15: the first digit is 1 to 5; others mean nothing to a client.
    let code = ascii::decimal(code, 599).filter(|&code| code >= 100).ok_or(Error::StatusLine)?;
    match phrase {
        [] => {}
        [b' ', phrase @ ..] if ascii::is_field_value(phrase) => {}
        _ => return Err(Error::StatusLine),
    }
    Ok((version, code as u16))
}

/// How the body of a response is delimited (RFC 9112 §6.3).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ResponseBody {
    /// No body follows the head, whatever the fields say: HEAD, 1xx, 204, 304.
    None,
    /// Content-Length: so many bytes, maybe 0.
    Length(u64),
    /// Transfer-Encoding: chunked.
    Chunked,
    /// Neither: the end of the connection is the end of the body, and nobody can tell whether it is
    /// complete.
    UntilClose,
}

/// What the head says about the message and the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct ResponseFraming {
    /// The delimitation of the body.
    pub body: ResponseBody,
    /// The length that the content has, or would have had for HEAD and 304, where it is declared.
    pub content_length: Option<u64>,
    /// Whether the connection can carry another request after this answer (RFC 9112 §9.3).
    pub persistent: bool,
}

impl ResponseFraming {
    /// Decides about the answer to a request with this method. The steps follow RFC 9112 §6.3;
    /// where it leaves a choice, the strict side is taken.
    ///
    /// CONNECT is not for this function: what follows its 2xx is no body.
    pub fn decide(head: &ResponseHead<'_>, method: Method) -> Result<Self, Error> {
        let mut length = None;
        let mut codings: Option<Codings> = None;
        let (mut close, mut keep_alive) = (false, false);
        for (name, value) in head.fields() {
            match name.len() {
                10 if name.eq_ignore_ascii_case(b"connection") => {
                    for option in ascii::list(value) {
                        close |= option.eq_ignore_ascii_case(b"close");
                        keep_alive |= option.eq_ignore_ascii_case(b"keep-alive");
                    }
                }
                14 if name.eq_ignore_ascii_case(b"content-length") => {
                    let number = ascii::decimal(value, limits::CONTENT_LENGTH);
                    let number = number.ok_or(Error::ContentLength)?;
                    if length.replace(number).is_some() {
                        return Err(Error::ContentLength);
                    }
                }
                17 if name.eq_ignore_ascii_case(b"transfer-encoding") => {
                    codings.get_or_insert_default().add(value);
                }
                _ => {}
            }
        }
        let http10 = head.version() == Version::Http10;
        if let Some(codings) = codings {
            if length.is_some() {
                return Err(Error::LengthAndEncoding);
            }
            // §6.1: not in HTTP/1.0, not with 1xx and 204. Without `chunked` at the end the body would
            // end with the connection; nobody asked for such a coding.
            let has_none = head.is_interim() || head.status() == 204;
            if http10 || has_none || codings.malformed || !codings.chunked_last {
                return Err(Error::TransferEncoding);
            }
            if codings.others {
                return Err(Error::TransferCoding);
            }
        }
        let body = match (head.status(), length) {
            // RFC 9110 §8.6 forbids the field there; one that promises bytes may be followed by them.
            (100..=199 | 204, Some(1..)) => return Err(Error::ContentLength),
            (100..=199 | 204 | 304, _) => ResponseBody::None,
            _ if method == Method::Head => ResponseBody::None,
            _ if codings.is_some() => ResponseBody::Chunked,
            (_, Some(length)) => ResponseBody::Length(length),
            (_, None) => ResponseBody::UntilClose,
        };
        let persistent = !close && (!http10 || keep_alive) && body != ResponseBody::UntilClose;
        Ok(ResponseFraming { body, content_length: length, persistent })
    }
}
