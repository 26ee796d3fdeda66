//! Who answers requests: the trait that Rust embedders and the Node.js binding implement.

use super::stats::Stats;
use crate::net::{Gone, Io, Peer, Piece, ReplyId};
use crate::proto::Fault;
use crate::proto::http1::BodyLength;
use crate::wire::block::Block;
use crate::wire::fields::Trailers;
use crate::wire::head::Head;

/// Answers requests, now or later.
///
/// # Example
/// ```
/// use barewire::server::{Answer, Block, Handler, Reply, Request};
///
/// struct Hello(Block);
///
/// impl Handler for Hello {
///     fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
///         match request.head.target() {
///             b"/" => reply.send(200, &self.0, b"hello"),
///             _ => reply.send(404, &self.0, b"not found"),
///         }
///     }
/// }
///
/// let plain = Block::parse([(&b"Content-Type"[..], &b"text/plain"[..])])?;
/// let handler = Hello(plain);
/// # Ok::<(), Box<dyn std::error::Error>>(())
/// ```
pub trait Handler {
    /// Answers a request. Its body is complete, unless [`super::Config::stream_above`] lets larger
    /// ones in before: then the rest is read after [`super::Server::read_body`] and comes by
    /// [`Handler::on_body`]. The reactor waits meanwhile, so work that takes
    /// long belongs on another thread, with [`Reply::later`] here and
    /// [`super::Remote::answer`] there.
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer;

    /// The largest body of this request in bytes, 0 for no limit; `None` is the server's
    /// ([`super::Config::max_body_size`]). Asked at the head of each request that announces a body,
    /// before a byte of that is read.
    fn max_body_size(&mut self, id: ReplyId, head: &Head<'_>) -> Option<u64> {
        let _ = (id, head);
        None
    }

    /// A request that was to be answered later has lost its client or its time. After
    /// [`Gone::ClientClosed`] an answer is still sent; after the others it goes nowhere.
    fn on_gone(&mut self, id: ReplyId, reason: Gone) {
        let _ = (id, reason);
    }

    /// A part of a body that was incomplete when the handler was asked.
    fn on_body(&mut self, id: ReplyId, bytes: &[u8]) -> Intake {
        let _ = (id, bytes);
        Intake::More
    }

    /// A body that was incomplete when the handler was asked has ended.
    fn on_body_end(&mut self, id: ReplyId, trailers: &Trailers) {
        let _ = (id, trailers);
    }

    /// The client has taken what was given of a streamed answer: more may come after a
    /// [`Credit::Wait`](super::Credit::Wait).
    fn on_writable(&mut self, id: ReplyId) {
        let _ = id;
    }
}

/// What became of a part of a body.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Intake {
    /// It was used; more may come.
    More,
    /// It was used; nothing is read until [`super::Server::read_body`].
    Pause,
    /// It is kept in memory, which counts against [`super::Config::max_buffered_bytes`] until the
    /// request is answered.
    Kept,
}

/// A request.
#[derive(Debug)]
pub struct Request<'a> {
    /// Method, target and fields, as sent.
    pub head: Head<'a>,
    /// The fields behind a chunked body.
    pub trailers: &'a Trailers,
    /// The request's identity.
    pub id: ReplyId,
    /// Who is at the other end of the connection.
    pub peer: Peer,
    /// Whether the framing announced a body, even an empty one.
    pub has_body: bool,
    /// Whether the body is here as a whole.
    pub is_complete: bool,
    pub(super) body: &'a mut Vec<u8>,
}

impl Request<'_> {
    /// The whole body, or what has come of it; empty where there is none.
    pub fn body(&self) -> &[u8] {
        self.body
    }

    /// Takes the body out, to keep it. Its bytes count as held until the answer is complete.
    pub fn take_body(&mut self) -> Vec<u8> {
        self.replace_body(Vec::new())
    }

    /// Takes the body out and leaves memory for the next one, so that nothing is allocated.
    pub fn replace_body(&mut self, memory: Vec<u8>) -> Vec<u8> {
        std::mem::replace(self.body, memory)
    }
}

/// Proof that a handler has decided: made only by the methods of [`Reply`].
#[derive(Debug, PartialEq, Eq)]
#[must_use]
pub struct Answer(pub(super) Decision);

#[derive(Debug, PartialEq, Eq)]
pub(super) enum Decision {
    /// It was given.
    Now,
    /// It comes later, within so many milliseconds; `None` is the server's usual time.
    Later(Option<u64>),
    /// Its head was given, its body follows.
    Streaming,
}

/// The one answer to a request.
///
/// A status outside 200-599 is a mistake of the handler's author, and the client gets 500.
#[derive(Debug)]
pub struct Reply<'a> {
    pub(super) io: &'a mut Io,
    pub(super) id: ReplyId,
    pub(super) pending: usize,
    pub(super) buffered: u64,
}

impl Reply<'_> {
    /// The identity under which a later answer is given.
    pub fn id(&self) -> ReplyId {
        self.id
    }

    /// Sends an interim answer before the real one (RFC 9110 §15.2), 103 (Early Hints) mostly;
    /// HTTP/1.0 clients get none. Says whether it could: 101 and what isn't 1xx can't.
    pub fn inform(&mut self, status: u16, block: &Block) -> bool {
        self.io.informational(self.id, status, block).is_ok()
    }

    /// Answers with these fields and this body.
    pub fn send(self, status: u16, block: &Block, body: &[u8]) -> Answer {
        let result = self.io.answer(self.id, status, block, body);
        self.or_fail(result.is_err())
    }

    /// Answers with a body that is given away, which spares a copy of a large one.
    pub fn send_owned(self, status: u16, block: &Block, body: Vec<u8>) -> Answer {
        let result = self.io.answer_owned(self.id, status, block, body);
        self.or_fail(result.is_err())
    }

    /// Answers with a body that lies in files, or in part; see [`super::files`].
    pub fn send_pieces(self, status: u16, block: &Block, pieces: Vec<Piece>) -> Answer {
        let result = self.io.answer_pieces(self.id, status, block, pieces);
        self.or_fail(result.is_err())
    }

    /// Answers with a body that `write` appends to the output buffer itself. `expected` is its
    /// probable length; a wrong guess costs a correction. If it says false, it has failed, and the
    /// connection is cut: nothing looks like an answer.
    pub fn send_in_place(
        self,
        status: u16,
        block: &Block,
        expected: usize,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Answer {
        let result = self.io.answer_in_place(self.id, status, block, expected, write);
        self.or_fail(result.is_err())
    }

    /// Begins an answer whose body follows in parts; see [`super::Server::chunk`]. Where the fields
    /// have a Content-Length, the parts have to add up to it; otherwise they are chunked, or end
    /// with the connection for HTTP/1.0.
    pub fn stream(self, status: u16, block: &Block) -> Answer {
        match self.io.head(self.id, status, block, length_of(block)) {
            Ok(()) => Answer(Decision::Streaming),
            Err(_) => self.or_fail(true),
        }
    }

    /// Answers with 500: the handler has failed.
    pub fn fail(self) -> Answer {
        self.or_fail(true)
    }

    /// Leaves the answer for later; see [`super::Server::answer`] and [`super::Remote::answer`].
    pub fn later(self) -> Answer {
        Answer(Decision::Later(None))
    }

    /// Like [`Reply::later`], with a time limit of its own in milliseconds; 0 is for ever.
    pub fn later_within(self, timeout: u64) -> Answer {
        Answer(Decision::Later(Some(timeout)))
    }

    /// Closes the server, beginning with this answer; see [`super::Server::close`].
    pub fn close_server(&mut self, timeout: u64) {
        self.io.drain(timeout);
    }

    /// The server's numbers, as they are now.
    pub fn stats(&mut self) -> Stats {
        Stats::take(self.io, self.pending, self.buffered)
    }

    fn or_fail(self, failed: bool) -> Answer {
        if failed {
            // Stale only if the connection was lost meanwhile.
            let _ = self.io.refuse(self.id, Fault::HandlerFailed);
        }
        Answer(Decision::Now)
    }
}

/// How long the body of a streamed answer is, as far as its fields say.
pub(super) fn length_of(block: &Block) -> BodyLength {
    block.content_length().map_or(BodyLength::Unknown, BodyLength::Known)
}
