//! From events to calls: bodies are collected within limits, then the handler is asked.

use super::config::Config;
use super::handler::{Decision, Handler, Intake, Reply, Request};
use super::remote::Message;
use super::stats::Stats;
use crate::limits;
use crate::net::{App, Gone, Io, ReplyError, ReplyId};
use crate::proto::Fault;
use crate::wire::fields::Trailers;
use crate::wire::framing::BodyKind;
use crate::wire::head::{Head, HeadSpans};

/// The app that a server gives to its reactor.
#[derive(Debug)]
pub(super) struct Service<H> {
    pub(super) handler: H,
    config: Config,
    /// What is under way on each connection, by slot.
    exchanges: Vec<Exchange>,
    #[allow(clippy::vec_box)] // a box moves between this list and an exchange
    spare: Vec<Box<Held>>,
    pending: usize,
    buffered: u64,
    /// Bodies that aren't read on because too much is held.
    paused: Vec<ReplyId>,
}

/// A request that isn't answered at once: its body is collected, or its answer comes later.
#[derive(Debug, Default)]
struct Exchange {
    id: Option<ReplyId>,
    /// Head and body, while the body is collected.
    held: Option<Box<Held>>,
    /// Bytes of its body that have come.
    received: u64,
    /// Most that may come.
    max_body_size: u64,
    /// Bytes of its body that are held, counted in the server's sum.
    buffered: u64,
    is_pending: bool,
}

/// What is still to come of a request that is dispatched.
enum Rest {
    NoBody,
    Ended(Trailers),
    Follows,
}

/// A request whose body is on its way: what lay in the receive buffer is copied aside, once.
#[derive(Debug, Default)]
struct Held {
    head: Vec<u8>,
    spans: HeadSpans,
    body: Vec<u8>,
    /// Whether the head says how long the body is.
    is_announced: bool,
}

impl<H: Handler> Service<H> {
    pub(super) fn new(handler: H, config: Config) -> Self {
        Service {
            handler,
            config,
            exchanges: Vec::new(),
            spare: Vec::new(),
            pending: 0,
            buffered: 0,
            paused: Vec::new(),
        }
    }

    pub(super) fn stats(&self, io: &mut Io) -> Stats {
        Stats::take(io, self.pending, self.buffered)
    }

    /// Requests that aren't over.
    #[cfg(test)]
    pub(super) fn under_way(&self) -> usize {
        self.exchanges.iter().filter(|exchange| exchange.id.is_some()).count()
    }

    /// Brings a late answer and closes the books on its request.
    pub(super) fn complete(
        &mut self,
        io: &mut Io,
        id: ReplyId,
        answer: impl FnOnce(&mut Io) -> Result<(), ReplyError>,
    ) -> Result<(), ReplyError> {
        answer(io)?;
        self.release(io, id);
        Ok(())
    }

    /// Asks the handler about a request, whose body is there as far as `rest` says.
    fn dispatch(
        &mut self,
        io: &mut Io,
        id: ReplyId,
        head: Head<'_>,
        body: &mut Vec<u8>,
        rest: &Rest,
    ) {
        let max = self.config.max_pending;
        if max != 0 && self.pending >= max {
            return self.refuse(io, id, Fault::Overloaded);
        }
        let Some(peer) = io.peer(id) else {
            return;
        };
        let none = Trailers::default();
        let trailers = if let Rest::Ended(trailers) = rest { trailers } else { &none };
        let mut request = Request {
            head,
            trailers,
            id,
            peer,
            has_body: !matches!(rest, Rest::NoBody),
            is_complete: !matches!(rest, Rest::Follows),
            body,
        };
        // The one that is being asked about is pending, too.
        let reply = Reply { io, id, pending: self.pending + 1, buffered: self.buffered };
        let answer = self.handler.handle(&mut request, reply);
        let is_under_way = match answer.0 {
            Decision::Now => return self.release(io, id),
            Decision::Later(timeout) => {
                let timeout = timeout.unwrap_or(self.config.timeouts.handler);
                io.set_handler_timeout(id, timeout)
            }
            Decision::Streaming => true,
        };
        if is_under_way {
            let exchange = self.exchange(id);
            exchange.id = Some(id);
            exchange.is_pending = true;
            self.pending += 1;
        }
    }

    fn exchange(&mut self, id: ReplyId) -> &mut Exchange {
        let slot = id.slot as usize;
        if self.exchanges.len() <= slot {
            self.exchanges.resize_with(slot + 1, Exchange::default);
        }
        // The line above made room.
        &mut self.exchanges[slot]
    }

    /// The exchange of a request that is still under way.
    fn current(&mut self, id: ReplyId) -> Option<&mut Exchange> {
        self.exchanges.get_mut(id.slot as usize).filter(|exchange| exchange.id == Some(id))
    }

    /// The request is over: nothing of it counts any more.
    fn release(&mut self, io: &mut Io, id: ReplyId) {
        let Some(exchange) = self.current(id) else {
            return;
        };
        let exchange = std::mem::take(exchange);
        self.pending -= usize::from(exchange.is_pending);
        self.buffered -= exchange.buffered;
        if let Some(held) = exchange.held {
            self.keep(io, held);
        }
        if exchange.buffered > 0 && !self.is_full() {
            for id in std::mem::take(&mut self.paused) {
                io.resume(id);
            }
        }
    }

    fn keep(&mut self, io: &mut Io, mut held: Box<Held>) {
        io.give_buffer(std::mem::take(&mut held.head));
        io.give_buffer(std::mem::take(&mut held.body));
        if self.spare.len() < limits::SPARE_REQUESTS {
            self.spare.push(held);
        }
    }

    /// A body of unknown length has become too large to wait for its end.
    fn dispatch_begun(&mut self, io: &mut Io, id: ReplyId) {
        let Some(held) = self.current(id).map(|exchange| &mut exchange.held) else {
            return;
        };
        let Some(mut held) = held.take_if(|held| !held.is_announced) else {
            return;
        };
        io.pause(id, 0);
        let head = Head::of(&held.head, &held.spans);
        self.dispatch(io, id, head, &mut held.body, &Rest::Follows);
        self.keep(io, held);
    }

    /// Counts bytes that are held; above the limit nothing more of this body is read until there
    /// is room, and if nobody gives memory back in time, this one has to.
    fn count(&mut self, io: &mut Io, id: ReplyId, bytes: u64) {
        self.buffered += bytes;
        if let Some(exchange) = self.current(id) {
            exchange.buffered += bytes;
        }
        if self.is_full() {
            self.paused.push(id);
            io.pause(id, self.config.timeouts.body);
        }
    }

    /// Ends a request with an error of the server's own; a handler that has it is told.
    fn fail(&mut self, io: &mut Io, id: ReplyId, fault: Fault) {
        let is_pending = self.current(id).is_some_and(|exchange| exchange.is_pending);
        self.refuse(io, id, fault);
        if is_pending {
            self.handler.on_gone(id, Gone::BadBody);
        }
    }

    fn streams(&self, length: u64) -> bool {
        self.config.stream_above.is_some_and(|above| length > above)
    }

    fn is_full(&self) -> bool {
        self.config.max_buffered_bytes != 0 && self.buffered >= self.config.max_buffered_bytes
    }

    fn can_never_hold(&self, length: u64) -> bool {
        self.config.max_buffered_bytes != 0 && length > self.config.max_buffered_bytes
    }

    fn refuse(&mut self, io: &mut Io, id: ReplyId, fault: Fault) {
        self.release(io, id);
        let _ = io.refuse(id, fault);
    }
}

impl<H: Handler> App for Service<H> {
    type Message = Message;

    fn on_request(&mut self, io: &mut Io, id: ReplyId, head: &Head<'_>, body: BodyKind) {
        let expected = match body {
            BodyKind::None => {
                return self.dispatch(io, id, *head, &mut Vec::new(), &Rest::NoBody);
            }
            BodyKind::Length(0) => {
                let rest = Rest::Ended(Trailers::default());
                return self.dispatch(io, id, *head, &mut Vec::new(), &rest);
            }
            BodyKind::Length(length) => length,
            BodyKind::Chunked => 0,
        };
        let max_body_size = self.handler.max_body_size(id, head);
        let max_body_size = max_body_size.unwrap_or(self.config.max_body_size);
        if is_above(expected, max_body_size) {
            return self.refuse(io, id, Fault::BodyTooLarge);
        }
        if self.streams(expected) || (self.config.stream_above.is_some() && io.awaits_continue(id))
        {
            let exchange = self.exchange(id);
            (exchange.id, exchange.max_body_size) = (Some(id), max_body_size);
            io.pause(id, 0);
            let mut memory = reserve(io, expected);
            self.dispatch(io, id, *head, &mut memory, &Rest::Follows);
            return io.give_buffer(memory);
        }
        if self.is_full() || self.can_never_hold(expected) {
            return self.refuse(io, id, Fault::Overloaded);
        }
        let mut copy = self.spare.pop().unwrap_or_default();
        copy.head = io.take_buffer(head.bytes().len());
        copy.head.extend_from_slice(head.bytes());
        copy.spans.copy_from(head.spans());
        copy.body = reserve(io, expected);
        copy.is_announced = body != BodyKind::Chunked;
        let exchange = self.exchange(id);
        (exchange.id, exchange.max_body_size) = (Some(id), max_body_size);
        exchange.held = Some(copy);
        let _ = io.want_body(id);
    }

    fn on_body(&mut self, io: &mut Io, id: ReplyId, bytes: &[u8]) {
        let Some(exchange) = self.current(id) else {
            return;
        };
        exchange.received += bytes.len() as u64;
        let received = exchange.received;
        if is_above(received, exchange.max_body_size) {
            return self.fail(io, id, Fault::BodyTooLarge);
        }
        let Some(exchange) = self.current(id) else {
            return;
        };
        if let Some(held) = &mut exchange.held {
            held.body.extend_from_slice(bytes);
        } else {
            match self.handler.on_body(id, bytes) {
                Intake::More => return,
                Intake::Pause => return io.pause(id, 0),
                Intake::Kept => {}
            }
        }
        self.count(io, id, bytes.len() as u64);
        let above = self.config.stream_above.map(|above| above.min(limits::STREAM_UNKNOWN_ABOVE));
        if above.is_some_and(|above| received > above) {
            self.dispatch_begun(io, id);
        }
    }

    fn on_body_end(&mut self, io: &mut Io, id: ReplyId, trailers: Trailers) {
        let Some(exchange) = self.current(id) else {
            return;
        };
        let Some(mut held) = exchange.held.take() else {
            return self.handler.on_body_end(id, &trailers);
        };
        let head = Head::of(&held.head, &held.spans);
        self.dispatch(io, id, head, &mut held.body, &Rest::Ended(trailers));
        self.keep(io, held);
    }

    fn on_writable(&mut self, _: &mut Io, id: ReplyId) {
        if self.current(id).is_some() {
            self.handler.on_writable(id);
        }
    }

    fn on_gone(&mut self, io: &mut Io, id: ReplyId, reason: Gone) {
        let Some(exchange) = self.current(id) else {
            return;
        };
        let is_pending = exchange.is_pending;
        if reason != Gone::ClientClosed {
            self.release(io, id);
        }
        if is_pending {
            self.handler.on_gone(id, reason);
        }
    }

    fn on_message(&mut self, io: &mut Io, message: Message) {
        match message {
            Message::Answer { id, status, block, body } => {
                let answered =
                    self.complete(io, id, |io| io.answer_owned(id, status, &block, body));
                if let Err(ReplyError::Answer(_)) = answered {
                    let failed = |io: &mut Io| io.refuse(id, Fault::HandlerFailed);
                    let _ = self.complete(io, id, failed);
                }
            }
            Message::Close { timeout } => io.drain(timeout),
        }
    }
}

/// Whether a body is larger than allowed; 0 is no limit.
fn is_above(length: u64, limit: u64) -> bool {
    limit != 0 && length > limit
}

/// Memory for a body of this length, as far as an announcement is to be trusted.
fn reserve(io: &mut Io, length: u64) -> Vec<u8> {
    io.take_buffer(length.min(limits::BODY_RESERVE) as usize)
}
