//! The chunked coding: however the bytes come, the same data, trailers, end or fault; a body that is
//! complete is so by the book, too; and what was encoded decodes to itself.

use barewire::wire::Error;
use barewire::wire::chunk::{Decoder, Event};
use barewire::wire::encode;
use barewire::wire::fields::Trailers;

use super::PIECES;

/// The data, and the end with how many bytes it took, if it was there.
type Decoded = (Vec<u8>, Result<Option<(usize, Trailers)>, Error>);

pub fn run(data: &[u8]) {
    let whole = decode(data, data.len().max(1));
    for piece in PIECES {
        assert_eq!(decode(data, piece), whole, "in pieces of {piece}");
    }
    against_the_book(data, &whole);
    for piece in PIECES {
        encoded_and_back(data, piece);
    }
}

fn decode(input: &[u8], piece: usize) -> Decoded {
    let mut decoder = Decoder::new();
    let mut data = Vec::new();
    let mut used_before = 0;
    for mut rest in input.chunks(piece) {
        while !rest.is_empty() {
            let (used, event) = match decoder.next(rest) {
                Ok(found) => found,
                Err(error) => return (data, Err(error)),
            };
            assert!(used > 0, "it gets on");
            used_before += used;
            match event {
                Event::Partial => assert_eq!(used, rest.len(), "everything was used"),
                Event::Data { start, end } => {
                    assert!(start < end && end <= used);
                    data.extend_from_slice(&rest[start..end]);
                }
                Event::End(trailers) => return (data, Ok(Some((used_before, trailers)))),
            }
            rest = &rest[used..];
        }
    }
    (data, Ok(None))
}

fn against_the_book(input: &[u8], (data, end): &Decoded) {
    let found = end.as_ref().ok().and_then(Option::as_ref);
    let found = found.map(|(used, trailers)| (data.clone(), *used, trailers.iter().count()));
    // The book has no limits.
    if !matches!(end, Err(Error::ChunkExtensions | Error::TrailersTooLarge)) {
        assert_eq!(found, read(input), "{end:?}: {}", input.escape_ascii());
    }
}

/// RFC 9112 §7.1, line by line: the data of a complete body, its length on the wire, and how many
/// trailer fields it has.
fn read(mut rest: &[u8]) -> Option<(Vec<u8>, usize, usize)> {
    let length = rest.len();
    let mut data = Vec::new();
    loop {
        let line = line(&mut rest)?;
        let digits = line.iter().take_while(|byte| byte.is_ascii_hexdigit()).count();
        let (digits, extension) = line.split_at(digits);
        let is_extension = trimmed(extension).starts_with(b";");
        if digits.len() > 16 || !(extension.is_empty() || is_extension) {
            return None;
        }
        let size = u64::from_str_radix(std::str::from_utf8(digits).ok()?, 16).ok()?;
        if size == 0 {
            break;
        }
        let size = usize::try_from(size).ok()?;
        let (chunk, behind) = rest.split_at_checked(size)?;
        data.extend_from_slice(chunk);
        rest = behind.strip_prefix(b"\r\n")?;
    }
    let mut fields = 0;
    loop {
        let line = line(&mut rest)?;
        if line.is_empty() {
            return Some((data, length - rest.len(), fields));
        }
        let name =
            line.split(|&byte| byte == b':').next().filter(|name| name.len() < line.len())?;
        let is_tchar = |b: &u8| b.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(b);
        if name.is_empty() || !name.iter().all(is_tchar) {
            return None;
        }
        fields += 1;
    }
}

/// A line without its CR LF; none with a control byte, other than a tab.
fn line<'a>(rest: &mut &'a [u8]) -> Option<&'a [u8]> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let line = &rest[..end];
    *rest = &rest[end + 2..];
    line.iter().all(|&byte| byte == b'\t' || !byte.is_ascii_control()).then_some(line)
}

fn encoded_and_back(data: &[u8], piece: usize) {
    let mut out = Vec::new();
    for chunk in data.chunks(piece) {
        encode::chunk(&mut out, chunk);
    }
    let trailer: (&[u8], &[u8]) = (b"X-Check", &data[..data.len().min(20)]);
    let is_sent = encode::last_chunk(&mut out, &[trailer]).is_ok();
    if !is_sent {
        encode::last_chunk(&mut out, &[]).expect("no trailer is wrong");
    }
    let length = out.len();
    out.extend_from_slice(b"GET / HTTP/1.1\r\n");
    let (decoded, end) = decode(&out, out.len());
    let (used, trailers) = end.expect("no fault").expect("an end");
    assert_eq!((decoded.as_slice(), used), (data, length));
    assert_eq!(trailers.iter().count(), usize::from(is_sent));
    for (name, value) in trailers.iter() {
        assert_eq!((name, value), (trailer.0, trimmed(trailer.1)));
    }
}

fn trimmed(value: &[u8]) -> &[u8] {
    let is_blank = |byte: &u8| matches!(byte, b' ' | b'\t');
    let start = value.iter().position(|byte| !is_blank(byte)).unwrap_or(value.len());
    let end = value.iter().rposition(|byte| !is_blank(byte)).map_or(start, |at| at + 1);
    &value[start..end]
}
