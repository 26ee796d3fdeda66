//! Forms in parts: however the bytes come, the same parts or the same fault; and a form that was
//! written holds what was put into it.
//!
//! The first line of the input is the boundary.

use barewire::limits;
use barewire::wire::multipart::{Error, Event, Parser};

use super::PIECES;

/// A part: its name, its file name, its other fields, its data.
#[derive(Debug, PartialEq, Eq)]
struct Found {
    name: String,
    filename: Option<String>,
    fields: Vec<(Vec<u8>, Vec<u8>)>,
    data: Vec<u8>,
}

pub fn run(data: &[u8]) {
    let line = data.iter().position(|&byte| byte == b'\n').unwrap_or(data.len());
    let (boundary, rest) = data.split_at(line);
    let body = rest.get(1..).unwrap_or_default();
    let whole = read(boundary, body, body.len().max(1));
    for piece in PIECES {
        assert_eq!(read(boundary, body, piece), whole, "in pieces of {piece}");
    }
    written_and_back(boundary, body);
}

fn read(boundary: &[u8], body: &[u8], piece: usize) -> (Vec<Found>, Result<(), Error>) {
    let mut found = Vec::new();
    let end = read_into(&mut found, boundary, body, piece);
    (found, end)
}

fn read_into(
    found: &mut Vec<Found>,
    boundary: &[u8],
    body: &[u8],
    piece: usize,
) -> Result<(), Error> {
    let mut parser = Parser::new(boundary)?;
    let (mut at, mut is_in_part) = (0, false);
    for end in (0..body.len()).step_by(piece).map(|at| (at + piece).min(body.len())) {
        loop {
            let input = &body[at..end];
            let (used, event) = parser.next(input)?;
            assert!(used <= input.len());
            at += used;
            match event {
                Event::Partial => {
                    assert!(end - at < limits::PART_HEADER_SIZE, "little is left unused");
                    break;
                }
                Event::PartBegin(part) => {
                    assert!(used > 0 && !std::mem::replace(&mut is_in_part, true));
                    let pairs = part.fields.iter();
                    let pairs = pairs.map(|f| (f.name(input).into(), f.value(input).into()));
                    let (name, filename) = (part.name, part.filename);
                    let data = Vec::new();
                    found.push(Found { name, filename, fields: pairs.collect(), data });
                }
                Event::Data => {
                    assert!(used > 0 && is_in_part);
                    let part = found.last_mut().expect("data lies in a part");
                    part.data.extend_from_slice(&input[..used]);
                }
                Event::PartEnd => assert!(used > 0 && std::mem::take(&mut is_in_part)),
            }
        }
    }
    parser.finish().inspect(|()| assert!(!is_in_part))
}

/// A form of one field and one file, as a browser would write it.
fn written_and_back(boundary: &[u8], data: &[u8]) {
    let delimiter = [b"--", boundary].concat();
    let is_inside = data.windows(delimiter.len()).any(|window| window == delimiter);
    if is_inside || Parser::new(boundary).is_err() {
        return;
    }
    let text: String = data.iter().take(30).map(|&byte| char::from(byte)).collect();
    // Control bytes can't stand in a field; a browser sends them, all but three.
    let text = text.replace(|c: char| c.is_control() && c != '\r' && c != '\n', "");
    let escaped = text.replace('\r', "%0D").replace('\n', "%0A").replace('"', "%22");
    if text.contains('%') {
        return;
    }
    let disposition = format!("Content-Disposition: form-data; name=\"{escaped}\"");
    let body = [
        delimiter.as_slice(),
        b"\r\n",
        disposition.as_bytes(),
        b"\r\n\r\n",
        data,
        b"\r\n",
        delimiter.as_slice(),
        b"\r\n",
        disposition.as_bytes(),
        b"; filename=\"a\"\r\nContent-Type: text/plain\r\n\r\n",
        data,
        b"\r\n",
        delimiter.as_slice(),
        b"--\r\n",
    ]
    .concat();
    let (found, end) = read(boundary, &body, body.len());
    assert_eq!((found.len(), end), (2, Ok(())), "{}", body.escape_ascii());
    for (part, filename) in found.iter().zip([None, Some("a")]) {
        assert_eq!((part.name.as_str(), part.filename.as_deref()), (text.as_str(), filename));
        assert_eq!(part.data, data);
    }
}
