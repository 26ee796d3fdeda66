//! The head of a request: request line and field section (RFC 9112 §3 and §5), as offsets into
//! the caller's bytes.
//!
//! Two steps. [`Scanner`] looks for the end of the head as bytes come in: each byte is looked at
//! once, limits strike before the end is seen, and a bare line feed is refused. [`Head::parse`]
//! then reads the complete head in one go; httparse judges the field lines there.

use super::fields::{self, FieldSpan};
use super::{Error, ascii};
use crate::limits;

/// The limits of a head; the defaults stand in [`crate::limits`].
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct HeadLimits {
    /// Longest request line in bytes.
    pub request_line: usize,
    /// Largest field section in bytes.
    pub size: usize,
    /// Most field lines.
    pub fields: usize,
}

impl Default for HeadLimits {
    fn default() -> Self {
        HeadLimits {
            request_line: limits::REQUEST_LINE,
            size: limits::HEADER_SIZE,
            fields: limits::FIELDS,
        }
    }
}

/// Finds the end of a head in bytes that arrive in pieces.
///
/// [`Scanner::scan`] is given all bytes since the end of the last message, each time with more at
/// the end. What an earlier call has seen isn't looked at again.
#[derive(Clone, Copy, Debug, Default)]
pub struct Scanner {
    /// Where the next look begins.
    position: usize,
    /// Where the line under way begins.
    line: usize,
    /// Where the request line begins, after the empty lines that are skipped.
    start: usize,
    /// Where the field section begins; 0 while the request line is under way.
    fields_start: usize,
    fields: usize,
    empty_lines: u8,
}

/// A complete head as [`Scanner::scan`] found it.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Extent {
    /// Offset of the request line's first byte.
    pub start: usize,
    /// Offset of the first field line, or of the final empty line.
    pub fields_start: usize,
    /// Offset of the first byte after the final empty line.
    pub end: usize,
    /// Number of field lines.
    pub fields: usize,
}

impl Scanner {
    /// Whether any byte of a head has been seen; empty lines don't count, nor does half of one.
    pub fn has_begun(&self, input: &[u8]) -> bool {
        input.get(self.start..).is_some_and(|rest| !rest.is_empty() && rest != b"\r")
    }

    /// Looks on for the end of the head; `None` asks for more bytes.
    pub fn scan(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Option<Extent>, Error> {
        if self.fields_start == 0 && !self.find_fields(input, limits)? {
            return Ok(None);
        }
        while let Some(length) = self.end_line(input, limits)? {
            if self.line - self.fields_start > limits.size + 2 {
                return Err(Error::FieldsTooLarge);
            }
            if length == 0 {
                return Ok(Some(Extent {
                    start: self.start,
                    fields_start: self.fields_start,
                    end: self.line,
                    fields: self.fields,
                }));
            }
            self.fields += 1;
            if self.fields > limits.fields {
                return Err(Error::TooManyFields);
            }
        }
        self.check_pending(self.line, input.len(), limits)?;
        Ok(None)
    }

    /// Whether a line that began at `line` and goes on at `end` is too long by then.
    fn check_pending(&self, line: usize, end: usize, limits: &HeadLimits) -> Result<(), Error> {
        if self.fields_start == 0 {
            // One byte more than the limit may be the carriage return.
            if end - line > limits.request_line + 1 {
                return Err(Error::RequestLineTooLong);
            }
        } else if end - self.fields_start > limits.size + 2 {
            return Err(Error::FieldsTooLarge);
        }
        Ok(())
    }

    /// Looks on for the request line and where it ends; false asks for more bytes.
    fn find_fields(&mut self, input: &[u8], limits: &HeadLimits) -> Result<bool, Error> {
        while let Some(length) = self.end_line(input, limits)? {
            if length == 0 {
                self.empty_lines += 1;
                self.start = self.line;
                if self.empty_lines > limits::EMPTY_LINES {
                    return Err(Error::EmptyLines);
                }
                continue;
            }
            if length > limits.request_line {
                return Err(Error::RequestLineTooLong);
            }
            self.fields_start = self.line;
            return Ok(true);
        }
        self.check_pending(self.line, input.len(), limits)?;
        Ok(false)
    }

    /// The length of the line under way if its end is there; then the next one is under way.
    #[expect(
        clippy::indexing_slicing,
        reason = "each offset is one that was seen before in this input"
    )]
    fn end_line(&mut self, input: &[u8], limits: &HeadLimits) -> Result<Option<usize>, Error> {
        let Some(found) = memchr::memchr(b'\n', &input[self.position..]) else {
            self.position = input.len();
            return Ok(None);
        };
        let line_feed = self.position + found;
        let start = self.line;
        self.position = line_feed + 1;
        self.line = line_feed + 1;
        if let Some((b'\r', text)) = input[start..line_feed].split_last() {
            return Ok(Some(text.len()));
        }
        // A line feed at the start of a line has no carriage return of its own before it. Its
        // length is judged first, as if the line feed had come in a piece of its own.
        self.check_pending(start, line_feed, limits)?;
        Err(Error::BareLineFeed)
    }
}

/// Request methods by name (RFC 9110 §9.3, RFC 5789); any other token is `Other`.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Method {
    /// A token without a name here; the bytes say which.
    #[default]
    Other = 0,
    /// GET
    Get = 1,
    /// HEAD
    Head = 2,
    /// POST
    Post = 3,
    /// PUT
    Put = 4,
    /// DELETE
    Delete = 5,
    /// OPTIONS
    Options = 6,
    /// PATCH (RFC 5789)
    Patch = 7,
    /// CONNECT
    Connect = 8,
    /// TRACE
    Trace = 9,
}

impl Method {
    /// Methods are case-sensitive (RFC 9110 §9.1).
    fn of(bytes: &[u8]) -> Method {
        match bytes {
            b"GET" => Method::Get,
            b"HEAD" => Method::Head,
            b"POST" => Method::Post,
            b"PUT" => Method::Put,
            b"DELETE" => Method::Delete,
            b"OPTIONS" => Method::Options,
            b"PATCH" => Method::Patch,
            b"CONNECT" => Method::Connect,
            b"TRACE" => Method::Trace,
            _ => Method::Other,
        }
    }
}

/// The two versions that this machine speaks; 1.2 and later minor ones are read as 1.1 (RFC 9110
/// §2.5).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, PartialOrd, Ord)]
pub enum Version {
    /// HTTP/1.0
    Http10,
    /// HTTP/1.1
    #[default]
    Http11,
}

/// Offsets of a parsed head. Kept by the caller and used again, so that a parse allocates nothing.
#[derive(Clone, Debug, Default)]
pub struct HeadSpans {
    method: Method,
    version: Version,
    method_end: u32,
    target: (u32, u32),
    fields_start: u32,
    fields: Vec<FieldSpan>,
}

/// A request head: bytes from the request line's first to the final empty line, and where its
/// parts lie in them.
#[derive(Clone, Copy, Debug)]
pub struct Head<'a> {
    bytes: &'a [u8],
    spans: &'a HeadSpans,
}

#[expect(
    clippy::indexing_slicing,
    reason = "offsets are used with the bytes that they were found in, or a copy"
)]
impl<'a> Head<'a> {
    /// Parses the complete head that the scan found in `input`.
    pub fn parse(
        input: &'a [u8],
        extent: Extent,
        spans: &'a mut HeadSpans,
    ) -> Result<Head<'a>, Error> {
        let bytes = &input[extent.start..extent.end];
        let fields_start = extent.fields_start - extent.start;
        spans.request_line(&bytes[..fields_start - 2])?;
        spans.fields_start = fields_start as u32;
        spans.fields.clear();
        fields::parse(bytes, fields_start, extent.fields, &mut spans.fields)?;
        Ok(Head { bytes, spans })
    }

    /// A head that was parsed before: the same bytes (or a copy of them) and its spans.
    pub fn of(bytes: &'a [u8], spans: &'a HeadSpans) -> Head<'a> {
        Head { bytes, spans }
    }

    /// The bytes of the whole head, with the final empty line.
    pub fn bytes(&self) -> &'a [u8] {
        self.bytes
    }

    /// The offsets.
    pub fn spans(&self) -> &'a HeadSpans {
        self.spans
    }

    /// The method, if it has a name here.
    pub fn method(&self) -> Method {
        self.spans.method
    }

    /// The method's bytes.
    pub fn method_bytes(&self) -> &'a [u8] {
        &self.bytes[..self.spans.method_end as usize]
    }

    /// The request target as sent.
    pub fn target(&self) -> &'a [u8] {
        let (start, end) = self.spans.target;
        &self.bytes[start as usize..end as usize]
    }

    /// Where the target lies in [`Head::bytes`].
    pub fn target_span(&self) -> (u32, u32) {
        self.spans.target
    }

    /// Where the first field line lies in [`Head::bytes`].
    pub fn fields_start(&self) -> u32 {
        self.spans.fields_start
    }

    /// The version.
    pub fn version(&self) -> Version {
        self.spans.version
    }

    /// Each field's name and value, as sent and in order.
    pub fn fields(&self) -> impl Iterator<Item = (&'a [u8], &'a [u8])> {
        let bytes = self.bytes;
        self.spans.fields.iter().map(move |span| (span.name(bytes), span.value(bytes)))
    }

    /// Where each field lies in [`Head::bytes`], in order.
    pub fn field_spans(&self) -> &'a [FieldSpan] {
        &self.spans.fields
    }

    /// The first value of a field, by name in any case.
    pub fn field(&self, name: &str) -> Option<&'a [u8]> {
        self.fields().find(|(n, _)| n.eq_ignore_ascii_case(name.as_bytes())).map(|(_, v)| v)
    }
}

impl HeadSpans {
    /// Becomes a copy of another head's offsets, in the memory that it has.
    pub fn copy_from(&mut self, other: &HeadSpans) {
        let mut fields = std::mem::take(&mut self.fields);
        fields.clear();
        fields.extend_from_slice(&other.fields);
        *self = HeadSpans { fields, ..*other };
    }

    /// `method SP request-target SP HTTP-version` (RFC 9112 §3), exactly one space each.
    #[expect(
        clippy::indexing_slicing,
        reason = "each offset is that of a space in the line, or behind one"
    )]
    fn request_line(&mut self, line: &[u8]) -> Result<(), Error> {
        let method_end = memchr::memchr(b' ', line).ok_or(Error::RequestLine)?;
        let method = &line[..method_end];
        self.method = Method::of(method);
        if self.method == Method::Other && !ascii::is_token(method) {
            return Err(Error::Method);
        }
        let target_start = method_end + 1;
        let length = memchr::memchr(b' ', &line[target_start..]).ok_or(Error::RequestLine)?;
        if length == 0 {
            return Err(Error::RequestLine);
        }
        let target_end = target_start + length;
        self.version = version(&line[target_end + 1..])?;
        self.method_end = method_end as u32;
        self.target = (target_start as u32, target_end as u32);
        Ok(())
    }
}

/// `HTTP/` DIGIT `.` DIGIT, in capitals (RFC 9112 §2.3).
pub(super) fn version(bytes: &[u8]) -> Result<Version, Error> {
    match bytes {
        b"HTTP/1.1" => Ok(Version::Http11),
        b"HTTP/1.0" => Ok(Version::Http10),
        [b'H', b'T', b'T', b'P', b'/', major, b'.', minor]
            if major.is_ascii_digit() && minor.is_ascii_digit() =>
        {
            match major {
                // HTTP/0.9 had no version in its request line.
                b'0' => Err(Error::Version),
                b'1' => Ok(Version::Http11),
                _ => Err(Error::VersionNotSupported),
            }
        }
        _ => Err(Error::Version),
    }
}
