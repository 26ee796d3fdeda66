//! The field section of an answer as its handler wants it, judged and stripped of what the server
//! owns.

use super::ascii;
use super::encode::{self, InvalidField};
use crate::limits;

/// The field section that a handler asks for, judged once and ready to be sent again and again.
///
/// What the server owns is taken out: framing and hop-by-hop fields (RFC 9110 §7.6.1) are its own
/// business, whatever the handler wrote. Two of them are remembered for what they say:
/// `Content-Length` (the answer to HEAD may declare what GET would send) and `Connection: close`.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Block {
    lines: Vec<u8>,
    content_length: Option<u64>,
    has_date: bool,
    close: bool,
}

impl Block {
    /// Collects fields; the first invalid one ends it.
    pub fn parse<'a>(
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<Self, InvalidField> {
        let mut block = Block::default();
        block.fill(fields)?;
        Ok(block)
    }

    /// Like [`Block::fill`] of a text, see [`fields_of_text`].
    pub fn fill_text(&mut self, text: &[u8]) -> Result<(), InvalidField> {
        self.fill(fields_of_text(text))
    }

    /// Like [`Block::parse`] in place, using the memory again.
    pub fn fill<'a>(
        &mut self,
        fields: impl IntoIterator<Item = (&'a [u8], &'a [u8])>,
    ) -> Result<(), InvalidField> {
        self.lines.clear();
        (self.content_length, self.has_date, self.close) = (None, false, false);
        for (name, value) in fields {
            match ServerField::of(name) {
                None => {
                    self.has_date |= name.eq_ignore_ascii_case(b"date");
                    encode::field(&mut self.lines, name, value)?;
                }
                Some(ServerField::ContentLength) => {
                    self.content_length = ascii::decimal(value, limits::CONTENT_LENGTH);
                }
                Some(ServerField::Connection) => {
                    self.close |= ascii::list(value).any(|o| o.eq_ignore_ascii_case(b"close"));
                }
                Some(ServerField::Other) => {}
            }
        }
        Ok(())
    }

    /// Adds a field that needs no judging: its name is a token and none of the server's, and what is
    /// appended as its value is one.
    pub fn push_valid(&mut self, name: &str, value: impl FnOnce(&mut Vec<u8>)) {
        self.lines.extend_from_slice(name.as_bytes());
        self.lines.extend_from_slice(b": ");
        let start = self.lines.len();
        value(&mut self.lines);
        debug_assert!(
            ascii::is_token(name.as_bytes()) && ServerField::of(name.as_bytes()).is_none()
        );
        debug_assert!(self.lines.get(start..).is_some_and(ascii::is_field_value), "{name}");
        self.lines.extend_from_slice(b"\r\n");
    }

    /// Adds another block's fields behind these.
    pub fn append(&mut self, other: &Block) {
        self.lines.extend_from_slice(&other.lines);
        self.content_length = other.content_length.or(self.content_length);
        self.has_date |= other.has_date;
        self.close |= other.close;
    }

    /// The field lines, each with its line end.
    pub fn lines(&self) -> &[u8] {
        &self.lines
    }

    /// The Content-Length that the handler declared, if it was a number.
    pub fn content_length(&self) -> Option<u64> {
        self.content_length
    }

    /// Whether the handler gave a Date of its own.
    pub fn has_date(&self) -> bool {
        self.has_date
    }

    /// Whether the handler asked to close the connection after this answer.
    pub fn asks_to_close(&self) -> bool {
        self.close
    }
}

/// The fields of `name NUL value NUL …`, the one text in which they cross to another language:
/// neither a name nor a value can have a NUL.
pub fn fields_of_text(text: &[u8]) -> impl Iterator<Item = (&[u8], &[u8])> {
    let mut parts = text.split(|&byte| byte == 0);
    std::iter::from_fn(move || Some((parts.next()?, parts.next()?)))
}

/// The text of fields, see [`fields_of_text`].
pub fn text_of_fields(
    fields: impl IntoIterator<Item = (impl AsRef<[u8]>, impl AsRef<[u8]>)>,
) -> Vec<u8> {
    let mut text = Vec::new();
    for (name, value) in fields {
        for part in [name.as_ref(), value.as_ref()] {
            text.extend_from_slice(part);
            text.push(0);
        }
    }
    text
}

/// Response fields that belong to the server and not to the handler.
pub(super) enum ServerField {
    ContentLength,
    Connection,
    Other,
}

impl ServerField {
    pub(super) fn of(name: &[u8]) -> Option<Self> {
        let is = |other: &[u8]| name.eq_ignore_ascii_case(other);
        match name.len() {
            14 if is(b"content-length") => Some(Self::ContentLength),
            10 if is(b"connection") => Some(Self::Connection),
            10 if is(b"keep-alive") => Some(Self::Other),
            17 if is(b"transfer-encoding") => Some(Self::Other),
            16 if is(b"proxy-connection") => Some(Self::Other),
            7 if is(b"trailer") || is(b"upgrade") => Some(Self::Other),
            2 if is(b"te") => Some(Self::Other),
            _ => None,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_field_that_could_split_the_response_is_refused() {
        let bad: [(&[u8], &[u8]); 8] = [
            (b"x", b"a\r\nSet-Cookie: b"),
            (b"x", b"a\nb"),
            (b"x", b"a\rb"),
            (b"x", b"a\0b"),
            (b"", b"a"),
            (b"x y", b"a"),
            (b"x:", b"a"),
            (b"x\r\n", b"a"),
        ];
        for (name, value) in bad {
            assert_eq!(Block::parse([(name, value)]), Err(InvalidField), "{name:?} {value:?}");
        }
    }

    #[test]
    fn a_block_keeps_the_handlers_fields_and_drops_the_servers() {
        let block = Block::parse([
            (&b"Set-Cookie"[..], &b"a=1"[..]),
            (b"set-cookie", b"b=2"),
            (b"Content-Length", b"12"),
            (b"Transfer-Encoding", b"chunked"),
            (b"Connection", b"x, Close"),
            (b"Keep-Alive", b"timeout=5"),
            (b"X-Latin", b" caf\xe9 "),
        ])
        .expect("valid");
        assert_eq!(block.lines(), b"Set-Cookie: a=1\r\nset-cookie: b=2\r\nX-Latin: caf\xe9\r\n");
        assert_eq!(block.content_length(), Some(12));
        assert!(block.asks_to_close() && !block.has_date());
    }
}
