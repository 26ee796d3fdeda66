//! Response bytes: status line, fields, chunks (RFC 9112 §4, §5, §7.1), appended to the caller's
//! buffer. Nothing is allocated unless that buffer must grow.
//!
//! Fields are judged where they enter ([`field`], [`super::block::Block`]): a name that isn't a token or
//! a value with CR, LF or NUL never becomes bytes on the wire.

use super::block::ServerField;
use super::{ascii, status};

/// A response field that can't be sent: its name isn't a token, its value has a forbidden byte.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct InvalidField;

impl std::fmt::Display for InvalidField {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str("a response field has an invalid name or value")
    }
}

impl std::error::Error for InvalidField {}

/// Appends `HTTP/1.1 200 OK` and CR LF.
///
/// The version is always ours, whatever the request's was (RFC 9110 §2.5). An unknown status has
/// an empty reason phrase, which is valid (RFC 9112 §4).
pub fn status_line(out: &mut Vec<u8>, code: u16) {
    if code == 200 {
        out.extend_from_slice(b"HTTP/1.1 200 OK\r\n");
        return;
    }
    out.extend_from_slice(b"HTTP/1.1 ");
    decimal(out, u64::from(code));
    out.push(b' ');
    out.extend_from_slice(status::reason_phrase(code).as_bytes());
    out.extend_from_slice(b"\r\n");
}

/// Appends a number in decimal.
pub fn decimal(out: &mut Vec<u8>, value: u64) {
    out.extend_from_slice(itoa::Buffer::new().format(value).as_bytes());
}

/// Appends one field line after judging it.
pub fn field(out: &mut Vec<u8>, name: &[u8], value: &[u8]) -> Result<(), InvalidField> {
    let value = ascii::trim_ows(value);
    if !ascii::is_token(name) || !ascii::is_field_value(value) {
        return Err(InvalidField);
    }
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
    Ok(())
}

/// Appends `Content-Length: n` and CR LF.
pub fn content_length(out: &mut Vec<u8>, length: u64) {
    out.extend_from_slice(b"Content-Length: ");
    decimal(out, length);
    out.extend_from_slice(b"\r\n");
}

/// Fields about routing and the content's format.
const BEFORE_CONTENT: [&[u8]; 4] =
    [b"host", b"content-encoding", b"content-type", b"content-range"];

const HEX: &[u8; 16] = b"0123456789abcdef";

/// Appends one chunk around `data`. Empty data is skipped: a chunk of size 0 would end the body.
pub fn chunk(out: &mut Vec<u8>, data: &[u8]) {
    if data.is_empty() {
        return;
    }
    chunk_size(out, data.len() as u64);
    out.extend_from_slice(data);
    out.extend_from_slice(b"\r\n");
}

/// Appends the size line of a chunk; its data and CR LF follow.
#[expect(clippy::indexing_slicing, reason = "a nibble is below 16")]
pub fn chunk_size(out: &mut Vec<u8>, size: u64) {
    let digits = (64 - size.leading_zeros()).div_ceil(4);
    for digit in (0..digits).rev() {
        out.push(HEX[(size >> (digit * 4)) as usize & 15]);
    }
    out.extend_from_slice(b"\r\n");
}

/// Appends the end of a chunked body with its trailer fields.
///
/// A field that is invalid, or that must be known before the content (RFC 9110 §6.5.1), is refused,
/// and nothing is appended.
pub fn last_chunk(out: &mut Vec<u8>, trailers: &[(&[u8], &[u8])]) -> Result<(), InvalidField> {
    let start = out.len();
    out.extend_from_slice(b"0\r\n");
    for &(name, value) in trailers {
        let too_late = BEFORE_CONTENT.iter().any(|known| name.eq_ignore_ascii_case(known));
        if too_late || ServerField::of(name).is_some() || field(out, name, value).is_err() {
            out.truncate(start);
            return Err(InvalidField);
        }
    }
    out.extend_from_slice(b"\r\n");
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn text(build: impl FnOnce(&mut Vec<u8>)) -> String {
        let mut out = Vec::new();
        build(&mut out);
        String::from_utf8(out).expect("ASCII")
    }

    #[test]
    fn status_line_has_a_phrase_or_an_empty_one() {
        assert_eq!(text(|o| status_line(o, 200)), "HTTP/1.1 200 OK\r\n");
        assert_eq!(text(|o| status_line(o, 404)), "HTTP/1.1 404 Not Found\r\n");
        assert_eq!(text(|o| status_line(o, 299)), "HTTP/1.1 299 \r\n");
    }

    #[test]
    fn chunk_sizes_are_hex_without_leading_zeros() {
        for size in [1usize, 9, 10, 15, 16, 17, 255, 256, 4095, 4096, 65535, 65536, 1 << 20] {
            let out = text(|o| chunk(o, &vec![b'x'; size]));
            assert!(out.starts_with(&format!("{size:x}\r\nx")), "{size}");
            assert!(out.ends_with("x\r\n"));
        }
        assert_eq!(text(|o| chunk(o, b"")), "");
    }

    #[test]
    fn trailers_refuse_framing_fields_and_leave_the_buffer_as_it_was() {
        let mut out = b"5\r\nhello\r\n".to_vec();
        assert_eq!(last_chunk(&mut out, &[(b"Content-Length", b"5")]), Err(InvalidField));
        assert_eq!(out, b"5\r\nhello\r\n");
        assert_eq!(last_chunk(&mut out, &[(b"Digest", b"x")]), Ok(()));
        assert_eq!(out, b"5\r\nhello\r\n0\r\nDigest: x\r\n\r\n");
    }
}
