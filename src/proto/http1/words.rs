//! What the machine and its caller tell each other.

use crate::proto::{CloseReason, Timeouts};
use crate::wire::fields::Trailers;
use crate::wire::framing::BodyKind;
use crate::wire::head::HeadLimits;

/// What stays the same for every connection of a server.
#[derive(Clone, Copy, Debug, Default)]
pub struct Settings {
    /// Limits of a request head.
    pub head: HeadLimits,
    /// Clocks.
    pub timeouts: Timeouts,
}

/// The world around a call: the time and the state of the server.
#[derive(Clone, Copy, Debug)]
pub struct Context<'a> {
    /// Limits and clocks.
    pub settings: &'a Settings,
    /// Now, in milliseconds.
    pub now: u64,
    /// `Date: …` and CR LF, as it is sent in this second.
    pub date: &'a [u8],
    /// Whether the server is closing: every answer ends its connection.
    pub draining: bool,
}

/// What [`super::Http1::next`] found in the bytes.
#[derive(Debug, PartialEq, Eq)]
pub enum Event {
    /// More bytes are needed.
    NeedBytes,
    /// An answer is owed: nothing is read until it is complete.
    Paused,
    /// A head is complete; its bytes are `input[start..end]`. An answer is owed from here on.
    Request {
        /// Offset of the head's first byte.
        start: usize,
        /// Offset after the head's last byte.
        end: usize,
        /// What follows: nothing for [`BodyKind::None`], else data and an end.
        body: BodyKind,
    },
    /// `input[start..end]` is body data.
    Data {
        /// Offset of the first byte.
        start: usize,
        /// Offset after the last byte.
        end: usize,
    },
    /// The body is complete.
    BodyEnd(Trailers),
    /// Bytes that nobody wants were dropped.
    Discarded,
}

/// How a connection closes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Closing {
    /// After everything is written: shut our side and let the client read it.
    Shut(CloseReason),
    /// At once.
    Cut(CloseReason),
}
