//! The handler: a request becomes one call of JavaScript's `dispatch`, its answer is written
//! straight into the output buffer.
//!
//! The head crosses as one string, facts of both directions by the [`Record`]. Nothing that
//! JavaScript keeps points back here: a body is moved out on demand and is gone when its request
//! is answered.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;
use std::rc::Rc;

use napi_sys::napi_value;

use super::command::Command;
use super::record::{Kind, Record, Stated};
use super::values::{Failed, Js, Outcome, Reference};
use crate::limits;
use crate::net::{Gone, ReplyError, ReplyId};
use crate::server::{Answer, Block, Handler, Intake, Reply, Request, Server, Stats};
use crate::wire::fields::Trailers;

/// What `notify` is told when room came for more of a streamed answer; the other words are those of
/// [`Gone`].
const WRITABLE: u32 = 5;
/// A part of the request's body is here, as a fifth argument.
const BODY_PART: u32 = 6;
/// The request's body is complete.
const BODY_END: u32 = 7;

/// What the handler shares with the functions that JavaScript calls. It is never borrowed while
/// JavaScript runs.
#[derive(Debug)]
pub(super) struct Bridge {
    pub(super) js: Js,
    pub(super) record: Record,
    /// Keeps the record's memory.
    _array: Reference,
    blocks: RefCell<Blocks>,
    bodies: RefCell<Bodies>,
    /// What waits for the end of the turn.
    pub(super) commands: RefCell<Vec<Command>>,
    /// The request whose dispatch is on the stack.
    current: Cell<Option<ReplyId>>,
    /// The time limit that JavaScript set for it.
    limit: Cell<Option<u64>>,
    /// Its reply, lent while JavaScript runs, for the numbers.
    reply: Cell<Option<NonNull<Reply<'static>>>>,
}

/// Header blocks of answers.
#[derive(Debug, Default)]
struct Blocks {
    none: Block,
    staged: Block,
    remembered: Vec<Block>,
    text: Vec<u8>,
}

/// Request bodies that JavaScript may still ask for, by slot.
#[derive(Debug, Default)]
struct Bodies {
    held: Vec<Option<HeldBody>>,
    spare: Vec<Vec<u8>>,
}

/// The bytes of one body that JavaScript hasn't taken yet.
#[derive(Debug)]
struct HeldBody {
    id: ReplyId,
    bytes: Vec<u8>,
    /// Whether what still comes is handed over part by part, or collected here.
    is_passed: bool,
}

impl Bridge {
    pub(super) fn new(js: Js, record: Record, array: Reference) -> Self {
        Bridge {
            js,
            record,
            _array: array,
            blocks: RefCell::default(),
            bodies: RefCell::default(),
            commands: RefCell::default(),
            current: Cell::new(None),
            limit: Cell::new(None),
            reply: Cell::new(None),
        }
    }

    /// Puts a header block before the next answer; false when a field isn't valid.
    pub(super) fn stage(&self, text: napi_value) -> Outcome<bool> {
        let mut blocks = self.blocks.borrow_mut();
        let Blocks { staged, text: bytes, .. } = &mut *blocks;
        self.js.read_latin1(text, bytes)?;
        Ok(fill(staged, bytes))
    }

    /// Keeps a header block under an id, 0 when it isn't valid or there is no room.
    pub(super) fn remember(&self, text: napi_value) -> Outcome<u32> {
        let mut blocks = self.blocks.borrow_mut();
        let Blocks { remembered, text: bytes, .. } = &mut *blocks;
        self.js.read_latin1(text, bytes)?;
        let mut block = Block::default();
        if remembered.len() >= limits::REMEMBERED_BLOCKS || !fill(&mut block, bytes) {
            return Ok(0);
        }
        remembered.push(block);
        Ok(remembered.len() as u32 + 1)
    }

    /// Runs with the block that an answer states; an unknown id is the empty block.
    pub(super) fn with_block<T>(&self, id: u32, run: impl FnOnce(&Block) -> T) -> T {
        let blocks = self.blocks.borrow();
        run(match id {
            0 => &blocks.none,
            1 => &blocks.staged,
            id => blocks.remembered.get(id as usize - 2).unwrap_or(&blocks.none),
        })
    }

    /// Moves out the body of a request, if it is still there. What can't be read stays.
    pub(super) fn take_body<T>(
        &self,
        id: ReplyId,
        read: impl FnOnce(&[u8]) -> Outcome<T>,
    ) -> Option<Outcome<T>> {
        let mut bodies = self.bodies.borrow_mut();
        let value = read(&bodies.find(id)?.bytes);
        if value.is_ok()
            && let Some(held) = bodies.held.get_mut(id.slot as usize).and_then(Option::take)
        {
            bodies.keep(held.bytes);
        }
        Some(value)
    }

    /// The rest of a body is handed over part by part from now on.
    pub(super) fn pass_body(&self, id: ReplyId) {
        if let Some(held) = self.bodies.borrow_mut().find(id) {
            held.is_passed = true;
        }
    }

    /// The request is over: its body is dropped.
    pub(super) fn forget(&self, id: ReplyId) {
        self.take_body(id, |_| Ok(()));
    }

    fn hold_body(&self, request: &mut Request<'_>) {
        let mut bodies = self.bodies.borrow_mut();
        let spare = bodies.spare.pop().unwrap_or_default();
        let body = request.replace_body(spare);
        let slot = request.id.slot as usize;
        if bodies.held.len() <= slot {
            bodies.held.resize_with(slot + 1, || None);
        }
        let body = HeldBody { id: request.id, bytes: body, is_passed: false };
        // The line above made room; what an earlier request of the slot left there goes.
        if let Some(old) = bodies.held[slot].replace(body) {
            bodies.keep(old.bytes);
        }
    }

    /// The wish to close that the last call of JavaScript left.
    fn take_close(&self) -> Option<u64> {
        let mut commands = self.commands.borrow_mut();
        let at = commands.iter().position(|command| matches!(command, Command::Close { .. }))?;
        match commands.remove(at) {
            Command::Close { timeout } => Some(timeout),
            _ => None,
        }
    }

    /// Sets the time limit of the request on the stack, if it is that.
    pub(super) fn limit_current(&self, id: ReplyId, limit: u64) -> bool {
        let is_current = self.current.get() == Some(id);
        if is_current {
            self.limit.set(Some(limit));
        }
        is_current
    }

    /// The server's numbers, asked for while a dispatch is on the stack.
    pub(super) fn stats(&self) -> Option<Stats> {
        let mut reply = self.reply.get()?;
        // SAFETY: the pointer is there only while `Asker::ask` waits for JavaScript, and the reply
        // that it lends isn't touched by anyone else meanwhile.
        Some(unsafe { reply.as_mut() }.stats())
    }
}

impl Bodies {
    fn find(&mut self, id: ReplyId) -> Option<&mut HeldBody> {
        self.held.get_mut(id.slot as usize)?.as_mut().filter(|held| held.id == id)
    }

    fn keep(&mut self, mut body: Vec<u8>) {
        if self.spare.len() < limits::SPARE_BODIES && body.capacity() <= limits::READ_BUFFER {
            body.clear();
            self.spare.push(body);
        }
    }
}

/// Reads `name NUL value NUL …`.
fn fill(block: &mut Block, text: &[u8]) -> bool {
    let mut parts = text.split(|&byte| byte == 0);
    let fields = std::iter::from_fn(|| Some((parts.next()?, parts.next()?)));
    block.fill(fields).is_ok()
}

/// The server's handler. It holds JavaScript's functions, and with them everything that JavaScript
/// ties to the server; they go with the server and not with the objects that share the bridge.
#[derive(Debug)]
pub(super) struct Asker {
    bridge: Rc<Bridge>,
    dispatch: Reference,
    notify: Reference,
    /// The generation of each slot whose peer JavaScript was told.
    told: Vec<Option<u32>>,
}

impl Asker {
    pub(super) fn new(bridge: Rc<Bridge>, dispatch: Reference, notify: Reference) -> Self {
        Asker { bridge, dispatch, notify, told: Vec::new() }
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
        // The final empty line says nothing.
        let head = request.head.bytes();
        let head = js.latin1(&head[..head.len() - 2])?;
        let dispatch = self.dispatch.value()?;
        bridge.current.set(Some(request.id));
        bridge.limit.set(None);
        bridge.reply.set(Some(NonNull::from(reply).cast()));
        let answer = js.call(dispatch, &[head]);
        bridge.reply.set(None);
        bridge.current.set(None);
        answer
    }

    fn answer(&mut self, request: &mut Request<'_>, mut reply: Reply<'_>) -> Answer {
        let id = request.id;
        let has_body = !request.body().is_empty() || !request.is_complete;
        // It tells the body's length, so it is written before the body is moved.
        let is_new = self.is_new(id);
        self.bridge.record.write(request, is_new);
        if has_body {
            self.bridge.hold_body(request);
        }
        let asked = self.ask(request, &mut reply);
        let stated = self.bridge.record.stated();
        if let Some(timeout) = self.bridge.take_close() {
            reply.close_server(timeout);
        }
        let answer = match asked {
            Ok(_) if stated.kind == Kind::Later => {
                return match self.bridge.limit.get() {
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

    fn on_gone(&mut self, id: ReplyId, reason: Gone) {
        if reason != Gone::ClientClosed {
            self.bridge.forget(id);
        }
        self.tell(id, reason as u32, None);
    }

    fn on_body(&mut self, id: ReplyId, bytes: &[u8]) -> Intake {
        if let Some(held) = self.bridge.bodies.borrow_mut().find(id)
            && !held.is_passed
        {
            held.bytes.extend_from_slice(bytes);
            return Intake::Kept;
        }
        // JavaScript says whether it has room for more.
        if self.tell(id, BODY_PART, Some(bytes)) { Intake::More } else { Intake::Pause }
    }

    fn on_body_end(&mut self, id: ReplyId, _: &Trailers) {
        self.tell(id, BODY_END, None);
    }

    fn on_writable(&mut self, id: ReplyId) {
        self.tell(id, WRITABLE, None);
    }
}

impl Bridge {
    /// Brings the answer of the request that was just dispatched.
    fn give(&self, value: napi_value, stated: Stated, reply: Reply<'_>) -> Answer {
        let js = self.js;
        self.with_block(stated.block, |block| match stated.kind {
            Kind::Text if stated.length <= limits::TEXT_IN_PLACE => {
                let room = stated.length * 3;
                reply.send_in_place(stated.status, block, stated.length, |out| {
                    js.append_utf8(value, room, out).is_ok()
                })
            }
            Kind::Text => match self.long_text(value) {
                Ok(text) => reply.send_owned(stated.status, block, text),
                Err(Failed) => reply.fail(),
            },
            // SAFETY: no JavaScript runs until the bytes are written or copied.
            Kind::Bytes => match unsafe { js.view(value) } {
                Ok(bytes) => reply.send(stated.status, block, bytes),
                Err(Failed) => reply.fail(),
            },
            Kind::Empty | Kind::Later | Kind::Stream => reply.send(stated.status, block, b""),
        })
    }

    fn long_text(&self, value: napi_value) -> Outcome<Vec<u8>> {
        let length = self.js.utf8_length(value)?;
        let mut text = Vec::new();
        self.js.append_utf8(value, length, &mut text)?;
        Ok(text)
    }

    /// Brings a late answer. `Ok` is false when the request is over.
    pub(super) fn give_late(
        &self,
        server: &mut Server<Asker>,
        id: ReplyId,
        value: napi_value,
        stated: Stated,
    ) -> bool {
        let js = self.js;
        self.forget(id);
        let brought = self.with_block(stated.block, |block| match stated.kind {
            Kind::Text if stated.length <= limits::TEXT_IN_PLACE => {
                let room = stated.length * 3;
                server.answer_in_place(id, stated.status, block, stated.length, |out| {
                    js.append_utf8(value, room, out).is_ok()
                })
            }
            Kind::Text => match self.long_text(value) {
                Ok(text) => server.answer_owned(id, stated.status, block, text),
                Err(Failed) => server.fail(id),
            },
            // SAFETY: no JavaScript runs until the bytes are written or copied.
            Kind::Bytes => match unsafe { js.view(value) } {
                Ok(bytes) => server.answer(id, stated.status, block, bytes),
                Err(Failed) => server.fail(id),
            },
            // SAFETY: as above.
            Kind::Stream => match unsafe { js.part(value) } {
                Ok(first) => server.begin(id, stated.status, block, first).map(|_| ()),
                Err(Failed) => server.fail(id),
            },
            Kind::Empty | Kind::Later => server.answer(id, stated.status, block, b""),
        });
        match brought {
            Ok(()) => true,
            Err(ReplyError::Stale) => false,
            Err(ReplyError::Answer(_)) => server.fail(id).is_ok(),
        }
    }

    /// Copies an answer that can't be brought while a turn is under way.
    pub(super) fn copy_answer(
        &self,
        value: napi_value,
        stated: Stated,
    ) -> Outcome<(Block, Vec<u8>)> {
        let block = self.with_block(stated.block, Block::clone);
        let body = match stated.kind {
            Kind::Text => self.long_text(value)?,
            // SAFETY: the bytes are copied at once.
            Kind::Bytes => unsafe { self.js.view(value)? }.to_vec(),
            Kind::Stream => unsafe { self.js.part(value)? }.to_vec(),
            Kind::Empty | Kind::Later => Vec::new(),
        };
        Ok((block, body))
    }
}
