//! What the reactor says to the room above it, and the only way it speaks up.

use super::io::Io;
use super::link::{LinkEnd, LinkId};
use super::slots::ReplyId;
use crate::wire::fields::Trailers;
use crate::wire::framing::BodyKind;
use crate::wire::head::Head;

/// The receiver of a reactor's events.
///
/// Each method gets the [`Io`] to answer with, at once or later by the id. The head's bytes and
/// the body's live only for the call. The reactor drops events of connections that are gone, and
/// `Io` refuses ids of requests that are over; a late answer can't reach the wrong client.
pub trait App {
    /// What other threads may send through the reactor's [`super::Mailbox`].
    type Message: Send;

    /// A request's head is complete. For [`BodyKind::None`] this is all of it; otherwise data and
    /// an end follow, in later calls.
    fn on_request(&mut self, io: &mut Io, id: ReplyId, head: &Head<'_>, body: BodyKind);

    /// A part of the request's body.
    fn on_body(&mut self, io: &mut Io, id: ReplyId, bytes: &[u8]);

    /// The request's body is complete.
    fn on_body_end(&mut self, io: &mut Io, id: ReplyId, trailers: Trailers);

    /// The client has taken what was given; more may come after a [`super::Credit::Wait`].
    fn on_writable(&mut self, io: &mut Io, id: ReplyId);

    /// The client of a request without a complete answer has left, or its time is over.
    fn on_gone(&mut self, io: &mut Io, id: ReplyId, reason: Gone);

    /// Another thread's message.
    fn on_message(&mut self, io: &mut Io, message: Self::Message);

    /// A connection that [`Io::connect`] began has come about. For apps that open links, as the next
    /// three.
    fn on_connected(&mut self, io: &mut Io, id: LinkId) {
        let _ = (io, id);
    }

    /// Bytes of a link: all that were received and not yet used. Says how many were used, at most all; the
    /// rest comes again, with more behind it, or after [`Io::resume_link`].
    fn on_bytes(&mut self, io: &mut Io, id: LinkId, bytes: &[u8]) -> usize {
        let _ = (io, id);
        bytes.len()
    }

    /// The peer of a link has taken what was sent; more may come after a [`super::Credit::Wait`].
    fn on_link_writable(&mut self, io: &mut Io, id: LinkId) {
        let _ = (io, id);
    }

    /// A link is gone, other than by [`Io::close_link`].
    fn on_link_end(&mut self, io: &mut Io, id: LinkId, end: LinkEnd) {
        let _ = (io, id, end);
    }
}

/// Why nobody may be waiting for an answer any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
#[repr(u8)]
pub enum Gone {
    /// The client closed its side. It may still read: an answer that is given is written.
    ClientClosed = 1,
    /// The connection is lost.
    Lost = 2,
    /// A clock has run out; the server has answered.
    Timeout = 3,
    /// The server's close ran out of time.
    Cut = 4,
    /// The request's body is wrong, too large or cut short; the server has answered.
    BadBody = 8,
}
