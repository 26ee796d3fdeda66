//! Request heads: however the bytes come, the same head or the same fault; what was parsed lies
//! where it says; and the same head written plainly is the same request.

use barewire::wire::Error;
use barewire::wire::framing::Framing;
use barewire::wire::head::{Extent, Head, HeadLimits, HeadSpans, Scanner};

use super::PIECES;

/// Small enough to be reached by an input of a few bytes.
const SMALL: HeadLimits = HeadLimits { request_line: 24, size: 48, fields: 3 };

pub fn run(data: &[u8]) {
    for limits in [HeadLimits::default(), SMALL] {
        let whole = scan(data, data.len().max(1), &limits);
        for piece in PIECES {
            assert_eq!(scan(data, piece, &limits), whole, "{limits:?} in pieces of {piece}");
        }
        if let Ok(Some(extent)) = whole {
            assert_eq!(scan(&data[..extent.end], 1, &limits), whole, "what follows counts");
            parse(data, extent, &limits);
        }
    }
}

fn scan(data: &[u8], piece: usize, limits: &HeadLimits) -> Result<Option<Extent>, Error> {
    let mut scanner = Scanner::default();
    for end in (0..data.len()).step_by(piece).map(|at| at + piece) {
        let found = scanner.scan(&data[..end.min(data.len())], limits)?;
        if found.is_some() {
            return Ok(found);
        }
    }
    Ok(None)
}

fn parse(data: &[u8], extent: Extent, limits: &HeadLimits) {
    assert!(extent.start < extent.fields_start && extent.fields_start < extent.end);
    assert!(extent.fields <= limits.fields);
    let mut spans = HeadSpans::default();
    let Ok(head) = Head::parse(data, extent, &mut spans) else {
        return;
    };
    assert_eq!(head.fields().count(), extent.fields);
    let plain = write(&head);
    let facts = (head.method(), head.version(), Framing::decide(&head).is_ok());
    let mut copied = HeadSpans::default();
    copied.copy_from(head.spans());
    let copy = Head::of(head.bytes(), &copied);
    assert_eq!(write(&copy), plain);
    assert_eq!((copy.method(), copy.version(), Framing::decide(&copy).is_ok()), facts);

    // The limits may be too small for it.
    let extent = scan(&plain, plain.len(), &HeadLimits { size: usize::MAX >> 1, ..*limits });
    let extent = extent.expect("no fault").expect("a whole head");
    let mut spans = HeadSpans::default();
    let again = Head::parse(&plain, extent, &mut spans).expect("the plain form is good");
    assert_eq!(write(&again), plain);
    assert_eq!((again.method(), again.version(), Framing::decide(&again).is_ok()), facts);
}

/// One space behind each colon, and none behind the value.
fn write(head: &Head<'_>) -> Vec<u8> {
    let version = &head.bytes()[head.target_span().1 as usize..head.fields_start() as usize - 2];
    let mut plain = [head.method_bytes(), b" ", head.target(), version, b"\r\n"].concat();
    for (name, value) in head.fields() {
        assert!(!name.is_empty() && !value.contains(&b'\n') && !value.contains(&b'\r'));
        plain.extend_from_slice(&[name, b": ", value, b"\r\n"].concat());
    }
    plain.extend_from_slice(b"\r\n");
    plain
}
