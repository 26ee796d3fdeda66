//! The handler: a request becomes one call of JavaScript's `dispatch`, what happens to it later one
//! of `notify`.
//!
//! The head crosses as one string, facts of both directions by the record. Nothing that JavaScript
//! keeps points back here.

use std::rc::Rc;

use napi_sys::napi_value;

use super::bridge::Bridge;
use super::record::Kind;
use super::values::{Failed, Js, Outcome, Reference};
use crate::net::{Gone, ReplyId};
use crate::server::{Answer, Handler, Head, Intake, Reply, Request};
use crate::wire::fields::Trailers;

/// What `notify` is told when room came for more of a streamed answer; the other words are those of
/// [`Gone`].
const WRITABLE: u32 = 5;
/// A part of the request's body is here, as a fifth argument.
const BODY_PART: u32 = 6;
/// The request's body is complete.
const BODY_END: u32 = 7;

/// The server's handler. It holds JavaScript's functions, and with them everything that JavaScript
/// ties to the server; they go with the server and not with the objects that share the bridge.
#[derive(Debug)]
pub(super) struct Asker {
    bridge: Rc<Bridge>,
    dispatch: Reference,
    notify: Reference,
    /// Says how large a request's body may be, where the server's author wants to.
    limit: Option<Reference>,
    /// The generation of each slot whose peer JavaScript was told.
    told: Vec<Option<u32>>,
}

impl Asker {
    pub(super) fn new(
        bridge: Rc<Bridge>,
        dispatch: Reference,
        notify: Reference,
        limit: Option<Reference>,
    ) -> Self {
        Asker { bridge, dispatch, notify, limit, told: Vec::new() }
    }

    /// Whether JavaScript hears of this connection for the first time. A request before this one
    /// may have been answered without it.
    fn is_new(&mut self, id: ReplyId) -> bool {
        let slot = id.slot as usize;
        if self.told.len() <= slot {
            self.told.resize(slot + 1, None);
        }
        // The line above made room.
        self.told[slot].replace(id.generation) != Some(id.generation)
    }

    /// Tells JavaScript what happened to a request that is under way; true where it says so.
    fn tell(&self, id: ReplyId, what: u32, part: Option<&[u8]>) -> bool {
        let js = self.bridge.js;
        let tell = || -> Outcome<bool> {
            let words = [id.slot, id.generation, id.sequence, what];
            let mut arguments = [std::ptr::null_mut(); 5];
            for (argument, word) in arguments.iter_mut().zip(words) {
                *argument = js.number(word)?;
            }
            arguments[4] = part.map_or_else(|| js.undefined(), |part| js.bytes(part))?;
            Ok(js.is_true(js.call(self.notify.value()?, &arguments)?))
        };
        let told = js.in_handle_scope(tell);
        if told.is_err() {
            js.report_exception();
        }
        told.unwrap_or(false)
    }

    /// Calls JavaScript; the reply is lent to it meanwhile.
    fn ask(&self, request: &Request<'_>, reply: &mut Reply<'_>) -> Outcome<napi_value> {
        let bridge = &self.bridge;
        let js = bridge.js;
        let head = text_of(js, &request.head)?;
        let dispatch = self.dispatch.value()?;
        bridge.lend(request.id, reply, || js.call(dispatch, &[head]))
    }

    fn answer(&mut self, request: &mut Request<'_>, mut reply: Reply<'_>) -> Answer {
        let id = request.id;
        let has_body =
            !request.body().is_empty() || !request.is_complete || !request.trailers.is_empty();
        // It tells the body's length, so it is written before the body is moved.
        let is_new = self.is_new(id);
        self.bridge.record.write(request, is_new);
        if has_body {
            self.bridge.hold_body(request);
            self.bridge.hold_trailers(id, request.trailers);
        }
        let asked = self.ask(request, &mut reply);
        let stated = self.bridge.record.stated();
        if let Some(timeout) = self.bridge.take_close() {
            reply.close_server(timeout);
        }
        let answer = match asked {
            Ok(_) if stated.kind == Kind::Later => {
                return match self.bridge.limit() {
                    Some(limit) => reply.later_within(limit),
                    None => reply.later(),
                };
            }
            Ok(value) => self.bridge.give(value, stated, reply),
            Err(Failed) => {
                self.bridge.js.report_exception();
                reply.fail()
            }
        };
        if has_body {
            self.bridge.forget(id);
        }
        answer
    }
}

impl Handler for Asker {
    fn handle(&mut self, request: &mut Request<'_>, reply: Reply<'_>) -> Answer {
        // A scope for each request: a turn has many, and their strings are garbage at once.
        let js = self.bridge.js;
        js.in_handle_scope(|| self.answer(request, reply))
    }

    fn max_body_size(&mut self, id: ReplyId, head: &Head<'_>) -> Option<u64> {
        let limit = self.limit.as_ref()?;
        let js = self.bridge.js;
        self.bridge.record.write_head(id, head);
        let ask = || {
            let text = text_of(js, head)?;
            js.float(js.call(limit.value()?, &[text])?)
        };
        let asked = js.in_handle_scope(ask);
        if asked.is_err() {
            js.report_exception();
        }
        // JavaScript has said what is wrong with what isn't a size.
        asked.ok().filter(|&size| size >= 0.0).map(|size| size as u64)
    }

    fn on_gone(&mut self, id: ReplyId, reason: Gone) {
        if reason != Gone::ClientClosed {
            self.bridge.forget(id);
        }
        self.tell(id, reason as u32, None);
    }

    fn on_body(&mut self, id: ReplyId, bytes: &[u8]) -> Intake {
        if self.bridge.collect(id, bytes) {
            return Intake::Kept;
        }
        // JavaScript says whether it has room for more.
        if self.tell(id, BODY_PART, Some(bytes)) { Intake::More } else { Intake::Pause }
    }

    fn on_body_end(&mut self, id: ReplyId, trailers: &Trailers) {
        self.bridge.hold_trailers(id, trailers);
        self.tell(id, BODY_END, None);
    }

    fn on_writable(&mut self, id: ReplyId) {
        self.tell(id, WRITABLE, None);
    }
}

/// A head as JavaScript gets it. The final empty line says nothing.
fn text_of(js: Js, head: &Head<'_>) -> Outcome<napi_value> {
    let bytes = head.bytes();
    js.latin1(&bytes[..bytes.len() - 2])
}
