//! What is known of one request on its way.

use barewire::net::{LinkId, Peer, ReplyId};
use barewire::wire::framing::BodyKind;
use barewire::wire::head::Method;

#[derive(Debug)]
#[allow(clippy::struct_excessive_bools)] // each is a fact, not a state
pub(crate) struct Exchange {
    pub(crate) id: ReplyId,
    pub(crate) method: Method,
    pub(crate) body: BodyKind,
    /// The request's head as the upstream gets it, for the first attempt and the next.
    pub(crate) head: Vec<u8>,
    /// The client waits for 100 (Continue), so the upstream is asked for it.
    pub(crate) expects_continue: bool,
    /// The connection that it is on now.
    pub(crate) link: Option<LinkId>,
    /// The upstream that it was sent to last.
    pub(crate) upstream: Option<usize>,
    /// Upstreams that can't be reached, by bit.
    pub(crate) tried: u64,
    pub(crate) was_retried: bool,
    pub(crate) is_head_sent: bool,
    pub(crate) is_body_sent: bool,
    /// The client's request is complete.
    pub(crate) is_complete: bool,
    /// The head of the answer went to the client.
    pub(crate) is_answered: bool,
    // For the log.
    pub(crate) peer: Option<Peer>,
    pub(crate) request_line: Vec<u8>,
    pub(crate) began_us: u64,
    pub(crate) status: u16,
    pub(crate) bytes: u64,
}

impl Exchange {
    /// Whether a body with bytes follows the head.
    pub(crate) fn has_body(&self) -> bool {
        !matches!(self.body, BodyKind::None | BodyKind::Length(0))
    }

    /// Whether the upstream, which may or may not have seen the request, can be asked again without
    /// harm (RFC 9110 §9.2.2), and whether there is still all of it to send.
    pub(crate) fn can_be_repeated(&self) -> bool {
        let is_idempotent = matches!(
            self.method,
            Method::Get
                | Method::Head
                | Method::Put
                | Method::Delete
                | Method::Options
                | Method::Trace
        );
        !self.is_answered && (!self.is_head_sent || (is_idempotent && !self.is_body_sent))
    }
}
