//! The framing decision against a reading by the book: the same request or the same status, and the
//! same body, end and expectation.

use barewire::wire::Error;
use barewire::wire::framing::{BodyKind, Framing};
use barewire::wire::head::{Head, HeadLimits, HeadSpans, Scanner};

use super::reference::{self, Body, Facts, Reading};

pub fn run(data: &[u8]) {
    let limits = HeadLimits { request_line: 64, size: 512, fields: 8 };
    let decided = match decide(data, &limits) {
        Ok(Some(facts)) => Reading::Request(facts),
        Ok(None) => Reading::Incomplete,
        Err(error) => Reading::Refused(error.status()),
    };
    let wanted = reference::read(data, &limits);
    // What can't become small enough any more is refused before its end is there.
    let is_too_large = matches!(decided, Reading::Refused(414 | 431));
    if wanted != Reading::Incomplete || !is_too_large {
        assert_eq!(decided, wanted, "{}", data.escape_ascii());
    }
}

fn decide(data: &[u8], limits: &HeadLimits) -> Result<Option<Facts>, Error> {
    let Some(extent) = Scanner::default().scan(data, limits)? else {
        return Ok(None);
    };
    let mut spans = HeadSpans::default();
    let head = Head::parse(data, extent, &mut spans)?;
    let framing = Framing::decide(&head)?;
    Ok(Some(Facts {
        length: extent.end,
        body: match framing.body {
            BodyKind::None => Body::None,
            BodyKind::Length(length) => Body::Length(length),
            BodyKind::Chunked => Body::Chunked,
        },
        persistent: framing.persistent,
        expects_continue: framing.expects_continue,
        upgrade: framing.upgrade,
    }))
}
