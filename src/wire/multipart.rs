//! Forms in parts, `multipart/form-data`: RFC 7578 over RFC 2046 §5.1.
//!
//! [`Parser`] says where the parts of a body lie in the bytes that are pushed through it, and
//! copies only their names. It is strict where parsers could differ about what a body holds: lines
//! end in CR LF, a boundary inside of a part is a fault, each part has one Content-Disposition.
//! What a part means (a field, a file, how large it may be) is the caller's to say.

use memchr::memmem::{self, Finder};

use super::disposition::Disposition;
use super::fields::{self, FieldSpan};
use crate::limits;

/// What [`Parser::next`] found.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// More bytes are needed behind those that weren't used.
    Partial,
    /// A part begins; all used bytes lie before its data.
    PartBegin(Part),
    /// All used bytes are data of the part, at least one.
    Data,
    /// The part is complete; none of the used bytes are its data.
    PartEnd,
}

/// The header of a part.
#[derive(Debug, PartialEq, Eq)]
pub struct Part {
    /// The form's name for it.
    pub name: String,
    /// A file has one, which may be empty; a plain field has none.
    pub filename: Option<String>,
    /// Its header fields, as positions in the input that the event was found in.
    pub fields: Vec<FieldSpan>,
}

/// A fault in a body. All of them are the client's; the connection can go on.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Error {
    /// Not 1 to 70 `bchars`, or a space at the end (RFC 2046 §5.1.1).
    Boundary,
    /// A boundary is followed by something else than its line's end, or the first one begins none.
    BoundaryLine,
    /// A header field isn't `token ":" value CRLF`.
    Field,
    /// The header of a part is above [`limits::PART_HEADER_SIZE`] or [`limits::PART_FIELDS`].
    FieldsTooLarge,
    /// Content-Disposition is missing, repeated, or isn't `form-data` with one name (RFC 7578 §4.2).
    Disposition,
    /// More than [`limits::OUTSIDE_PARTS`] before the first part and behind the last one.
    OutsideTooLarge,
    /// The body ended before its last boundary.
    Truncated,
}

impl Error {
    /// The status code of an answer that says so.
    pub const fn status(self) -> u16 {
        match self {
            Error::FieldsTooLarge | Error::OutsideTooLarge => 413,
            _ => 400,
        }
    }

    /// One sentence for the client, without a line end.
    pub const fn reason(self) -> &'static str {
        match self {
            Error::Boundary => "The boundary of the multipart body is missing or malformed.",
            Error::BoundaryLine => "A boundary line of the multipart body is malformed.",
            Error::Field => "A header field of a part is malformed.",
            Error::FieldsTooLarge => "The header of a part is too large.",
            Error::Disposition => "A part has no valid Content-Disposition of form-data.",
            Error::OutsideTooLarge => "The multipart body has too many bytes outside of its parts.",
            Error::Truncated => "The multipart body ends before its last boundary.",
        }
    }
}

impl std::fmt::Display for Error {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(self.reason())
    }
}

impl std::error::Error for Error {}

/// Where the parser stands.
///
/// ```text
/// Preamble ─delimiter→ Delimiter ─other→ Padding ─CRLF→ Header ─empty line→ Body
///                          │ ↖───────────────delimiter─────────────────────╯
///                          ╰──"--"→ Epilogue
/// ```
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum State {
    Preamble,
    Delimiter,
    Padding,
    Header,
    Body,
    Epilogue,
}

/// Parses one body.
#[derive(Debug)]
pub struct Parser {
    /// Of the delimiter: `CRLF "--" boundary`.
    finder: Finder<'static>,
    state: State,
    /// No data of the part has come, so that a delimiter there has no line end of its own.
    is_data_start: bool,
    scanner: HeaderScanner,
    /// Bytes so far that belong to no part.
    outside: usize,
}

impl Parser {
    /// A parser at the beginning of a body with this boundary.
    pub fn new(boundary: &[u8]) -> Result<Self, Error> {
        if !is_boundary(boundary) {
            return Err(Error::Boundary);
        }
        Ok(Parser {
            finder: Finder::new(&[b"\r\n--", boundary].concat()).into_owned(),
            state: State::Preamble,
            is_data_start: false,
            scanner: HeaderScanner::default(),
            outside: 0,
        })
    }

    /// Finds the next event and says how many bytes of the input led to it.
    ///
    /// The next input begins with the bytes that weren't used. After [`Event::Partial`] those are
    /// fewer than [`limits::PART_HEADER_SIZE`] while a header is read, else fewer than a delimiter
    /// has, and there have to be more behind them. After an error nothing more may be asked.
    #[expect(clippy::indexing_slicing, reason = "`used` is at most what there is")]
    pub fn next(&mut self, input: &[u8]) -> Result<(usize, Event), Error> {
        let mut used = 0;
        loop {
            let rest = &input[used..];
            match (self.state, rest) {
                (State::Preamble, _) => {
                    let (skipped, is_found) = self.preamble(rest)?;
                    used += skipped;
                    if !is_found {
                        return Ok((used, Event::Partial));
                    }
                    self.state = State::Delimiter;
                }
                (State::Delimiter, [b'-', b'-', ..]) => {
                    used += 2;
                    self.state = State::Epilogue;
                }
                (State::Delimiter | State::Padding, [])
                | (State::Delimiter, [b'-'])
                | (State::Padding, [b'\r']) => return Ok((used, Event::Partial)),
                (State::Delimiter, _) => self.state = State::Padding,
                (State::Padding, [b'\r', b'\n', ..]) => {
                    used += 2;
                    self.scanner = HeaderScanner::default();
                    self.state = State::Header;
                }
                (State::Padding, [b' ' | b'\t', ..]) => {
                    self.count_outside(1)?;
                    used += 1;
                }
                (State::Padding, _) => return Err(Error::BoundaryLine),
                (State::Header, _) => {
                    let Some(length) = self.scanner.scan(rest)? else {
                        return Ok((used, Event::Partial));
                    };
                    let part = part(input, used, self.scanner.lines)?;
                    self.is_data_start = true;
                    self.state = State::Body;
                    return Ok((used + length, Event::PartBegin(part)));
                }
                (State::Body, _) => {
                    let found = self.seek(rest);
                    if found.before > 0 {
                        return Ok((found.before, Event::Data));
                    }
                    if found.delimiter == 0 {
                        return Ok((0, Event::Partial));
                    }
                    self.state = State::Delimiter;
                    return Ok((found.delimiter, Event::PartEnd));
                }
                (State::Epilogue, _) => {
                    self.count_outside(rest.len())?;
                    return Ok((input.len(), Event::Partial));
                }
            }
        }
    }

    /// Says whether the body may end here.
    pub fn finish(&self) -> Result<(), Error> {
        if self.state == State::Epilogue { Ok(()) } else { Err(Error::Truncated) }
    }

    /// How much of the preamble can be skipped, with the first boundary if it is there. One that
    /// doesn't begin a line is refused: others would take what follows for a part.
    #[expect(
        clippy::indexing_slicing,
        reason = "a delimiter has more than two bytes; what was found is there"
    )]
    fn preamble(&mut self, input: &[u8]) -> Result<(usize, bool), Error> {
        let delimiter = self.finder.needle();
        // The line end of a delimiter is its first two bytes.
        let bare = &delimiter[2..];
        let Some(at) = memmem::find(input, bare) else {
            // Enough is left to see what is before a boundary that begins at the end.
            let skipped = input.len().saturating_sub(delimiter.len() - 1);
            self.count_outside(skipped)?;
            return Ok((skipped, false));
        };
        let end = at + bare.len();
        let is_first = self.outside == 0 && at == 0;
        self.count_outside(at)?;
        // A boundary was found there.
        if is_first || input[..at].ends_with(b"\r\n") {
            return Ok((end, true));
        }
        Err(Error::BoundaryLine)
    }

    /// Looks for the end of a part.
    #[expect(clippy::indexing_slicing, reason = "a delimiter has more than two bytes")]
    fn seek(&mut self, input: &[u8]) -> Found {
        let delimiter = self.finder.needle();
        if self.is_data_start {
            // As in the preamble.
            let bare = &delimiter[2..];
            if input.starts_with(bare) {
                return Found { before: 0, delimiter: bare.len() };
            }
            if bare.starts_with(input) {
                return Found { before: 0, delimiter: 0 };
            }
        }
        self.is_data_start = false;
        match self.finder.find(input) {
            Some(before) => Found { before, delimiter: delimiter.len() },
            None => Found { before: input.len() - held_back(input, delimiter), delimiter: 0 },
        }
    }

    fn count_outside(&mut self, bytes: usize) -> Result<(), Error> {
        self.outside += bytes;
        if self.outside > limits::OUTSIDE_PARTS { Err(Error::OutsideTooLarge) } else { Ok(()) }
    }
}

/// What lies at the beginning of an input.
struct Found {
    /// Bytes that are surely no part of a delimiter.
    before: usize,
    /// The length of the delimiter behind them; 0 when there is none yet.
    delimiter: usize,
}

/// How many bytes at the end of `input` could begin a delimiter. Only its first byte is a CR, so
/// none but the last CR can.
#[expect(
    clippy::indexing_slicing,
    reason = "`last` is at most the length; what was found is there"
)]
fn held_back(input: &[u8], delimiter: &[u8]) -> usize {
    let last = input.len().saturating_sub(delimiter.len() - 1);
    let tail = &input[last..];
    match memchr::memrchr(b'\r', tail) {
        Some(at) if delimiter.starts_with(&tail[at..]) => tail.len() - at,
        _ => 0,
    }
}

/// Looks for the end of a part's header. Each byte is looked at once, however it comes.
#[derive(Debug, Default)]
struct HeaderScanner {
    /// Bytes looked at so far.
    position: usize,
    /// Where the line under way began.
    line: usize,
    /// Field lines so far.
    lines: usize,
}

impl HeaderScanner {
    /// The length of the header with its empty line; `None` asks for more bytes.
    #[expect(
        clippy::indexing_slicing,
        reason = "what was looked at before is still there: it was not used"
    )]
    fn scan(&mut self, input: &[u8]) -> Result<Option<usize>, Error> {
        let window = &input[..input.len().min(limits::PART_HEADER_SIZE)];
        while let Some(found) = memchr::memchr(b'\n', &window[self.position..]) {
            let line_feed = self.position + found;
            // A line feed at the start of a line has no carriage return of its own before it.
            if line_feed == self.line || window[line_feed - 1] != b'\r' {
                return Err(Error::Field);
            }
            let is_empty = line_feed - 1 == self.line;
            self.position = line_feed + 1;
            self.line = self.position;
            if is_empty {
                return Ok(Some(self.position));
            }
            self.lines += 1;
            if self.lines > limits::PART_FIELDS {
                return Err(Error::FieldsTooLarge);
            }
        }
        self.position = window.len();
        if input.len() < limits::PART_HEADER_SIZE { Ok(None) } else { Err(Error::FieldsTooLarge) }
    }
}

/// Reads the header of a part, which begins at `start` and has so many field lines.
fn part(input: &[u8], start: usize, lines: usize) -> Result<Part, Error> {
    let mut fields = Vec::new();
    fields::parse(input, start, lines, &mut fields).map_err(|_| Error::Field)?;
    let mut dispositions = fields
        .iter()
        .filter(|field| field.name(input).eq_ignore_ascii_case(b"content-disposition"));
    let (Some(field), None) = (dispositions.next(), dispositions.next()) else {
        return Err(Error::Disposition);
    };
    let Disposition { name, filename } =
        Disposition::parse(field.value(input)).ok_or(Error::Disposition)?;
    Ok(Part { name, filename, fields })
}

/// `boundary` of RFC 2046 §5.1.1.
fn is_boundary(bytes: &[u8]) -> bool {
    let is_char = |byte: &u8| byte.is_ascii_alphanumeric() || b"'()+_,-./:=? ".contains(byte);
    (1..=limits::BOUNDARY).contains(&bytes.len())
        && bytes.iter().all(is_char)
        && bytes.last() != Some(&b' ')
}
