//! What [`Io`] does for a connection between the room above and the socket: take it in, write, see
//! what its state asks for, let it go.

use std::collections::VecDeque;
use std::io;
use std::os::unix::fs::FileExt;

use mio::Interest;

use super::app::Gone;
use super::connection::Connection;
use super::disk::{self, Cached};
use super::io::Io;
use super::piece::{FileSpan, Piece};
use super::slots::{Key, ReplyId, Target};
use super::socket::{Peer, Socket};
use crate::limits;
use crate::proto::CloseReason;
use crate::proto::http1::{Closing, Http1};

impl Io {
    /// Takes a fresh connection in.
    pub(super) fn adopt(&mut self, socket: Socket, peer: Peer) -> Accepted {
        let machine = Http1::new(&self.world.context());
        let key = self.slots.insert(Connection::new(socket, peer, machine));
        let Some(connection) = self.slots.get_mut(key) else {
            return Accepted::None;
        };
        let token = Target::Slot(key).into();
        let registry = self.poll.registry();
        if registry.register(&mut connection.socket, token, Interest::READABLE).is_err() {
            self.slots.remove(key);
            return Accepted::Pause;
        }
        self.counters.accepted += 1;
        self.settle(key);
        Accepted::One
    }

    /// Writes the cork and a body beside it.
    pub(super) fn write(&mut self, key: Key, beside: Beside<'_>) {
        let Some(connection) = self.slots.get_mut(key) else {
            self.cork.clear();
            return;
        };
        let is_empty = self.cork.is_empty() && matches!(beside, Beside::Nothing);
        // An answer may end without a byte of its own: its books are still to be closed.
        if is_empty && (connection.unwritten == 0 || !connection.outbox.is_empty()) {
            return;
        }
        let (socket, outbox) = (&mut connection.socket, &mut connection.outbox);
        let written = match beside {
            Beside::Nothing => outbox.write(socket, &mut self.pool, [&self.cork, b"", b""]),
            Beside::Borrowed(body) => outbox.write(socket, &mut self.pool, [&self.cork, body, b""]),
            Beside::Framed(part, behind) => {
                outbox.write(socket, &mut self.pool, [&self.cork, part, behind])
            }
            Beside::Owned(body) => outbox.write_owned(socket, &mut self.pool, &self.cork, body),
            Beside::Pieces(pieces) => {
                outbox.write_pieces(socket, &mut self.pool, &self.cork, pieces)
            }
        };
        self.cork.clear();
        // Something outgrew it; it stays small for the rest.
        if self.cork.capacity() > 2 * limits::CORK {
            self.cork.shrink_to(limits::CORK);
        }
        self.on_written(key, &written);
    }

    /// Moves what is small and at hand behind the head: one write for all costs less than a second
    /// system call.
    pub(super) fn cork_small_pieces(&mut self, pieces: &mut VecDeque<Piece>) {
        while let Some(piece) = pieces.front() {
            let length = piece.length() as usize;
            let is_full = self.cork.len() >= limits::CORK_FLUSH && length > 0;
            if is_full || length >= limits::WRITE_BESIDE {
                return;
            }
            match piece {
                Piece::Bytes(bytes) => self.cork.extend_from_slice(bytes),
                Piece::File(span) => {
                    let start = self.cork.len();
                    self.cork.resize(start + length, 0);
                    // It has grown behind `start`.
                    if !read_small(span, &mut self.cork[start..]) {
                        return self.cork.truncate(start);
                    }
                }
            }
            pieces.pop_front();
        }
    }

    /// Writes on what waits in the outbox.
    pub(super) fn flush(&mut self, key: Key) {
        if let Some(connection) = self.slots.get_mut(key) {
            let written = connection.outbox.flush(&mut connection.socket, &mut self.pool);
            self.on_written(key, &written);
        }
    }

    /// Accounts for what the kernel took, and watches for room where it didn't take all.
    fn on_written(&mut self, key: Key, written: &io::Result<usize>) {
        let Some(connection) = self.slots.get_mut(key) else {
            return;
        };
        let taken = match written {
            Ok(taken) => *taken,
            Err(error) => {
                connection.outbox.clear(&mut self.pool);
                connection.machine.cut(match error.kind() {
                    // A file that has become shorter is no fault of the client's.
                    io::ErrorKind::UnexpectedEof => CloseReason::HandlerAborted,
                    _ => CloseReason::ClientAborted,
                });
                return;
            }
        };
        self.counters.bytes_sent += taken as u64;
        self.world.clock.refresh();
        if connection.outbox.is_empty() {
            connection.machine.on_sent(&self.world.context());
            let answers = std::mem::take(&mut connection.unwritten);
            if answers > 0 {
                let latency = self.world.clock.now_us().saturating_sub(connection.began_us);
                self.counters.on_answered(latency, answers);
            }
            return;
        }
        connection.machine.on_send_blocked(taken as u64, &self.world.context());
        if let Some(span) = connection.outbox.take_cold() {
            self.warmer.warm(key, &span);
        }
        if !connection.flags.watches_writable {
            connection.flags.watches_writable = true;
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            if registry
                .reregister(&mut connection.socket, Target::Slot(key).into(), interest)
                .is_err()
            {
                connection.machine.cut(CloseReason::ClientAborted);
            }
        }
    }

    /// Does what the connection's state asks for now that nothing is being done with it: close
    /// it, shut it, wait for time or for a place in the next turn.
    pub(super) fn settle(&mut self, key: Key) {
        let Some(connection) = self.slots.get_mut(key) else {
            return;
        };
        match connection.machine.closing() {
            Some(Closing::Cut(reason)) => {
                if connection.machine.ends_by_close() {
                    connection.socket.reset_on_close();
                }
                return self.remove(key, reason);
            }
            Some(Closing::Shut(reason)) if connection.outbox.is_empty() => {
                let flags = &mut connection.flags;
                // Nothing unread can turn our close into a reset over the answer.
                let quiet = connection.leftover.is_empty() && !flags.readable;
                let whole = connection.machine.has_whole_request();
                let expected = connection.machine.was_asked_to_close();
                let at_once = reason == CloseReason::Answered && expected && whole && quiet;
                if flags.fin || at_once {
                    return self.remove(key, reason);
                }
                if !flags.lingers {
                    flags.lingers = true;
                    if connection.socket.shutdown_write().is_err() {
                        return self.remove(key, reason);
                    }
                    connection.machine.on_linger(self.world.clock.now_ms());
                }
            }
            _ => {}
        }
        if let Some(deadline) = connection.machine.deadline() {
            self.wheel.schedule(key.index, deadline);
        }
        if connection.can_go_on() && !connection.flags.ready {
            connection.flags.ready = true;
            self.ready.push(key);
        }
    }

    fn remove(&mut self, key: Key, reason: CloseReason) {
        let Some(mut connection) = self.slots.remove(key) else {
            return;
        };
        self.wheel.cancel(key.index);
        // Closing the socket, which its drop does, takes it out of the poll, too.
        let id = ReplyId::new(key, connection.machine.sequence());
        if connection.machine.owes_answer() && connection.told_gone != Some(id.sequence) {
            self.lost.push((id, Gone::Lost));
        }
        connection.outbox.clear(&mut self.pool);
        self.pool.give(std::mem::take(&mut connection.leftover));
        self.counters.on_close(reason);
    }
}

/// Reads a small span as a whole, unless it is known that the disk would be waited for.
fn read_small(span: &FileSpan, buffer: &mut [u8]) -> bool {
    match disk::read_cached(&span.file, buffer, span.start) {
        Ok(Cached::Read(count)) => count == buffer.len(),
        Ok(Cached::Unknown) => span.file.read_exact_at(buffer, span.start).is_ok(),
        Ok(Cached::Nothing) => buffer.is_empty(),
        Err(_) => false,
    }
}

/// What came of an attempt to accept.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Accepted {
    /// One, or one that was gone already.
    One,
    /// Nobody waits.
    None,
    /// Nobody can be accepted for now.
    Pause,
}

/// A body that is written beside the cork.
pub(super) enum Beside<'b> {
    Nothing,
    Borrowed(&'b [u8]),
    /// And what goes behind it.
    Framed(&'b [u8], &'static [u8]),
    Owned(Vec<u8>),
    Pieces(VecDeque<Piece>),
}
