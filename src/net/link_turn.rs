//! How a turn serves outgoing connections: readiness, reading, time, the end.

use std::io::{ErrorKind, Read};

use super::socket::Readiness;

use super::app::App;
use super::link::{LinkEnd, LinkId};
use super::reactor::Reactor;
use super::slots::Key;
use crate::limits;

impl<A: App> Reactor<A> {
    #[inline(never)]
    pub(super) fn on_link_event(&mut self, key: Key, readiness: Readiness) {
        let Some(link) = self.io.links.slots.get_mut(key) else {
            return;
        };
        if link.flags.connecting {
            match link.socket.is_connected() {
                Ok(false) => return,
                Err(_) => return self.end_link(key, LinkEnd::Refused),
                Ok(true) => link.flags.connecting = false,
            }
            self.app.on_connected(&mut self.io, LinkId(key));
        }
        let Some(link) = self.io.links.slots.get_mut(key) else {
            return;
        };
        let closed = readiness.read_closed || readiness.lost;
        link.flags.fin_coming |= closed;
        let readable = closed || readiness.readable;
        link.flags.readable |= readable;
        if readiness.writable && !link.outbox.is_empty() && self.io.flush_link(key) {
            self.app.on_link_writable(&mut self.io, LinkId(key));
        }
        if readable {
            self.io.links.push_ready(key);
        }
    }

    /// Serves the links that can go on, in their order and within a budget of their own, and lets
    /// their time pass. Not inlined: a turn without links shall be what it would be without this
    /// file.
    #[inline(never)]
    pub(super) fn serve_links(&mut self, now: u64) {
        // What comes back onto the list waits for the next turn.
        let mut ready = std::mem::take(&mut self.io.links.ready);
        let (mut served, mut read) = (0, 0);
        while let Some(&key) = ready.get(served)
            && read < limits::TURN_BUDGET
        {
            served += 1;
            if let Some(link) = self.io.links.slots.get_mut(key) {
                link.flags.ready = false;
                read += self.serve_link(key);
            }
        }
        ready.drain(..served);
        ready.append(&mut self.io.links.ready);
        self.io.links.ready = ready;
        self.pass_link_time(now);
    }

    /// Hands up what a link has, within the budget of a turn. Says how much was read.
    fn serve_link(&mut self, key: Key) -> usize {
        let id = LinkId(key);
        let Some(link) = self.io.links.slots.get_mut(key) else {
            return 0;
        };
        let is_paused = link.flags.paused;
        let mut leftover = std::mem::take(&mut link.leftover);
        let mut buffer = std::mem::take(&mut self.buffer);
        let mut read = 0;
        if !leftover.is_empty() && !is_paused {
            let used = self.app.on_bytes(&mut self.io, id, &leftover);
            leftover.drain(..used);
        }
        while let Some(count) = self.read_link(key, &mut buffer, read) {
            read += count;
            if leftover.is_empty() {
                let used = self.app.on_bytes(&mut self.io, id, &buffer[..count]);
                if used < count {
                    leftover = self.io.pool.take(count - used);
                    leftover.extend_from_slice(&buffer[used..count]);
                }
            } else {
                leftover.extend_from_slice(&buffer[..count]);
                let used = self.app.on_bytes(&mut self.io, id, &leftover);
                leftover.drain(..used);
            }
        }
        self.buffer = buffer;
        if leftover.is_empty() {
            self.io.pool.give(std::mem::take(&mut leftover));
        }
        let Some(link) = self.io.links.slots.get_mut(key) else {
            return read;
        };
        link.leftover = leftover;
        if !link.flags.paused {
            if let Some(end) = link.flags.ended {
                self.end_link(key, end);
            } else if link.flags.readable {
                self.io.links.push_ready(key);
            }
        }
        read
    }

    /// Reads once, if bytes are wanted and the socket may have some.
    fn read_link(&mut self, key: Key, buffer: &mut [u8], read: usize) -> Option<usize> {
        let link = self.io.links.slots.get_mut(key)?;
        let flags = &mut link.flags;
        while flags.readable && !flags.paused && read < limits::READ_BUDGET {
            match link.socket.read(&mut buffer[..limits::READ_SIZE]) {
                Ok(0) => {
                    flags.readable = false;
                    flags.ended = Some(LinkEnd::Closed);
                }
                Ok(count) => {
                    // A short read has emptied the socket, but a FIN makes no further event.
                    let is_full = count == limits::READ_SIZE;
                    flags.readable = is_full || flags.fin_coming || flags.unwritable;
                    return Some(count);
                }
                Err(error) if error.kind() == ErrorKind::Interrupted => {}
                Err(error) => {
                    flags.readable = false;
                    if error.kind() != ErrorKind::WouldBlock || flags.unwritable {
                        flags.ended = Some(LinkEnd::Lost);
                    }
                }
            }
        }
        None
    }

    fn pass_link_time(&mut self, now: u64) {
        while let Some(index) = self.io.links.wheel.pop_due(now) {
            let Some(key) = self.io.links.slots.key_at(index) else {
                continue;
            };
            let Some(link) = self.io.links.slots.get_mut(key) else {
                continue;
            };
            let deadline = link.deadline;
            if deadline <= now {
                self.end_link(key, LinkEnd::Timeout);
            } else if deadline != u64::MAX {
                self.io.links.wheel.schedule(index, deadline);
            }
        }
    }

    fn end_link(&mut self, key: Key, end: LinkEnd) {
        self.io.remove_link(key);
        self.app.on_link_end(&mut self.io, LinkId(key), end);
    }
}
