//! What the handler and the functions that JavaScript calls share: header blocks, bodies that may
//! still be asked for, commands that wait, and the way an answer is written.
//!
//! Answers go straight into the output buffer. A body is moved out on demand and is gone when its
//! request is answered.

use std::cell::{Cell, RefCell};
use std::ptr::NonNull;

use napi_sys::napi_value;

use super::asker::Asker;
use super::command::Command;
use super::held::{self, Body};
use super::record::{Kind, Record, Stated};
use super::values::{Failed, Js, Outcome};
use crate::limits;
use crate::net::{ReplyError, ReplyId};
use crate::server::{Answer, Block, Reply, Request, Server, Stats};
use crate::wire::block::text_of_fields;
use crate::wire::fields::Trailers;

/// What the handler shares with the functions that JavaScript calls. It is never borrowed while
/// JavaScript runs.
#[derive(Debug)]
pub(super) struct Bridge {
    pub(super) js: Js,
    pub(super) record: Record,
    blocks: RefCell<Blocks>,
    bodies: RefCell<Bodies>,
    /// Trailer fields that JavaScript may ask for, as header blocks. Hardly anybody sends any.
    trailers: RefCell<Vec<(ReplyId, Vec<u8>)>>,
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
    pub(super) fn new(js: Js, record: Record) -> Self {
        Bridge {
            js,
            record,
            blocks: RefCell::default(),
            bodies: RefCell::default(),
            trailers: RefCell::default(),
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
        Ok(staged.fill_text(bytes).is_ok())
    }

    /// Keeps a header block under an id, 0 when it isn't valid or there is no room.
    pub(super) fn remember(&self, text: napi_value) -> Outcome<u32> {
        let mut blocks = self.blocks.borrow_mut();
        let Blocks { remembered, text: bytes, .. } = &mut *blocks;
        self.js.read_latin1(text, bytes)?;
        let mut block = Block::default();
        if remembered.len() >= limits::REMEMBERED_BLOCKS || block.fill_text(bytes).is_err() {
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
            id => blocks.remembered.get((id - 2) as usize).unwrap_or(&blocks.none),
        })
    }

    /// Moves out the body of a request as a `Uint8Array`: the bytes themselves if they are many.
    pub(super) fn take_bytes(&self, id: ReplyId) -> Option<Outcome<napi_value>> {
        let is_large = self.bodies.borrow_mut().find(id)?.bytes.len() >= limits::BODY_GIVEN;
        if !is_large {
            return self.take_body(id, |bytes| self.js.bytes(bytes));
        }
        let held = self.bodies.borrow_mut().held.get_mut(id.slot as usize)?.take()?;
        Some(self.js.own_bytes(held.bytes))
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

    /// Keeps a part of a body that JavaScript wants as a whole; false when it doesn't.
    pub(super) fn collect(&self, id: ReplyId, part: &[u8]) -> bool {
        let mut bodies = self.bodies.borrow_mut();
        let held = bodies.find(id).filter(|held| !held.is_passed);
        held.map(|held| held.bytes.extend_from_slice(part)).is_some()
    }

    /// The rest of a body is handed over part by part from now on.
    pub(super) fn pass_body(&self, id: ReplyId) {
        if let Some(held) = self.bodies.borrow_mut().find(id) {
            held.is_passed = true;
        }
    }

    /// The trailer fields of a request, if it has any and they weren't taken.
    pub(super) fn take_trailers(&self, id: ReplyId) -> Option<Vec<u8>> {
        let mut trailers = self.trailers.borrow_mut();
        let at = trailers.iter().position(|(held, _)| *held == id)?;
        Some(trailers.swap_remove(at).1)
    }

    pub(super) fn hold_trailers(&self, id: ReplyId, trailers: &Trailers) {
        if trailers.is_empty() {
            return;
        }
        self.trailers.borrow_mut().push((id, text_of_fields(trailers.iter())));
    }

    /// The request is over: its body and its trailers are dropped.
    pub(super) fn forget(&self, id: ReplyId) {
        self.take_body(id, |_| Ok(()));
        self.take_trailers(id);
    }

    pub(super) fn hold_body(&self, request: &mut Request<'_>) {
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

    /// Runs JavaScript for a request, with its reply lent to the calls that come from there.
    pub(super) fn lend<T>(&self, id: ReplyId, reply: &mut Reply<'_>, run: impl FnOnce() -> T) -> T {
        self.current.set(Some(id));
        self.limit.set(None);
        self.reply.set(Some(NonNull::from(reply).cast()));
        let result = run();
        self.reply.set(None);
        self.current.set(None);
        result
    }

    /// The time limit that JavaScript set for the request that was just dispatched.
    pub(super) fn limit(&self) -> Option<u64> {
        self.limit.get()
    }

    /// The wish to close that the last call of JavaScript left.
    pub(super) fn take_close(&self) -> Option<u64> {
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
        self.with_reply(Reply::stats)
    }

    /// Sends an interim answer to the request whose dispatch is on the stack, if it is that.
    pub(super) fn inform_current(&self, id: ReplyId, stated: Stated) -> Option<bool> {
        if self.current.get() != Some(id) {
            return None;
        }
        let inform = |block: &Block| self.with_reply(|reply| reply.inform(stated.status, block));
        self.with_block(stated.block, inform)
    }

    fn with_reply<T>(&self, run: impl FnOnce(&mut Reply<'static>) -> T) -> Option<T> {
        let mut reply = self.reply.get()?;
        // SAFETY: the pointer is there only while `lend` waits for JavaScript, and the reply
        // that it lends isn't touched by anyone else meanwhile. `run` keeps nothing of it.
        Some(run(unsafe { reply.as_mut() }))
    }
}

impl Bodies {
    fn find(&mut self, id: ReplyId) -> Option<&mut HeldBody> {
        self.held.get_mut(id.slot as usize)?.as_mut().filter(|held| held.id == id)
    }

    fn keep(&mut self, mut body: Vec<u8>) {
        if self.spare.len() < limits::SPARE_BODIES && body.capacity() <= limits::BODY_GIVEN {
            body.clear();
            self.spare.push(body);
        }
    }
}

impl Bridge {
    /// Brings the answer of the request that was just dispatched.
    pub(super) fn give(&self, value: napi_value, stated: Stated, reply: Reply<'_>) -> Answer {
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
            Kind::File => match self.file(value) {
                Ok(mut body) => {
                    let pieces = std::mem::take(&mut body.pieces);
                    reply.send_pieces(stated.status, body.fields(stated, block), pieces)
                }
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

    /// Takes a body that lies in files.
    fn file(&self, value: napi_value) -> Outcome<Body> {
        held::take(self.js.float(value)?).ok_or(Failed)
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
        if stated.kind != Kind::Stream {
            self.forget(id);
        }
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
            Kind::File => match self.file(value) {
                Ok(mut body) => {
                    let pieces = std::mem::take(&mut body.pieces);
                    server.answer_pieces(id, stated.status, body.fields(stated, block), pieces)
                }
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
    pub(super) fn answer_command(
        &self,
        id: ReplyId,
        value: napi_value,
        stated: Stated,
    ) -> Outcome<Command> {
        let status = stated.status;
        let block = self.with_block(stated.block, Block::clone);
        let body = match stated.kind {
            Kind::Text => self.long_text(value)?,
            // SAFETY: the bytes are copied at once.
            Kind::Bytes => unsafe { self.js.view(value)? }.to_vec(),
            Kind::Stream => {
                // SAFETY: as above.
                let first = unsafe { self.js.part(value)? }.to_vec();
                return Ok(Command::Begin { id, status, block, first });
            }
            Kind::File => {
                let body = self.file(value)?;
                let block = body.fields(stated, &block).clone();
                return Ok(Command::AnswerPieces { id, status, block, pieces: body.pieces });
            }
            Kind::Empty | Kind::Later => Vec::new(),
        };
        Ok(Command::Answer { id, status, block, body })
    }
}
