//! The turn: poll, read, serve, write, let time pass.

use std::io::{self, ErrorKind, Read};
use std::os::fd::{AsRawFd, RawFd};
use std::time::Duration;

use mio::{Events, Token};

use super::app::{App, Gone};
use super::io::{Io, Settings};
use super::listener::Listener;
use super::mailbox::{Inbox, Mailbox};
use super::outbox::WaitsFor;
use super::slots::{Key, ReplyId, Target};
use super::socket::Readiness;
use super::tend::{Accepted, Beside};
use crate::limits;
use crate::proto::http1::Event;
use crate::proto::{CloseReason, Fault};
use crate::wire::framing::BodyKind;
use crate::wire::head::{Head, HeadSpans, Method};

/// A reactor and the app that it serves. One thread drives it by calling [`Reactor::turn`].
///
/// A foreign event loop drives it with three functions: watch [`Reactor::fd`] for readability,
/// call a turn then and at [`Reactor::next_deadline`], and don't sleep while
/// [`Reactor::has_ready`].
#[derive(Debug)]
pub struct Reactor<A: App> {
    pub(super) app: A,
    pub(super) io: Io,
    events: Events,
    pub(super) listeners: Vec<Option<Listener>>,
    /// Listeners that may have connections waiting, by number.
    pub(super) accepting: Vec<usize>,
    /// Until then nothing is accepted: the process has no descriptors left.
    pub(super) accept_after_ms: u64,
    mailbox: Mailbox<A::Message>,
    inbox: Inbox<A::Message>,
    messages: Vec<A::Message>,
    /// The other half of the ready list: one is served while the other fills.
    ready: Vec<Key>,
    pub(super) buffer: Vec<u8>,
    spans: HeadSpans,
    drain_deadline: Option<u64>,
    cut: u64,
    /// Bytes read since the turn began.
    read_in_turn: usize,
}

impl<A: App> Reactor<A> {
    /// A reactor without listeners.
    pub fn new(app: A, settings: Settings) -> io::Result<Self> {
        let io = Io::new(settings)?;
        let (mailbox, inbox) = Mailbox::new(io.waker.clone());
        Ok(Reactor {
            app,
            io,
            events: Events::with_capacity(limits::EVENTS),
            listeners: Vec::new(),
            accepting: Vec::new(),
            accept_after_ms: 0,
            mailbox,
            inbox,
            messages: Vec::new(),
            ready: Vec::new(),
            buffer: vec![0; limits::READ_BUFFER],
            spans: HeadSpans::default(),
            drain_deadline: None,
            cut: 0,
            read_in_turn: 0,
        })
    }

    /// The way in for other threads.
    pub fn mailbox(&self) -> Mailbox<A::Message> {
        self.mailbox.clone()
    }

    /// The app.
    pub fn app(&mut self) -> &mut A {
        &mut self.app
    }

    /// The app and the hands to answer with.
    ///
    /// For calls from outside of a turn: it may be long ago, so the clock is read.
    pub fn parts(&mut self) -> (&mut A, &mut Io) {
        self.io.world.clock.refresh();
        (&mut self.app, &mut self.io)
    }

    /// The descriptor that becomes readable when a turn has something to do.
    pub fn fd(&self) -> RawFd {
        self.io.poll.as_raw_fd()
    }

    /// When a turn is due for time's sake, in milliseconds of [`Reactor::now_ms`].
    pub fn next_deadline(&self) -> Option<u64> {
        // In the past it is due now: no event will come for those who wait already.
        let waits = !self.accepting.is_empty() && self.has_room();
        let paused = waits.then_some(self.accept_after_ms);
        let deadlines = [self.io.wheel.next_deadline(), self.drain_deadline, paused];
        let due = deadlines.into_iter().flatten().min();
        if self.io.links.is_empty() {
            due
        } else {
            self.io.links.next_deadline().into_iter().chain(due).min()
        }
    }

    /// Milliseconds since the reactor was made. Reads the clock.
    pub fn now_ms(&mut self) -> u64 {
        self.io.world.clock.refresh();
        self.io.world.clock.now_ms()
    }

    /// Whether a turn has something to do without a new event.
    pub fn has_ready(&self) -> bool {
        let may_accept = self.has_room() && self.io.world.clock.now_ms() >= self.accept_after_ms;
        !self.io.ready.is_empty()
            || !self.io.links.ready.is_empty()
            || !self.io.lost.is_empty()
            || self.io.drain_wanted.is_some()
            || (may_accept && !self.accepting.is_empty())
    }

    /// Polls once, for at most `timeout` (`None` is until something happens), and serves what
    /// there is within the budget of a turn.
    pub fn turn(&mut self, timeout: Option<Duration>) -> io::Result<()> {
        // A poll that doesn't wait has no use for a deadline, nor for the time until then.
        let timeout = if timeout == Some(Duration::ZERO) || self.has_ready() {
            Some(Duration::ZERO)
        } else {
            let now = self.now_ms();
            let due = self.next_deadline().map(|at| Duration::from_millis(at.saturating_sub(now)));
            timeout.into_iter().chain(due).min()
        };
        match self.io.poll.poll(&mut self.events, timeout) {
            Err(error) if error.kind() != ErrorKind::Interrupted => return Err(error),
            _ => {}
        }
        self.io.world.clock.refresh();
        // What becomes due while the turn works is judged after the next poll: until then nobody
        // knows whether the client's bytes have come in time.
        let now = self.io.world.clock.now_ms();
        self.read_in_turn = 0;
        let mut events = std::mem::replace(&mut self.events, Events::with_capacity(0));
        for event in &events {
            self.on_event(event.token(), Readiness::of(event));
        }
        events.clear();
        self.events = events;
        #[cfg(test)]
        for (token, readiness) in self.io.simulated_events() {
            self.on_event(token, readiness);
        }
        self.accept();
        self.serve_ready();
        self.pass_time(now);
        if !self.io.links.is_empty() {
            self.serve_links(now);
        }
        self.tell_lost();
        if let Some(timeout) = self.io.drain_wanted.take() {
            self.begin_drain(timeout);
        }
        Ok(())
    }

    /// Begins to close: what the kernel has accepted is accepted, listeners close, idle
    /// connections get one more read, owed answers carry `Connection: close`. After `timeout`
    /// milliseconds the rest is cut; 0 waits for ever.
    pub fn drain(&mut self, timeout: u64) {
        self.io.drain(timeout);
        if let Some(timeout) = self.io.drain_wanted.take() {
            self.begin_drain(timeout);
        }
    }

    fn begin_drain(&mut self, timeout: u64) {
        self.io.world.clock.refresh();
        // Before anybody else gets their slots.
        self.tell_lost();
        for number in 0..self.listeners.len() {
            while self.accept_one(number) == Accepted::One {}
        }
        self.listeners.clear();
        self.accepting.clear();
        self.drain_deadline = (timeout > 0).then(|| self.io.world.clock.now_ms() + timeout);
        let keys: Vec<Key> = self.io.slots.keys().collect();
        for key in keys {
            if let Some(connection) = self.io.slots.get_mut(key) {
                connection.flags.readable = true;
                self.serve(key);
            }
            if let Some(connection) = self.io.slots.get_mut(key) {
                connection.machine.on_drain();
                self.io.settle(key);
            }
        }
        self.tell_lost();
    }

    /// Whether a drain is complete: no connection is left.
    pub fn is_drained(&self) -> bool {
        self.io.world.draining
            && self.io.drain_wanted.is_none()
            && self.io.slots.len() == 0
            && self.io.lost.is_empty()
    }

    /// How many requests were cut because a drain ran out of time.
    pub fn cut(&self) -> u64 {
        self.cut
    }

    #[inline]
    fn on_event(&mut self, token: Token, readiness: Readiness) {
        match Target::from(token) {
            Target::Slot(key) => self.on_readiness(key, readiness),
            Target::Link(key) => self.on_link_event(key, readiness),
            Target::Listener(number) => self.note_accepting(number as usize),
            Target::Waker => {
                self.on_messages();
                self.on_warm();
            }
        }
    }

    #[inline]
    fn on_readiness(&mut self, key: Key, readiness: Readiness) {
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        let lost = readiness.lost;
        if lost && !connection.wants_bytes() && !connection.flags.lingers {
            connection.cut_by_client();
            return self.io.settle(key);
        }
        if readiness.read_closed || lost {
            connection.flags.fin_coming = true;
        }
        if readiness.readable || readiness.read_closed || lost {
            connection.flags.readable = true;
        }
        let is_ready = std::mem::replace(&mut connection.flags.ready, true);
        if readiness.writable && !connection.outbox.is_empty() {
            self.on_writable(key);
        }
        if !is_ready {
            self.io.ready.push(key);
        }
    }

    fn on_writable(&mut self, key: Key) {
        self.io.flush(key);
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        if connection.flags.starved && connection.outbox.is_empty() {
            connection.flags.starved = false;
            let id = ReplyId::new(key, connection.machine.sequence());
            self.io.serving = Some(key);
            self.app.on_writable(&mut self.io, id);
            self.io.serving = None;
            self.io.write(key, Beside::Nothing);
        }
    }

    /// Gives a connection what its socket and its leftover have, within the budget of a turn.
    fn serve(&mut self, key: Key) {
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        if connection.flags.lingers {
            return self.drop_input(key);
        }
        if connection.outbox.waits_for() == Some(WaitsFor::Turn) {
            self.io.flush(key);
        }
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        let is_hungry = connection.flags.hungry;
        let mut leftover = std::mem::take(&mut connection.leftover);
        let mut buffer = std::mem::take(&mut self.buffer);
        self.io.serving = Some(key);
        let mut budget = Budget { bytes: limits::READ_BUDGET, requests: limits::REQUEST_BUDGET };
        if !leftover.is_empty() || !is_hungry {
            let used = self.feed(key, &leftover, &mut budget);
            leftover.drain(..used);
        }
        while let Some(count) = self.read(key, &mut buffer, &mut budget) {
            if leftover.is_empty() {
                let used = self.feed(key, &buffer[..count], &mut budget);
                if used < count {
                    if leftover.capacity() == 0 {
                        leftover = self.io.pool.take(count - used);
                    }
                    leftover.extend_from_slice(&buffer[used..count]);
                }
            } else {
                leftover.extend_from_slice(&buffer[..count]);
                let used = self.feed(key, &leftover, &mut budget);
                leftover.drain(..used);
            }
        }
        if leftover.is_empty() {
            self.io.pool.give(std::mem::take(&mut leftover));
        }
        self.buffer = buffer;
        if let Some(connection) = self.io.slots.get_mut(key) {
            connection.leftover = leftover;
            self.on_fin(key);
        }
        self.io.write(key, Beside::Nothing);
        self.io.serving = None;
        self.io.settle(key);
    }

    /// Reads once, if the connection wants bytes and its socket may have some.
    fn read(&mut self, key: Key, buffer: &mut [u8], budget: &mut Budget) -> Option<usize> {
        let connection = self.io.slots.get_mut(key)?;
        loop {
            let flags = &mut connection.flags;
            let may_read = flags.readable && !flags.fin && budget.bytes > 0 && budget.requests > 0;
            if !may_read || !connection.wants_bytes() {
                return None;
            }
            let flags = &mut connection.flags;
            let size = if flags.reads_large { buffer.len() } else { limits::READ_SIZE };
            match connection.socket.read(&mut buffer[..size]) {
                Ok(0) => {
                    flags.readable = false;
                    flags.fin = true;
                    return None;
                }
                Ok(count) => {
                    // A short read has emptied the socket, but a FIN makes no further event.
                    flags.readable = count == size || flags.fin_coming;
                    budget.bytes = budget.bytes.saturating_sub(count);
                    self.read_in_turn += count;
                    self.io.counters.bytes_received += count as u64;
                    return Some(count);
                }
                Err(error) if error.kind() == ErrorKind::WouldBlock => {
                    flags.readable = false;
                    return None;
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(_) => {
                    flags.readable = false;
                    connection.cut_by_client();
                    return None;
                }
            }
        }
    }

    /// Lets the machine find events in the input, and hands them up. Says how much was used.
    fn feed(&mut self, key: Key, input: &[u8], budget: &mut Budget) -> usize {
        let mut used = 0;
        while budget.requests > 0 {
            let Some(connection) = self.io.slots.get_mut(key) else {
                return input.len();
            };
            if !connection.wants_bytes() {
                break;
            }
            connection.flags.hungry = false;
            let cx = self.io.world.context();
            let next = connection.machine.next(&input[used..], &mut self.spans, &cx);
            let id = ReplyId::new(key, connection.machine.sequence());
            let base = used;
            match next {
                Ok((count, event)) => {
                    used += count;
                    match event {
                        Event::Paused => break,
                        Event::NeedBytes => {
                            connection.flags.hungry = true;
                            break;
                        }
                        Event::Discarded => {}
                        Event::Request { start, end, body } => {
                            budget.requests -= 1;
                            self.note_request(key, body);
                            let head = Head::of(&input[base + start..base + end], &self.spans);
                            if head.method() == Method::Connect {
                                let _ = self.io.refuse(id, Fault::Connect);
                            } else {
                                self.app.on_request(&mut self.io, id, &head, body);
                            }
                        }
                        Event::Data { start, end } => {
                            let bytes = &input[base + start..base + end];
                            self.app.on_body(&mut self.io, id, bytes);
                        }
                        Event::BodyEnd(trailers) => {
                            self.app.on_body_end(&mut self.io, id, trailers);
                        }
                    }
                }
                Err(fault) => {
                    self.fail(id, fault);
                    return input.len();
                }
            }
        }
        used
    }

    fn note_request(&mut self, key: Key, body: BodyKind) {
        let now_us = self.io.world.clock.now_us();
        self.io.counters.on_request(now_us);
        if let Some(connection) = self.io.slots.get_mut(key) {
            connection.flags.reads_large = matches!(body, BodyKind::Length(length)
                if length > limits::READ_SIZE as u64 && length < limits::READ_BUFFER as u64);
            // What an earlier request left behind isn't about this one.
            (connection.flags.paused, connection.flags.starved) = (false, false);
            connection.handed_up = connection.machine.sequence();
            if connection.unwritten == 0 {
                connection.began_us = now_us;
            }
        }
    }

    /// The request under way ends with an error of the server's own.
    fn fail(&mut self, id: ReplyId, fault: Fault) {
        if let Some(connection) = self.io.slots.get_mut(id.key()) {
            connection.told_gone = Some(id.sequence);
            // A head that was never complete has no beginning to count from but this.
            if connection.handed_up != id.sequence && connection.unwritten == 0 {
                connection.began_us = self.io.world.clock.now_us();
            }
        }
        let reason = if fault.is_timeout() { Gone::Timeout } else { Gone::BadBody };
        self.app.on_gone(&mut self.io, id, reason);
        // Stale only if nothing was owed, and then nothing is to be said.
        let _ = self.io.refuse(id, fault);
    }

    /// The client has closed its side: a request without its answer is told, and once all its
    /// bytes are used the machine decides.
    fn on_fin(&mut self, key: Key) {
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        if !connection.flags.fin_coming && !connection.flags.fin {
            return;
        }
        let id = ReplyId::new(key, connection.machine.sequence());
        // With a paused body nobody knows what lies before the FIN, but the client says no more.
        let is_heard = connection.machine.has_whole_request() || connection.flags.paused;
        let waits = connection.machine.owes_answer() && is_heard;
        if waits && connection.told_closed != Some(id.sequence) {
            connection.told_closed = Some(id.sequence);
            self.app.on_gone(&mut self.io, id, Gone::ClientClosed);
        }
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        // With the budget used up there may be whole requests left in the buffer.
        let is_used_up = connection.wants_bytes() && connection.flags.hungry;
        if connection.flags.fin
            && is_used_up
            && let Err(fault) = connection.machine.on_fin()
        {
            let id = ReplyId::new(key, connection.machine.sequence());
            self.fail(id, fault);
        }
    }

    /// After our side is shut: read and drop, so that the client gets a FIN and no reset.
    fn drop_input(&mut self, key: Key) {
        let Some(connection) = self.io.slots.get_mut(key) else {
            return;
        };
        for _ in 0..limits::READ_BUDGET / limits::READ_BUFFER {
            match connection.socket.read(&mut self.buffer) {
                Ok(0) => {
                    connection.flags.fin = true;
                    break;
                }
                Ok(count) => self.io.counters.bytes_received += count as u64,
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    connection.flags.readable = false;
                    if error.kind() != ErrorKind::WouldBlock {
                        connection.flags.fin = true;
                    }
                    break;
                }
            }
        }
        self.io.pool.give(std::mem::take(&mut connection.leftover));
        self.io.settle(key);
    }

    /// Serves the ready list in its order, within the budget of a turn.
    fn serve_ready(&mut self) {
        // What comes back onto the list waits for the next turn.
        let mut ready = std::mem::take(&mut self.ready);
        std::mem::swap(&mut ready, &mut self.io.ready);
        let mut served = 0;
        while let Some(&key) = ready.get(served)
            && self.read_in_turn < limits::TURN_BUDGET
        {
            served += 1;
            if let Some(connection) = self.io.slots.get_mut(key) {
                connection.flags.ready = false;
                self.serve(key);
            }
        }
        ready.drain(..served);
        if !ready.is_empty() {
            ready.append(&mut self.io.ready);
            std::mem::swap(&mut ready, &mut self.io.ready);
        }
        self.ready = ready;
    }

    fn pass_time(&mut self, now: u64) {
        while let Some(index) = self.io.wheel.pop_due(now) {
            let Some(key) = self.io.slots.key_at(index) else {
                continue;
            };
            let Some(connection) = self.io.slots.get_mut(key) else {
                continue;
            };
            if let Some(fault) = connection.machine.on_time(now) {
                let id = ReplyId::new(key, connection.machine.sequence());
                self.fail(id, fault);
            }
            self.io.settle(key);
        }
        if self.drain_deadline.is_some_and(|deadline| deadline <= now) {
            self.drain_deadline = None;
            let keys: Vec<Key> = self.io.slots.keys().collect();
            for key in keys {
                if let Some(connection) = self.io.slots.get_mut(key) {
                    let machine = &mut connection.machine;
                    let unfinished = machine.owes_answer() || connection.unwritten > 0;
                    self.cut += u64::from(unfinished);
                    if machine.owes_answer() {
                        let id = ReplyId::new(key, machine.sequence());
                        connection.told_gone = Some(id.sequence);
                        self.io.lost.push((id, Gone::Cut));
                    }
                    machine.cut(CloseReason::Cut);
                    self.io.settle(key);
                }
            }
        }
    }

    fn tell_lost(&mut self) {
        while let Some((id, reason)) = self.io.lost.pop() {
            self.app.on_gone(&mut self.io, id, reason);
        }
    }

    /// Files that were cold can be sent on.
    fn on_warm(&mut self) {
        let mut warm = Vec::new();
        self.io.warmer.drain(&mut warm);
        for key in warm {
            if let Some(connection) = self.io.slots.get_mut(key) {
                connection.outbox.on_warm();
                self.serve(key);
            }
        }
    }

    fn on_messages(&mut self) {
        let mut messages = std::mem::take(&mut self.messages);
        self.inbox.drain(&mut messages);
        for message in messages.drain(..) {
            self.app.on_message(&mut self.io, message);
        }
        self.messages = messages;
    }
}

/// What one connection may use up in a turn.
struct Budget {
    bytes: usize,
    requests: usize,
}
