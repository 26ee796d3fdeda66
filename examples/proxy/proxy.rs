//! What happens to requests: the events of the reactor, from clients and from upstreams.
//!
//! ```text
//! on_request → assign ─ a kept connection ──────────→ start → head, body → on_bytes → on_head
//!                └─ a new one → on_connected ─────────↗                       → on_data → on_end
//! ```
//!
//! Whoever gives faster than the other takes is paused: a client by `pause`, an upstream by
//! `pause_link`. Nothing else is buffered here.

use std::convert::Infallible;

use barewire::net::{App, Gone, Io, LinkEnd, LinkId, ReplyId};
use barewire::wire::block::Block;
use barewire::wire::encode;
use barewire::wire::fields::Trailers;
use barewire::wire::framing::BodyKind;
use barewire::wire::head::{Head, HeadLimits, Method};
use barewire::wire::response::ResponseSpans;

use crate::exchange::Exchange;
use crate::fields::{self, Hop};
use crate::log::Log;
use crate::options::Options;
use crate::upstreams::Upstreams;

pub(crate) struct Proxy {
    pub(crate) options: Options,
    pub(crate) log: Log,
    pub(crate) upstreams: Upstreams,
    /// By the slot of the client's connection.
    pub(crate) exchanges: Vec<Option<Exchange>>,
    pub(crate) limits: HeadLimits,
    // Used again and again.
    pub(crate) spans: ResponseSpans,
    pub(crate) block: Block,
    pub(crate) scratch: Vec<u8>,
}

impl Proxy {
    pub(crate) fn new(options: Options, log: Log) -> Self {
        Proxy {
            upstreams: Upstreams::new(&options.upstreams),
            options,
            log,
            exchanges: Vec::new(),
            limits: HeadLimits::default(),
            spans: ResponseSpans::default(),
            block: Block::default(),
            scratch: Vec::new(),
        }
    }

    /// The request with this name, if it is still under way.
    pub(crate) fn exchange(&mut self, id: ReplyId) -> Option<&mut Exchange> {
        self.exchanges.get_mut(id.slot())?.as_mut().filter(|exchange| exchange.id == id)
    }
}

impl App for Proxy {
    type Message = Infallible;

    fn on_request(&mut self, io: &mut Io, id: ReplyId, head: &Head<'_>, body: BodyKind) {
        if fields::max_forwards(head) == Some(0) {
            // It must not be forwarded; the proxy itself has nothing to trace.
            let status = if head.method() == Method::Options { 204 } else { 405 };
            let _ = io.answer(id, status, &Block::default(), b"");
            return;
        }
        let peer = io.peer(id);
        let expects_continue = io.awaits_continue(id);
        let hop = Hop {
            peer,
            body,
            expects_continue,
            trusts_forwarded: self.options.trusts_forwarded,
            upstream: &self.upstreams.get(0).name,
        };
        let mut bytes = io.take_buffer(head.bytes().len() + 512);
        fields::request(&mut bytes, head, &hop);
        let line_end = if self.log.is_on() { head.fields_start() as usize - 2 } else { 0 };
        let exchange = Exchange {
            id,
            method: head.method(),
            body,
            head: bytes,
            expects_continue,
            link: None,
            upstream: None,
            tried: 0,
            was_retried: false,
            is_head_sent: false,
            is_body_sent: false,
            is_complete: body == BodyKind::None,
            is_answered: false,
            peer: peer.filter(|_| self.log.is_on()),
            request_line: head.bytes()[..line_end].to_vec(),
            began_us: io.now_us(),
            status: 0,
            bytes: 0,
        };
        if self.exchanges.len() <= id.slot() {
            self.exchanges.resize_with(id.slot() + 1, || None);
        }
        self.exchanges[id.slot()] = Some(exchange);
        self.assign(io, id, false);
    }

    fn on_body(&mut self, io: &mut Io, id: ReplyId, bytes: &[u8]) {
        let Some(exchange) = self.exchange(id) else {
            return;
        };
        let behind: &[u8] = if exchange.body == BodyKind::Chunked { b"\r\n" } else { b"" };
        self.send(io, id, bytes, behind);
    }

    fn on_body_end(&mut self, io: &mut Io, id: ReplyId, trailers: Trailers) {
        let Some(exchange) = self.exchange(id) else {
            return;
        };
        exchange.is_complete = true;
        if exchange.body == BodyKind::Chunked {
            let mut end = Vec::new();
            // They were just found to be allowed.
            let _ = encode::last_chunk(&mut end, &fields::trailers(&trailers));
            self.send(io, id, b"", &end);
        } else if exchange.has_body()
            && let Some(link) = exchange.link
        {
            let timeout = self.options.answer_timeout;
            io.set_link_timeout(link, timeout);
        }
    }

    fn on_writable(&mut self, io: &mut Io, id: ReplyId) {
        let timeout = self.options.answer_timeout;
        if let Some(link) = self.exchange(id).and_then(|exchange| exchange.link) {
            io.resume_link(link);
            io.set_link_timeout(link, timeout);
        }
    }

    fn on_gone(&mut self, io: &mut Io, id: ReplyId, reason: Gone) {
        let (status, outcome) = match reason {
            // It may still read: the answer is written, or the write fails.
            Gone::ClientClosed => return,
            Gone::Timeout => (408, "client-timeout"),
            Gone::BadBody => (400, "client-malformed"),
            Gone::Lost | Gone::Cut => (499, "client-gone"),
        };
        if let Some(exchange) = self.exchange(id) {
            if !exchange.is_answered {
                exchange.status = status;
            }
            self.drop_exchange(io, id, outcome);
        }
    }

    fn on_message(&mut self, _: &mut Io, message: Infallible) {
        match message {}
    }

    fn on_connected(&mut self, io: &mut Io, link: LinkId) {
        if let Some(line) = self.upstreams.line(link) {
            line.is_connected = true;
            if let Some(id) = line.exchange {
                self.start(io, id, link);
            }
        }
    }

    fn on_bytes(&mut self, io: &mut Io, link: LinkId, bytes: &[u8]) -> usize {
        match self.upstreams.line(link).map(|line| line.exchange) {
            Some(Some(id)) => io.corked(id, |io| self.receive(io, link, id, bytes)),
            Some(None) => {
                // Nobody asked for it.
                self.close(io, link);
                bytes.len()
            }
            None => bytes.len(),
        }
    }

    fn on_link_writable(&mut self, io: &mut Io, link: LinkId) {
        if let Some(id) = self.upstreams.line(link).and_then(|line| line.exchange) {
            io.resume(id);
            let timeout = self.options.answer_timeout;
            let is_complete = self.exchange(id).is_some_and(|exchange| exchange.is_complete);
            io.set_link_timeout(link, if is_complete { timeout } else { 0 });
        }
    }

    fn on_link_end(&mut self, io: &mut Io, link: LinkId, end: LinkEnd) {
        let Some(mut line) = self.upstreams.remove(link) else {
            return;
        };
        let Some(id) = line.exchange else {
            return;
        };
        let now_us = io.now_us();
        let Some(exchange) = self.exchange(id) else {
            return;
        };
        exchange.link = None;
        if end == LinkEnd::Closed && line.client.on_fin().is_ok() {
            return self.on_end(io, id, &Trailers::default(), true);
        }
        if !line.is_connected {
            self.give_up(id, line.upstream, now_us);
            let status = if end == LinkEnd::Timeout { 504 } else { 502 };
            if let Some(exchange) = self.exchange(id) {
                exchange.status = status;
            }
            return self.assign(io, id, false);
        }
        // A kept connection that ends without a byte was probably closed before the request came.
        let is_stale = line.was_used && !line.client.has_begun() && end != LinkEnd::Timeout;
        if is_stale && !exchange.was_retried && exchange.can_be_repeated() {
            exchange.was_retried = true;
            exchange.is_head_sent = false;
            return self.assign(io, id, true);
        }
        match end {
            LinkEnd::Timeout => self.fail(io, id, 504, "upstream-timeout"),
            _ => self.fail(io, id, 502, "upstream-lost"),
        }
    }
}
