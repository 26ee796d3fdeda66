//! A case: the bytes of a connection and what must come of them, in every delivery.

use barewire::proto::http1::Closing;
use barewire::proto::{CloseReason, Fault};

use super::wire::{TAIL, When, Wire};

const TAIL_ANSWER: &str = "HTTP/1.1 204 No Content||";

/// Above this size a cut at each offset takes too long, and offsets are sampled.
const EVERY_OFFSET: usize = 1024;

/// The text of an answer that the server gives itself.
pub(crate) fn refusal(status_line: &str, fault: Fault) -> String {
    let retry = if fault.status() == 503 { "Retry-After: 1|" } else { "" };
    let close = if fault.closes().is_some() { "Connection: close|" } else { "" };
    let (reason, length) = (fault.reason(), fault.reason().len() + 1);
    format!(
        "HTTP/1.1 {status_line}|Content-Type: text/plain; charset=utf-8|{retry}\
         Content-Length: {length}|{close}|{reason}\n"
    )
}

/// How a case ends.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum End {
    /// The next request is served.
    Open,
    /// Nothing more is read; the answer is readable.
    Shut(CloseReason),
    /// The answer is cut off.
    Cut(CloseReason),
}

/// Bytes of a connection and what must come of them.
pub(crate) struct Case<'a> {
    pub(crate) name: &'a str,
    pub(crate) input: &'a [u8],
    pub(crate) handler: fn(&mut Wire),
    pub(crate) when: When,
    pub(crate) events: &'a str,
    pub(crate) output: &'a str,
    pub(crate) end: End,
}

impl Case<'_> {
    /// Runs the case in every delivery, alone and with a request behind it.
    pub(crate) fn check(&self) {
        for tail in [&b""[..], TAIL] {
            let bytes = [self.input, tail].concat();
            for ends in deliveries(bytes.len()) {
                self.check_delivery(&bytes, &ends, !tail.is_empty());
            }
        }
    }

    fn check_delivery(&self, bytes: &[u8], ends: &[usize], has_tail: bool) {
        let mut wire = Wire::new(self.when, self.handler);
        let mut start = 0;
        for &end in ends {
            wire.receive(&bytes[start..end]);
            start = end;
        }
        if self.when == When::Late {
            wire.answer_all();
        }
        let mut events = self.events.to_string();
        let mut output = self.output.to_string();
        if has_tail && self.end == End::Open {
            events.push_str(", GET /tail");
            output.push_str(TAIL_ANSWER);
        }
        let closing = match self.end {
            End::Open => None,
            End::Shut(reason) => Some(Closing::Shut(reason)),
            End::Cut(reason) => Some(Closing::Cut(reason)),
        };
        let name = self.name;
        let pieces = if ends.len() > 2 { "byte by byte".into() } else { format!("{ends:?}") };
        assert_eq!(wire.events(), events, "{name}: events, pieces {pieces}, tail {has_tail}");
        assert_eq!(wire.output(), output, "{name}: output, pieces {pieces}, tail {has_tail}");
        assert_eq!(wire.closing(), closing, "{name}: closing, pieces {pieces}, tail {has_tail}");
    }
}

/// Each way of delivery, as the offsets where its pieces end: whole, two pieces, byte by byte.
pub(crate) fn deliveries(length: usize) -> Vec<Vec<usize>> {
    let step = if length > EVERY_OFFSET { length / 60 } else { 1 };
    let mut ways = vec![vec![length]];
    if length <= EVERY_OFFSET {
        ways.push((1..=length).collect());
    }
    ways.extend((1..length).step_by(step).map(|cut| vec![cut, length]));
    ways
}

/// The usual handler.
pub(crate) fn ok(wire: &mut Wire) {
    wire.reply(200, &[], b"ok").expect("an answer is owed");
}

/// A handler for cases that have no request to answer.
pub(crate) fn never(_: &mut Wire) {
    panic!("nothing is to be answered here");
}

#[allow(clippy::unnecessary_wraps)] // it reads like `closing()`
pub(crate) fn shut(reason: CloseReason) -> Option<Closing> {
    Some(Closing::Shut(reason))
}

#[allow(clippy::unnecessary_wraps)] // it reads like `closing()`
pub(crate) fn cut(reason: CloseReason) -> Option<Closing> {
    Some(Closing::Cut(reason))
}
