//! The Content-Disposition of a form's part: RFC 7578 §4.2, escaped as browsers do it (HTML,
//! "Multipart form data"), with the `filename*` of RFC 8187 that some clients send beside or instead
//! of `filename`.
//!
//! Names are UTF-8; what isn't becomes U+FFFD. A backslash is a plain character, as in a path.

use super::{ascii, percent};

/// What the field says.
#[derive(Debug, PartialEq, Eq)]
pub(super) struct Disposition {
    pub(super) name: String,
    pub(super) filename: Option<String>,
}

impl Disposition {
    /// Reads `form-data` and its parameters; unknown ones are skipped. `None` for another type, a
    /// malformed or repeated parameter, or no name.
    pub(super) fn parse(value: &[u8]) -> Option<Self> {
        let (kind, mut rest) = token(value);
        if !kind.eq_ignore_ascii_case(b"form-data") {
            return None;
        }
        let (mut name, mut filename, mut extended) = (None, None, None);
        loop {
            rest = ascii::trim_ows(rest);
            if rest.is_empty() {
                return Some(Disposition { name: name?, filename: extended.or(filename) });
            }
            rest = ascii::trim_ows(rest.strip_prefix(b";")?);
            // A semicolon at the end introduces nothing.
            if rest.is_empty() {
                continue;
            }
            let (key, text) = token(rest);
            let (text, after) = parameter_value(text.strip_prefix(b"=")?)?;
            rest = after;
            let (place, text) = match key.to_ascii_lowercase().as_slice() {
                b"" => return None,
                b"name" => (&mut name, text.decode()),
                b"filename" => (&mut filename, text.decode()),
                b"filename*" => (&mut extended, text.decode_extended()?),
                _ => continue,
            };
            if place.replace(text).is_some() {
                return None;
            }
        }
    }
}

/// The value of a parameter, as sent.
enum Value<'a> {
    Token(&'a [u8]),
    Quoted(&'a [u8]),
}

/// Splits the value of a parameter from what follows.
fn parameter_value(bytes: &[u8]) -> Option<(Value<'_>, &[u8])> {
    let Some(quoted) = bytes.strip_prefix(b"\"") else {
        let (value, rest) = token(bytes);
        return (!value.is_empty()).then_some((Value::Token(value), rest));
    };
    let end = memchr::memchr(b'"', quoted)?;
    Some((Value::Quoted(quoted.get(..end)?), quoted.get(end + 1..)?))
}

impl Value<'_> {
    fn decode(&self) -> String {
        match self {
            Value::Token(text) => String::from_utf8_lossy(text).into_owned(),
            Value::Quoted(text) => String::from_utf8_lossy(&unquoted(text)).into_owned(),
        }
    }

    /// `UTF-8'language'percent-encoded` (RFC 8187 §3.2).
    fn decode_extended(&self) -> Option<String> {
        let Value::Token(text) = self else {
            return None;
        };
        let mut pieces = text.splitn(3, |&byte| byte == b'\'');
        let (charset, _language, encoded) = (pieces.next()?, pieces.next()?, pieces.next()?);
        if !charset.eq_ignore_ascii_case(b"utf-8") {
            return None;
        }
        let mut decoded = Vec::with_capacity(encoded.len());
        percent::decode(encoded, &mut decoded).ok()?;
        String::from_utf8(decoded).ok()
    }
}

/// Takes back the three escapes of HTML; any other `%` stands for itself.
#[expect(clippy::indexing_slicing, reason = "an escape begins with its `%`")]
fn unquoted(text: &[u8]) -> Vec<u8> {
    let mut out = Vec::with_capacity(text.len());
    let mut rest = text;
    while let Some(at) = memchr::memchr(b'%', rest) {
        let (plain, escape) = rest.split_at(at);
        out.extend_from_slice(plain);
        let (byte, after) = match escape {
            [_, b'0', b'A' | b'a', after @ ..] => (b'\n', after),
            [_, b'0', b'D' | b'd', after @ ..] => (b'\r', after),
            [_, b'2', b'2', after @ ..] => (b'"', after),
            _ => (b'%', &escape[1..]),
        };
        out.push(byte);
        rest = after;
    }
    out.extend_from_slice(rest);
    out
}

/// Splits a token, which may be empty, from what follows.
fn token(bytes: &[u8]) -> (&[u8], &[u8]) {
    let end = bytes.iter().position(|&byte| !ascii::is_token(&[byte])).unwrap_or(bytes.len());
    bytes.split_at(end)
}
