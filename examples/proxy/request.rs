//! A request on its way to an upstream: a connection for it, its head, its body.

use barewire::net::{Credit, Io, LinkId, ReplyId};
use barewire::wire::encode;
use barewire::wire::framing::BodyKind;

use crate::proxy::Proxy;

impl Proxy {
    /// Finds a connection for a request: a kept one, or a new one. `fresh` is for a second attempt,
    /// where other kept connections may be as stale as the first.
    pub(crate) fn assign(&mut self, io: &mut Io, id: ReplyId, fresh: bool) {
        let now_us = io.now_us();
        loop {
            let Some(exchange) = self.exchange(id) else {
                return;
            };
            let (tried, method) = (exchange.tried, exchange.method);
            // The last upstream that was tried has said why, if there was one.
            let status = if exchange.status == 0 { 502 } else { exchange.status };
            let Some(number) = self.upstreams.pick(tried, now_us) else {
                return self.fail(io, id, status, "unreachable");
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
                exchange.upstream = Some(number);
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
    pub(crate) fn give_up(&mut self, id: ReplyId, number: usize, now_us: u64) {
        self.upstreams.mark_down(number, now_us);
        if let Some(exchange) = self.exchange(id) {
            exchange.tried |= 1 << number;
            exchange.upstream = None;
        }
    }

    /// There is a connection. The head goes out now, or with the first part of the body.
    pub(crate) fn start(&mut self, io: &mut Io, id: ReplyId, link: LinkId) {
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
    pub(crate) fn send(&mut self, io: &mut Io, id: ReplyId, bytes: &[u8], behind: &[u8]) {
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
            // Without a head or a size before it, the part alone is a plain write.
            let parts: [&[u8]; 3] =
                if scratch.is_empty() { [bytes, behind, b""] } else { [&scratch, bytes, behind] };
            let credit = io.send(link, parts);
            if credit == Some(Credit::Wait) && !is_complete {
                io.pause(id, 0);
            }
            let waits_for_upstream = is_complete || credit == Some(Credit::Wait);
            io.set_link_timeout(link, if waits_for_upstream { timeout } else { 0 });
        }
        self.scratch = scratch;
    }
}
