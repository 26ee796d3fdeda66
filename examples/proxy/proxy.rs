//! The road of a request: from the client to an upstream and back.
//!
//! ```text
//! on_request → assign ─ a kept connection ──────────→ start → head, body → on_bytes → on_head
//!                └─ a new one → on_connected ─────────↗                       → chunk… → on_end
//! ```
//!
//! Whoever gives faster than the other takes is paused: a client by `pause`, an upstream by
//! `pause_link`. Nothing else is buffered here.

use std::convert::Infallible;

use barewire::net::{App, Credit, Gone, Io, LinkEnd, LinkId, ReplyId};
use barewire::proto::client::Found;
use barewire::proto::http1::BodyLength;
use barewire::wire::block::Block;
use barewire::wire::encode;
use barewire::wire::fields::Trailers;
use barewire::wire::framing::BodyKind;
use barewire::wire::head::{Head, HeadLimits, Method};
use barewire::wire::response::{ResponseBody, ResponseFraming, ResponseHead, ResponseSpans};

use crate::exchange::Exchange;
use crate::fields::{self, Hop};
use crate::log::Log;
use crate::options::Options;
use crate::upstreams::Upstreams;

pub(crate) struct Proxy {
    options: Options,
    pub(crate) log: Log,
    upstreams: Upstreams,
    /// By the slot of the client's connection.
    exchanges: Vec<Option<Exchange>>,
    limits: HeadLimits,
    // Used again and again.
    spans: ResponseSpans,
    block: Block,
    scratch: Vec<u8>,
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

    fn exchange(&mut self, id: ReplyId) -> Option<&mut Exchange> {
        self.exchanges.get_mut(id.slot())?.as_mut().filter(|exchange| exchange.id == id)
    }

    /// Finds a connection for a request: a kept one, or a new one. `fresh` is for a second attempt,
    /// where other kept connections may be as stale as the first.
    fn assign(&mut self, io: &mut Io, id: ReplyId, fresh: bool) {
        let now_us = io.now_us();
        loop {
            let Some(exchange) = self.exchange(id) else {
                return;
            };
            let (tried, method) = (exchange.tried, exchange.method);
            let Some(number) = self.upstreams.pick(tried, now_us) else {
                return self.fail(io, id, 502, "unreachable");
            };
            let kept = if fresh { None } else { self.upstreams.take_idle(number) };
            let link = if let Some(link) = kept {
                link
            } else if let Ok(link) = io.connect(&self.upstreams.get(number).address) {
                io.set_link_timeout(link, self.options.connect_timeout);
                self.upstreams.add(link, number);
                link
            } else {
                self.give_up(id, number, now_us);
                continue;
            };
            self.upstreams.occupy(link, id);
            if let Some(line) = self.upstreams.line(link) {
                line.client.on_request(method);
            }
            if let Some(exchange) = self.exchange(id) {
                exchange.link = Some(link);
                if kept.is_some() {
                    self.start(io, id, link);
                } else if exchange.has_body() {
                    // What comes before there is somebody to take it would be lost for another try.
                    io.pause(id, 0);
                }
            }
            return;
        }
    }

    /// Nobody answers at an upstream: the request goes elsewhere.
    fn give_up(&mut self, id: ReplyId, number: usize, now_us: u64) {
        self.upstreams.mark_down(number, now_us);
        if let Some(exchange) = self.exchange(id) {
            exchange.tried |= 1 << number;
        }
    }

    /// There is a connection. The head goes out now, or with the first part of the body.
    fn start(&mut self, io: &mut Io, id: ReplyId, link: LinkId) {
        let timeout = self.options.answer_timeout;
        let Some(exchange) = self.exchange(id) else {
            return;
        };
        if exchange.has_body() {
            io.resume(id);
            // Its client decides when the body comes.
            io.set_link_timeout(link, 0);
        }
        if !exchange.has_body() || exchange.expects_continue {
            exchange.is_head_sent = true;
            let _ = io.send(link, [&exchange.head, b"", b""]);
            io.set_link_timeout(link, timeout);
        }
    }

    /// Sends a part of the request's body, and the head before it if that hasn't gone yet.
    fn send(&mut self, io: &mut Io, id: ReplyId, bytes: &[u8], behind: &[u8]) {
        let timeout = self.options.answer_timeout;
        let mut scratch = std::mem::take(&mut self.scratch);
        if let Some(exchange) = self.exchange(id)
            && let Some(link) = exchange.link
        {
            scratch.clear();
            if !std::mem::replace(&mut exchange.is_head_sent, true) {
                scratch.extend_from_slice(&exchange.head);
            }
            if exchange.body == BodyKind::Chunked && !bytes.is_empty() {
                encode::chunk_size(&mut scratch, bytes.len() as u64);
            }
            exchange.is_body_sent = true;
            let is_complete = exchange.is_complete;
            let credit = io.send(link, [&scratch, bytes, behind]);
            if credit == Some(Credit::Wait) && !is_complete {
                io.pause(id, 0);
            }
            let waits_for_upstream = is_complete || credit == Some(Credit::Wait);
            io.set_link_timeout(link, if waits_for_upstream { timeout } else { 0 });
        }
        self.scratch = scratch;
    }

    /// Finds what an upstream's bytes say, and passes it on.
    fn receive(&mut self, io: &mut Io, link: LinkId, id: ReplyId, bytes: &[u8]) -> usize {
        let mut used = 0;
        while let Some(line) = self.upstreams.line(link) {
            let found = line.client.next(&bytes[used..], &mut self.spans, &self.limits);
            let base = used;
            let Ok((count, found)) = found else {
                self.fail(io, id, 502, "malformed");
                return bytes.len();
            };
            used += count;
            match found {
                Found::NeedBytes => break,
                Found::Head { length, framing } => {
                    self.on_head(io, id, link, &bytes[base..base + length], framing);
                }
                Found::Data { start, end } => {
                    self.on_data(io, id, link, &bytes[base + start..base + end]);
                }
                Found::End(trailers) => {
                    let has_more = used < bytes.len();
                    self.on_end(io, id, &trailers, has_more);
                    return bytes.len();
                }
            }
        }
        used
    }

    fn on_head(
        &mut self,
        io: &mut Io,
        id: ReplyId,
        link: LinkId,
        bytes: &[u8],
        framing: ResponseFraming,
    ) {
        let head = ResponseHead::of(bytes, &self.spans);
        if fields::response(&mut self.block, &head).is_err() {
            return self.fail(io, id, 502, "malformed");
        }
        let status = head.status();
        io.set_link_timeout(link, self.options.answer_timeout);
        if head.is_interim() {
            // A client that is gone is told by `on_gone`.
            let _ = match status {
                100 => io.want_body(id),
                _ => io.informational(id, status, &self.block),
            };
            return;
        }
        let length = match (framing.body, framing.content_length) {
            (ResponseBody::Length(length), _) => BodyLength::Known(length),
            // The block says which length there would be.
            (ResponseBody::None, Some(_)) => BodyLength::Known(0),
            (ResponseBody::None, None) if matches!(status, 204 | 304) => BodyLength::Known(0),
            _ => BodyLength::Unknown,
        };
        if io.head(id, status, &self.block, length).is_err() {
            return self.drop_exchange(io, id, "stale");
        }
        if let Some(exchange) = self.exchange(id) {
            exchange.is_answered = true;
            exchange.status = status;
        }
    }

    fn on_data(&mut self, io: &mut Io, id: ReplyId, link: LinkId, bytes: &[u8]) {
        match io.chunk(id, bytes) {
            Ok(credit) => {
                let timeout = match credit {
                    Credit::Go => self.options.answer_timeout,
                    Credit::Wait => {
                        io.pause_link(link);
                        0
                    }
                };
                io.set_link_timeout(link, timeout);
                if let Some(exchange) = self.exchange(id) {
                    exchange.bytes += bytes.len() as u64;
                }
            }
            Err(_) => self.drop_exchange(io, id, "stale"),
        }
    }

    /// The answer is complete.
    fn on_end(&mut self, io: &mut Io, id: ReplyId, trailers: &Trailers, has_more: bool) {
        let _ = io.finish(id, &fields::trailers(trailers));
        let Some(exchange) = self.take(io, id, "ok") else {
            return;
        };
        let Some(link) = exchange.link else {
            return;
        };
        let line = self.upstreams.line(link);
        let is_reusable = line.is_some_and(|line| line.client.is_reusable());
        // A body that isn't sent to its end leaves the connection in the middle of a request, and
        // bytes that nobody asked for would be taken for the next answer.
        if !is_reusable || !exchange.is_complete || has_more {
            return self.close(io, link);
        }
        io.set_link_timeout(link, self.options.idle_timeout);
        if let Some(surplus) = self.upstreams.keep(link, self.options.idle) {
            self.close(io, surplus);
        }
    }

    /// Answers with an error of the proxy's own, or cuts an answer that is under way.
    fn fail(&mut self, io: &mut Io, id: ReplyId, status: u16, outcome: &str) {
        let Some(exchange) = self.exchange(id) else {
            return;
        };
        if exchange.is_answered {
            let _ = io.abort(id);
        } else {
            exchange.status = status;
            let text: &[u8] = match status {
                504 => b"The upstream did not answer in time.\n",
                _ => b"The upstream did not answer.\n",
            };
            let _ = self.block.fill([(&b"Content-Type"[..], &b"text/plain"[..])]);
            let _ = io.answer(id, status, &self.block, text);
        }
        self.drop_exchange(io, id, outcome);
    }

    /// The request is over, and so is the connection that it was on.
    fn drop_exchange(&mut self, io: &mut Io, id: ReplyId, outcome: &str) {
        if let Some(link) = self.take(io, id, outcome).and_then(|exchange| exchange.link) {
            self.close(io, link);
        }
    }

    /// Takes a request off the table and writes its line.
    fn take(&mut self, io: &mut Io, id: ReplyId, outcome: &str) -> Option<Exchange> {
        self.exchange(id)?;
        let exchange = self.exchanges[id.slot()].take()?;
        let line = exchange.link.and_then(|link| self.upstreams.line(link));
        let upstream = line.map(|line| line.upstream);
        let name = upstream.map_or("-", |number| &self.upstreams.get(number).name);
        self.log.add(&exchange, name, outcome, io.now_us());
        Some(exchange)
    }

    fn close(&mut self, io: &mut Io, link: LinkId) {
        self.upstreams.remove(link);
        io.close_link(link);
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
        // For the log, the upstream is still the one that this was.
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
