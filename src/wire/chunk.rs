//! The chunked transfer coding, received: RFC 9112 §7.1.
//!
//! [`Decoder`] takes bytes as they come and says where data lies in them; it copies only trailer
//! fields. It is strict: hex digits and nothing else before the extension or CR LF, no bare line
//! feed anywhere, extensions and trailers within limits.

use super::fields::Trailers;
use super::{Error, ascii};
use crate::limits;

/// What [`Decoder::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// Everything given was used; more bytes are needed.
    Partial,
    /// `input[start..end]` is body data.
    Data {
        /// Offset of the first byte.
        start: usize,
        /// Offset after the last byte.
        end: usize,
    },
    /// The body has ended, with these trailer fields (often none).
    End(Trailers),
}

/// Where the decoder stands.
///
/// ```text
/// Size ─digits→ SizeEnd ─";"→ Extension ─CR→ SizeLf ─LF→ Data ─n bytes→ DataCr → DataLf → Size
///                  └────────────CR───────────↗  └─ size 0 → Trailer ─empty line→ Ended
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Size,
    SizeEnd,
    Space,
    Extension,
    SizeLf,
    Data,
    DataCr,
    DataLf,
    Trailer,
    Ended,
}

/// Decodes one chunked body.
#[derive(Debug)]
pub struct Decoder {
    state: State,
    /// The size under way, then the data still missing of the chunk.
    remaining: u64,
    digits: u8,
    extensions: usize,
    trailer: Vec<u8>,
    trailer_lines: usize,
    trailer_line: usize,
}

impl Default for Decoder {
    fn default() -> Self {
        Self::new()
    }
}

impl Decoder {
    /// A decoder at the first chunk's size.
    pub const fn new() -> Self {
        Decoder {
            state: State::Size,
            remaining: 0,
            digits: 0,
            extensions: 0,
            trailer: Vec::new(),
            trailer_lines: 0,
            trailer_line: 0,
        }
    }

    /// Finds the next event and says how many bytes of the input led to it.
    ///
    /// After [`Event::End`] and after an error nothing more may be asked.
    pub fn next(&mut self, input: &[u8]) -> Result<(usize, Event), Error> {
        let mut used = 0;
        while let Some(&byte) = input.get(used) {
            match self.state {
                State::Data => {
                    let available = (input.len() - used) as u64;
                    let take = self.remaining.min(available);
                    self.remaining -= take;
                    if self.remaining == 0 {
                        self.state = State::DataCr;
                    }
                    let end = used + take as usize;
                    return Ok((end, Event::Data { start: used, end }));
                }
                State::Trailer => {
                    let rest = input.get(used..).unwrap_or_default();
                    let line_feed = memchr::memchr(b'\n', rest);
                    let line = line_feed.and_then(|at| rest.get(..=at)).unwrap_or(rest);
                    used += line.len();
                    if let Some(trailers) = self.trailer_part(line)? {
                        self.state = State::Ended;
                        return Ok((used, Event::End(trailers)));
                    }
                }
                _ => {
                    self.size_byte(byte)?;
                    used += 1;
                }
            }
        }
        Ok((used, Event::Partial))
    }

    /// One byte of a size line or of the line end after data.
    fn size_byte(&mut self, byte: u8) -> Result<(), Error> {
        self.state = match (self.state, byte) {
            (State::Size | State::SizeEnd, _) if byte.is_ascii_hexdigit() => {
                self.digits += 1;
                // 16 digits fill 64 bits; more could wrap.
                if self.digits > 16 {
                    return Err(Error::Chunk);
                }
                let digit = ascii::hex_digit(byte).unwrap_or(0);
                self.remaining = self.remaining << 4 | u64::from(digit);
                State::SizeEnd
            }
            (State::SizeEnd | State::Extension, b'\r') => State::SizeLf,
            (State::SizeEnd | State::Space, b';') => State::Extension,
            // White space may stand before the semicolon (§7.1.1), and nowhere else.
            (State::SizeEnd | State::Space, b' ' | b'\t') => self.extension(State::Space)?,
            (State::Extension, _) if ascii::is_field_value(&[byte]) => {
                self.extension(State::Extension)?
            }
            (State::SizeLf, b'\n') => {
                if self.remaining > limits::CONTENT_LENGTH {
                    return Err(Error::Chunk);
                }
                self.digits = 0;
                if self.remaining == 0 { State::Trailer } else { State::Data }
            }
            (State::DataCr, b'\r') => State::DataLf,
            (State::DataLf, b'\n') => State::Size,
            _ => return Err(Error::Chunk),
        };
        Ok(())
    }

    fn extension(&mut self, next: State) -> Result<State, Error> {
        self.extensions += 1;
        if self.extensions > limits::CHUNK_EXTENSIONS {
            return Err(Error::ChunkExtensions);
        }
        Ok(next)
    }

    /// A trailer line or a part of one; the empty line ends the section.
    fn trailer_part(&mut self, part: &[u8]) -> Result<Option<Trailers>, Error> {
        // The usual case: no trailers, and the empty line in one piece. Nothing is copied.
        if self.trailer.is_empty() && part == b"\r\n" {
            return Ok(Some(Trailers::default()));
        }
        if self.trailer.len() + part.len() > limits::TRAILER_SIZE + 2 {
            return Err(Error::TrailersTooLarge);
        }
        self.trailer.extend_from_slice(part);
        if part.last() != Some(&b'\n') {
            return Ok(None);
        }
        let line = self.trailer.get(self.trailer_line..).unwrap_or_default();
        if !line.ends_with(b"\r\n") {
            return Err(Error::BareLineFeed);
        }
        if line.len() > 2 {
            self.trailer_line = self.trailer.len();
            self.trailer_lines += 1;
            if self.trailer_lines > limits::FIELDS {
                return Err(Error::TrailersTooLarge);
            }
            return Ok(None);
        }
        Trailers::parse(std::mem::take(&mut self.trailer), self.trailer_lines).map(Some)
    }
}
