//! What the room above can do: answer, stream, pause, cut, by the id of a request.
//!
//! Writing has three levels. Answers of the connection whose bytes are being served are collected
//! in the cork and written together; a late answer is written at once; what the kernel doesn't
//! take waits in the connection's outbox. Outside of serving a connection the cork is empty.
//!
//! No method here calls an [`super::App`] or begins another request: a connection that can go on
//! is put on the ready list.

use std::io;
use std::sync::Arc;

use mio::{Poll, Waker};

use super::app::Gone;
use super::clock::Clock;
use super::connection::Connection;
use super::counters::Counters;
use super::link::Links;
use super::piece::Piece;
use super::pool::Pool;
use super::slots::{Key, ReplyId, Slots, Target};
use super::socket::Peer;
use super::tend::Beside;
use super::timers::Wheel;
use super::warmer::Warmer;
use crate::limits;
use crate::proto::http1::{self, AnswerError, BodyLength, Context};
use crate::proto::{CloseReason, Fault};
use crate::wire::block::Block;

/// What a reactor must know.
#[derive(Clone, Copy, Debug)]
pub struct Settings {
    /// Limits and clocks of a connection.
    pub http1: http1::Settings,
    /// Most open connections; 0 is no limit.
    pub max_connections: usize,
}

impl Default for Settings {
    fn default() -> Self {
        Settings { http1: http1::Settings::default(), max_connections: limits::CONNECTIONS }
    }
}

/// Why a reply could not be brought.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ReplyError {
    /// The request is over: answered, timed out, or its client is gone.
    Stale,
    /// The machine refuses it; the connection is as it was.
    Answer(AnswerError),
}

impl From<AnswerError> for ReplyError {
    fn from(error: AnswerError) -> Self {
        ReplyError::Answer(error)
    }
}

/// Whether more of a body may be given now.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
#[must_use]
pub enum Credit {
    /// Go on.
    Go,
    /// Wait for [`super::App::on_writable`].
    Wait,
}

/// The hands of a reactor.
#[derive(Debug)]
pub struct Io {
    pub(super) poll: Poll,
    pub(super) waker: Arc<Waker>,
    pub(super) slots: Slots<Connection>,
    pub(super) links: Links,
    pub(super) pool: Pool,
    pub(super) wheel: Wheel,
    pub(super) warmer: Warmer,
    pub(super) world: World,
    pub(super) counters: Counters,
    pub(super) ready: Vec<Key>,
    /// Requests whose connection went away while the room above wasn't listening.
    pub(super) lost: Vec<(ReplyId, Gone)>,
    pub(super) cork: Vec<u8>,
    /// The connection whose bytes are being served.
    pub(super) serving: Option<Key>,
    /// The room above asked to close, with this timeout.
    pub(super) drain_wanted: Option<u64>,
    /// A network that a test has made up.
    #[cfg(test)]
    pub(super) network: Option<std::rc::Rc<dyn super::simulated::Network>>,
}

/// What every machine call needs to know.
#[derive(Debug)]
pub(super) struct World {
    pub(super) settings: Settings,
    pub(super) clock: Clock,
    pub(super) draining: bool,
}

impl World {
    pub(super) fn context(&self) -> Context<'_> {
        Context {
            settings: &self.settings.http1,
            now: self.clock.now_ms(),
            date: self.clock.date(),
            draining: self.draining,
        }
    }
}

impl Io {
    pub(super) fn new(settings: Settings) -> io::Result<Self> {
        let poll = Poll::new()?;
        let waker = Arc::new(Waker::new(poll.registry(), Target::Waker.into())?);
        let clock = Clock::new();
        let warmer = Warmer::new(waker.clone());
        Ok(Io {
            poll,
            waker,
            warmer,
            slots: Slots::new(),
            links: Links::new(clock.now_ms()),
            pool: Pool::new(),
            wheel: Wheel::new(clock.now_ms()),
            world: World { settings, clock, draining: false },
            counters: Counters::default(),
            ready: Vec::new(),
            lost: Vec::new(),
            cork: Vec::with_capacity(limits::CORK),
            serving: None,
            drain_wanted: None,
            #[cfg(test)]
            network: None,
        })
    }

    /// Answers with a whole body.
    pub fn answer(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        body: &[u8],
    ) -> Result<(), ReplyError> {
        self.whole(id, status, block, body.len() as u64, Beside::Borrowed(body))
    }

    /// Answers with a whole body that is given away: a rest that must wait isn't copied.
    pub fn answer_owned(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        body: Vec<u8>,
    ) -> Result<(), ReplyError> {
        self.whole(id, status, block, body.len() as u64, Beside::Owned(body))
    }

    /// Answers with a body that lies in files, or in part.
    pub fn answer_pieces(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        pieces: Vec<Piece>,
    ) -> Result<(), ReplyError> {
        let length = Piece::total(&pieces);
        self.whole(id, status, block, length, Beside::Pieces(pieces.into()))
    }

    fn whole(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        length: u64,
        body: Beside<'_>,
    ) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, cx| {
            let known = BodyLength::Known(length);
            let sending = connection.machine.head(cork, status, block, known, cx)?;
            connection.machine.body(length)?;
            connection.machine.finish(cork, &[], cx)?;
            Ok(if sending.has_body { body } else { Beside::Nothing })
        })
    }

    /// Answers with a body that is appended right behind its head. `expected` is the length that
    /// it probably has; a wrong guess costs a correction of the head. If `write` says false, it has
    /// failed and the connection is cut.
    pub fn answer_in_place(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        expected: usize,
        write: impl FnOnce(&mut Vec<u8>) -> bool,
    ) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, cx| {
            let length = BodyLength::Known(expected as u64);
            let before = cork.len();
            let sending = connection.machine.head(cork, status, block, length, cx)?;
            let start = cork.len();
            if !write(cork) {
                cork.truncate(before);
                connection.machine.cut(CloseReason::HandlerAborted);
                return Ok(Beside::Nothing);
            }
            let written = cork.len() - start;
            let has_body = sending.has_body;
            if !has_body {
                cork.truncate(start);
            }
            if written != expected {
                connection.machine.amend_length(cork, sending, written as u64);
            }
            connection.machine.body(written as u64)?;
            connection.machine.finish(cork, &[], cx)?;
            Ok(Beside::Nothing)
        })
    }

    /// Runs several commands on one request, and writes what they leave together.
    pub fn corked<T>(&mut self, id: ReplyId, run: impl FnOnce(&mut Io) -> T) -> T {
        let key = id.key();
        if self.serving == Some(key) {
            return run(self);
        }
        if let Some(served) = self.serving {
            self.write(served, Beside::Nothing);
        }
        let outer = self.serving.replace(key);
        let result = run(self);
        self.write(key, Beside::Nothing);
        self.serving = outer;
        self.settle(key);
        result
    }

    /// Begins an answer whose body follows in parts.
    pub fn head(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
        length: BodyLength,
    ) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, cx| {
            if connection.machine.head(cork, status, block, length, cx)?.has_body {
                connection.begin_stream();
            }
            Ok(Beside::Nothing)
        })
    }

    /// Brings a part of the body.
    pub fn chunk(&mut self, id: ReplyId, data: &[u8]) -> Result<Credit, ReplyError> {
        self.reply(id, |connection, cork, _| {
            let framed = connection.machine.frame(cork, data.len() as u64)?;
            Ok(framed.map_or(Beside::Nothing, |behind| Beside::Framed(data, behind)))
        })?;
        let Some(connection) = self.slots.get_mut(id.key()) else {
            return Err(ReplyError::Stale);
        };
        connection.flags.starved = connection.outbox.held() > limits::HIGH_WATER;
        Ok(if connection.flags.starved { Credit::Wait } else { Credit::Go })
    }

    /// Completes the answer.
    pub fn finish(&mut self, id: ReplyId, trailers: &[(&[u8], &[u8])]) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, cx| {
            connection.machine.finish(cork, trailers, cx)?;
            Ok(Beside::Nothing)
        })
    }

    /// Sends an interim answer (RFC 9110 §15.2).
    pub fn informational(
        &mut self,
        id: ReplyId,
        status: u16,
        block: &Block,
    ) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, _| {
            connection.machine.informational(cork, status, block)?;
            Ok(Beside::Nothing)
        })
    }

    /// Says that the body is wanted: 100 (Continue) goes out where the client waits for it.
    pub fn want_body(&mut self, id: ReplyId) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, _| {
            connection.machine.want_body(cork);
            Ok(Beside::Nothing)
        })
    }

    /// Answers with an error of the server's own.
    pub fn refuse(&mut self, id: ReplyId, fault: Fault) -> Result<(), ReplyError> {
        self.reply(id, |connection, cork, cx| {
            connection.machine.refuse(cork, fault, cx);
            Ok(Beside::Nothing)
        })?;
        self.counters.on_rejected(fault.status());
        Ok(())
    }

    /// Gives up in the middle of an answer: the connection is cut.
    pub fn abort(&mut self, id: ReplyId) -> Result<(), ReplyError> {
        self.reply(id, |connection, _, _| {
            connection.told_gone = Some(id.sequence);
            connection.machine.cut(CloseReason::HandlerAborted);
            Ok(Beside::Nothing)
        })
    }

    /// Whether the client of a request waits for 100 (Continue) before it sends the body.
    pub fn awaits_continue(&self, id: ReplyId) -> bool {
        self.slots.get(id.key()).is_some_and(|connection| connection.machine.awaits_continue())
    }

    /// Stops reading the body of a request until [`Io::resume`]; its clock stands still. After
    /// `limit` milliseconds the request is refused with 503; 0 is for ever.
    pub fn pause(&mut self, id: ReplyId, limit: u64) {
        let now = self.world.clock.now_ms();
        let Some(connection) = self.connection(id) else {
            return;
        };
        connection.flags.paused = true;
        connection.machine.on_pause(now, limit);
        if let Some(deadline) = connection.machine.deadline() {
            self.wheel.schedule(id.slot, deadline);
        }
    }

    /// Reads the body of a request on.
    pub fn resume(&mut self, id: ReplyId) {
        let Some(connection) = self.slots.get_mut(id.key()) else {
            return;
        };
        let is_it = connection.machine.sequence() == id.sequence;
        if is_it && std::mem::take(&mut connection.flags.paused) {
            connection.machine.on_resume(&self.world.context());
            if self.serving != Some(id.key()) {
                self.settle(id.key());
            }
        }
    }

    /// Gives the handler this many milliseconds from now to answer; 0 is for ever.
    pub fn set_handler_timeout(&mut self, id: ReplyId, timeout: u64) -> bool {
        // The handler may have worked for long before it put its answer off.
        self.world.clock.refresh();
        let now = self.world.clock.now_ms();
        let Some(connection) = self.connection(id) else {
            return false;
        };
        connection.machine.on_dispatch(now, timeout);
        if let Some(deadline) = connection.machine.deadline() {
            self.wheel.schedule(id.slot, deadline);
        }
        true
    }

    /// Who sent a request.
    pub fn peer(&self, id: ReplyId) -> Option<Peer> {
        self.slots.get(id.key()).map(|connection| connection.peer)
    }

    /// Closes the server: answers say so from now on, the rest follows in the next turn; see
    /// [`super::Reactor::drain`].
    pub fn drain(&mut self, timeout: u64) {
        if !std::mem::replace(&mut self.world.draining, true) {
            self.drain_wanted = Some(timeout);
        }
    }

    /// The numbers.
    pub fn counters(&mut self) -> &mut Counters {
        &mut self.counters
    }

    /// Answer bytes that wait because their clients don't take them.
    pub fn unsent_bytes(&self) -> usize {
        self.slots.iter().map(|connection| connection.outbox.held()).sum()
    }

    /// Open connections.
    pub fn connections(&self) -> usize {
        self.slots.len()
    }

    /// Microseconds since the reactor began, as of its last look at the clock.
    pub fn now_us(&self) -> u64 {
        self.world.clock.now_us()
    }

    /// A buffer from the pool, empty.
    pub fn take_buffer(&mut self, capacity: usize) -> Vec<u8> {
        self.pool.take(capacity)
    }

    /// Gives a buffer back.
    pub fn give_buffer(&mut self, buffer: Vec<u8>) {
        self.pool.give(buffer);
    }

    fn connection(&mut self, id: ReplyId) -> Option<&mut Connection> {
        let connection = self.slots.get_mut(id.key())?;
        let machine = &connection.machine;
        (machine.sequence() == id.sequence && machine.owes_answer()).then_some(connection)
    }

    /// Runs one command on the connection of a request, and writes what it left in the cork
    /// unless the connection is being served: then that is done once for all its answers.
    fn reply<'b>(
        &mut self,
        id: ReplyId,
        command: impl FnOnce(
            &mut Connection,
            &mut Vec<u8>,
            &Context<'_>,
        ) -> Result<Beside<'b>, AnswerError>,
    ) -> Result<(), ReplyError> {
        let key = id.key();
        if let Some(served) = self.serving.filter(|&served| served != key) {
            // The cork holds another connection's answers.
            self.write(served, Beside::Nothing);
        }
        let connection = self.slots.get_mut(key);
        let Some(connection) = connection.filter(|c| c.machine.sequence() == id.sequence) else {
            self.counters.stale_answers += 1;
            return Err(ReplyError::Stale);
        };
        if !connection.machine.owes_answer() {
            self.counters.stale_answers += 1;
            return Err(ReplyError::Stale);
        }
        let start = self.cork.len();
        let beside = match command(connection, &mut self.cork, &self.world.context()) {
            Ok(beside) => beside,
            Err(error) => {
                self.cork.truncate(start);
                return Err(error.into());
            }
        };
        if !connection.machine.owes_answer() {
            connection.unwritten += 1;
        }
        let is_served = self.serving == Some(key);
        match beside {
            Beside::Borrowed(body) if body.len() < limits::WRITE_BESIDE => {
                self.cork.extend_from_slice(body);
            }
            Beside::Framed(part, behind) if part.len() < limits::WRITE_BESIDE => {
                self.cork.extend_from_slice(part);
                self.cork.extend_from_slice(behind);
            }
            Beside::Owned(body) if body.len() < limits::WRITE_BESIDE => {
                self.cork.extend_from_slice(&body);
                self.pool.give(body);
            }
            Beside::Nothing => {}
            Beside::Pieces(mut pieces) => {
                self.cork_small_pieces(&mut pieces);
                if !pieces.is_empty() {
                    self.write(key, Beside::Pieces(pieces));
                }
            }
            beside => {
                self.write(key, beside);
            }
        }
        if !is_served || self.cork.len() >= limits::CORK_FLUSH {
            self.write(key, Beside::Nothing);
        }
        if !is_served {
            self.settle(key);
        }
        Ok(())
    }
}
