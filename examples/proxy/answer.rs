//! An answer on its way to the client: its head, its body, its end, or an error in its place.

use barewire::net::{Credit, Io, LinkId, ReplyId};
use barewire::proto::client::Found;
use barewire::proto::http1::BodyLength;
use barewire::wire::fields::Trailers;
use barewire::wire::response::{ResponseBody, ResponseFraming, ResponseHead};

use crate::exchange::Exchange;
use crate::fields;
use crate::proxy::Proxy;

impl Proxy {
    /// Finds what an upstream's bytes say, and passes it on.
    pub(crate) fn receive(
        &mut self,
        io: &mut Io,
        link: LinkId,
        id: ReplyId,
        bytes: &[u8],
    ) -> usize {
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
        let is_complete = self.exchange(id).is_some_and(|exchange| exchange.is_complete);
        let waits_for_client = status == 100 && !is_complete;
        let timeout = if waits_for_client { 0 } else { self.options.answer_timeout };
        io.set_link_timeout(link, timeout);
        if status < 200 {
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
            // It was lost in this turn; `on_gone` would come at its end.
            return self.drop_exchange(io, id, "client-gone");
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
            Err(_) => self.drop_exchange(io, id, "client-gone"),
        }
    }

    /// The answer is complete.
    pub(crate) fn on_end(&mut self, io: &mut Io, id: ReplyId, trailers: &Trailers, has_more: bool) {
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
        // The last part may have been more than the client could take.
        io.resume_link(link);
        io.set_link_timeout(link, self.options.idle_timeout);
        if let Some(surplus) = self.upstreams.keep(link, self.options.idle) {
            self.close(io, surplus);
        }
    }

    /// Answers with an error of the proxy's own, or cuts an answer that is under way.
    pub(crate) fn fail(&mut self, io: &mut Io, id: ReplyId, status: u16, outcome: &str) {
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
    pub(crate) fn drop_exchange(&mut self, io: &mut Io, id: ReplyId, outcome: &str) {
        if let Some(link) = self.take(io, id, outcome).and_then(|exchange| exchange.link) {
            self.close(io, link);
        }
    }

    /// Takes a request off the table and writes its line.
    fn take(&mut self, io: &mut Io, id: ReplyId, outcome: &str) -> Option<Exchange> {
        self.exchange(id)?;
        let mut exchange = self.exchanges[id.slot()].take()?;
        io.give_buffer(std::mem::take(&mut exchange.head));
        let upstream = exchange.upstream;
        let name = upstream.map_or("-", |number| &self.upstreams.get(number).name);
        self.log.add(&exchange, name, outcome, io.now_us());
        Some(exchange)
    }

    pub(crate) fn close(&mut self, io: &mut Io, link: LinkId) {
        self.upstreams.remove(link);
        io.close_link(link);
    }
}
