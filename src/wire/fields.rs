//! Field lines by position: where each name and value lies in the bytes of a head or a trailer
//! section (RFC 9110 §5, RFC 9112 §5). Nothing is copied and nothing is decoded: a value is bytes.

use super::Error;
use crate::limits;

/// Where one field line's name and value lie, in bytes from the start of the head.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct FieldSpan {
    name: (u32, u32),
    value: (u32, u32),
}

#[expect(
    clippy::indexing_slicing,
    reason = "a span is used with the bytes that it was found in, or a copy"
)]
impl FieldSpan {
    /// Bytes of the name.
    pub fn name_length(&self) -> usize {
        (self.name.1 - self.name.0) as usize
    }

    /// The name as sent.
    pub fn name<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.name.0 as usize..self.name.1 as usize]
    }

    /// Start and end of the name, start and end of the value.
    pub fn offsets(&self) -> [u32; 4] {
        [self.name.0, self.name.1, self.value.0, self.value.1]
    }

    /// The value as sent, without the white space around it.
    pub fn value<'a>(&self, bytes: &'a [u8]) -> &'a [u8] {
        &bytes[self.value.0 as usize..self.value.1 as usize]
    }
}

/// Parses the field lines in `bytes[start..end]`, which ends with the empty line, and appends
/// their spans. `count` is the number of lines, known from the scan that found the end.
///
/// httparse judges the bytes; its array of borrowed fields lives on the stack, small for the
/// usual request, since filling it costs as much as parsing.
pub(super) fn parse(
    bytes: &[u8],
    start: usize,
    count: usize,
    spans: &mut Vec<FieldSpan>,
) -> Result<(), Error> {
    match count {
        0..=16 => parse_into(bytes, start, spans, &mut [httparse::EMPTY_HEADER; 16]),
        17..=limits::FIELDS => {
            parse_into(bytes, start, spans, &mut [httparse::EMPTY_HEADER; limits::FIELDS])
        }
        // Above the default limit only where an option raised it: rare enough to allocate.
        _ => parse_into(bytes, start, spans, &mut vec![httparse::EMPTY_HEADER; count]),
    }
}

fn parse_into<'a>(
    bytes: &'a [u8],
    start: usize,
    spans: &mut Vec<FieldSpan>,
    fields: &mut [httparse::Header<'a>],
) -> Result<(), Error> {
    match httparse::parse_headers(bytes.get(start..).unwrap_or_default(), fields) {
        Ok(httparse::Status::Complete((_, fields))) => {
            // It cuts the white space around values (RFC 9110 §5.5).
            spans.extend(fields.iter().map(|field| FieldSpan {
                name: span_of(bytes, field.name.as_bytes()),
                value: span_of(bytes, field.value),
            }));
            Ok(())
        }
        // The scan saw the empty line, so a partial result means a line that swallowed it.
        Ok(httparse::Status::Partial) | Err(_) => Err(Error::Field),
    }
}

/// Where `part`, a sub-slice of `whole`, lies in it.
fn span_of(whole: &[u8], part: &[u8]) -> (u32, u32) {
    let start = part.as_ptr() as usize - whole.as_ptr() as usize;
    (start as u32, (start + part.len()) as u32)
}

/// The trailer fields of a chunked body (RFC 9110 §6.5), as received.
///
/// They are kept apart from the header fields and never merged into them (RFC 9110 §6.5.1).
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Trailers {
    bytes: Vec<u8>,
    spans: Vec<FieldSpan>,
}

impl Trailers {
    /// Parses a whole trailer section: field lines and the empty line.
    pub(super) fn parse(bytes: Vec<u8>, count: usize) -> Result<Self, Error> {
        // One without fields is like any other, also where its empty line came in two pieces.
        if count == 0 {
            return Ok(Trailers::default());
        }
        let mut spans = Vec::new();
        parse(&bytes, 0, count, &mut spans).map_err(|_| Error::Trailer)?;
        Ok(Trailers { bytes, spans })
    }

    /// Whether there are none.
    pub fn is_empty(&self) -> bool {
        self.spans.is_empty()
    }

    /// Each name and value, in the order of arrival.
    pub fn iter(&self) -> impl Iterator<Item = (&[u8], &[u8])> {
        self.spans.iter().map(|span| (span.name(&self.bytes), span.value(&self.bytes)))
    }
}
