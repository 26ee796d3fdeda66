//! Why a request is refused, and why a connection closes.

use crate::wire;

/// A request that the server answers itself, with an error, before or instead of its handler.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum Fault {
    /// The peer's bytes are wrong.
    Wire(wire::Error),
    /// The peer closed its side in the middle of a request.
    Incomplete,
    /// The head took longer than allowed.
    HeadersTimeout,
    /// The body made no progress, or too little.
    BodyTimeout,
    /// The body is above its limit.
    BodyTooLarge,
    /// The handler took longer than allowed.
    HandlerTimeout,
    /// The handler failed and left nothing to send.
    HandlerFailed,
    /// CONNECT: no room here serves tunnels.
    Connect,
    /// More requests wait for the handler, or more body bytes are held, than allowed.
    Overloaded,
}

impl Fault {
    /// The status code of the answer.
    pub const fn status(self) -> u16 {
        match self {
            Fault::Wire(error) => error.status(),
            Fault::Incomplete => 400,
            Fault::HeadersTimeout | Fault::BodyTimeout => 408,
            Fault::BodyTooLarge => 413,
            Fault::HandlerFailed => 500,
            Fault::Connect => 501,
            Fault::HandlerTimeout | Fault::Overloaded => 503,
        }
    }

    /// One sentence for the client, without a line end.
    pub const fn reason(self) -> &'static str {
        match self {
            Fault::Wire(error) => error.reason(),
            Fault::Incomplete => "The request ended before it was complete.",
            Fault::HeadersTimeout => "The request head did not arrive in time.",
            Fault::BodyTimeout => "The request body did not arrive in time.",
            Fault::BodyTooLarge => "The request body is too large.",
            Fault::HandlerTimeout => "The server did not answer in time.",
            Fault::HandlerFailed => "Internal Server Error",
            Fault::Connect => "CONNECT is not supported.",
            Fault::Overloaded => "The server is busy.",
        }
    }

    /// Whether a clock has run out.
    pub const fn is_timeout(self) -> bool {
        matches!(self, Fault::HeadersTimeout | Fault::BodyTimeout | Fault::HandlerTimeout)
    }

    /// Why the connection closes after this fault; `None` where it can go on: the request's bytes
    /// were understood.
    pub const fn closes(self) -> Option<CloseReason> {
        match self {
            Fault::Wire(_) => Some(CloseReason::Malformed),
            Fault::Incomplete => Some(CloseReason::ClientAborted),
            Fault::HeadersTimeout => Some(CloseReason::HeadersTimeout),
            Fault::BodyTimeout => Some(CloseReason::BodyTimeout),
            Fault::BodyTooLarge => Some(CloseReason::BodyTooLarge),
            Fault::HandlerTimeout => Some(CloseReason::HandlerTimeout),
            // What follows may be meant for the tunnel.
            Fault::Connect => Some(CloseReason::Answered),
            Fault::HandlerFailed | Fault::Overloaded => None,
        }
    }
}

/// Why a connection was closed. Each close has exactly one reason; statistics count them.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum CloseReason {
    /// The client closed between requests.
    Client,
    /// The client closed or reset while a request was under way.
    ClientAborted,
    /// An answer said `Connection: close`, by either side's wish.
    Answered,
    /// No request came in time.
    IdleTimeout,
    /// A head did not arrive in time.
    HeadersTimeout,
    /// A body did not arrive in time.
    BodyTimeout,
    /// The client did not take an answer in time.
    SendTimeout,
    /// The handler did not answer in time.
    HandlerTimeout,
    /// The bytes of a request were wrong.
    Malformed,
    /// A body was above its limit.
    BodyTooLarge,
    /// The handler gave up in the middle of an answer.
    HandlerAborted,
    /// The server drained.
    Drained,
    /// The server's close ran out of time.
    Cut,
}

impl CloseReason {
    /// Each reason, in the order of its number.
    pub const ALL: [CloseReason; 13] = [
        CloseReason::Client,
        CloseReason::ClientAborted,
        CloseReason::Answered,
        CloseReason::IdleTimeout,
        CloseReason::HeadersTimeout,
        CloseReason::BodyTimeout,
        CloseReason::SendTimeout,
        CloseReason::HandlerTimeout,
        CloseReason::Malformed,
        CloseReason::BodyTooLarge,
        CloseReason::HandlerAborted,
        CloseReason::Drained,
        CloseReason::Cut,
    ];

    /// The name in statistics.
    pub const fn name(self) -> &'static str {
        match self {
            CloseReason::Client => "client",
            CloseReason::ClientAborted => "clientAborted",
            CloseReason::Answered => "answered",
            CloseReason::IdleTimeout => "idleTimeout",
            CloseReason::HeadersTimeout => "headersTimeout",
            CloseReason::BodyTimeout => "bodyTimeout",
            CloseReason::SendTimeout => "sendTimeout",
            CloseReason::HandlerTimeout => "handlerTimeout",
            CloseReason::Malformed => "malformed",
            CloseReason::BodyTooLarge => "bodyTooLarge",
            CloseReason::HandlerAborted => "handlerAborted",
            CloseReason::Drained => "drained",
            CloseReason::Cut => "cut",
        }
    }
}
