//! What the reactor keeps for each connection.

use super::outbox::{Outbox, WaitsFor};
use super::socket::{Peer, Socket};
use crate::limits;
use crate::proto::CloseReason;
use crate::proto::http1::Http1;

/// A connection: its socket, its machine, and what lies between them.
#[derive(Debug)]
pub(super) struct Connection {
    pub(super) socket: Socket,
    pub(super) machine: Http1,
    pub(super) peer: Peer,
    /// Bytes that were read and can't be used yet: a part of a head, or pipelined requests.
    pub(super) leftover: Vec<u8>,
    pub(super) outbox: Outbox,
    pub(super) flags: Flags,
    /// When the oldest request without a completely written answer began, in microseconds.
    pub(super) began_us: u64,
    /// The request that was last handed up.
    pub(super) handed_up: u32,
    /// Complete answers that aren't completely written.
    pub(super) unwritten: u32,
    /// The request that was told that its client has closed.
    pub(super) told_closed: Option<u32>,
    /// The request that was told that it is over, or that gave up itself.
    pub(super) told_gone: Option<u32>,
}

/// What is known of the socket, and what was decided.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts; a machine decides what they mean
pub(super) struct Flags {
    /// The socket may have bytes: no read since the last event has said otherwise.
    pub(super) readable: bool,
    /// An event said that the peer has closed its side; bytes may come before that.
    pub(super) fin_coming: bool,
    /// The FIN was read.
    pub(super) fin: bool,
    /// Writable events are asked for.
    pub(super) watches_writable: bool,
    /// Our side is shut; what comes is dropped.
    pub(super) lingers: bool,
    /// The leftover isn't enough for an event: only more bytes help.
    pub(super) hungry: bool,
    /// The last request would have fitted one large read.
    pub(super) reads_large: bool,
    /// The body isn't wanted now.
    pub(super) paused: bool,
    /// The giver of a body waits for room.
    pub(super) starved: bool,
    /// The kernel was told to keep little of what it can't send yet.
    pub(super) streams: bool,
    /// On the ready list.
    pub(super) ready: bool,
}

impl Connection {
    pub(super) fn new(socket: Socket, peer: Peer, machine: Http1) -> Self {
        Connection {
            socket,
            machine,
            peer,
            leftover: Vec::new(),
            outbox: Outbox::default(),
            flags: Flags { hungry: true, ..Flags::default() },
            began_us: 0,
            handed_up: 0,
            unwritten: 0,
            told_closed: None,
            told_gone: None,
        }
    }

    /// A body begins that comes in parts, as the client takes them. What the kernel holds beyond
    /// that was made for nobody yet.
    pub(super) fn begin_stream(&mut self) {
        if !std::mem::replace(&mut self.flags.streams, true) {
            self.socket.limit_unsent(limits::UNSENT);
        }
    }

    /// The client has reset or left for good.
    pub(super) fn cut_by_client(&mut self) {
        let idle = self.machine.is_idle() && self.outbox.is_empty();
        self.machine.cut(if idle { CloseReason::Client } else { CloseReason::ClientAborted });
    }

    /// Whether bytes may be given to the machine now. While a client doesn't take its answers, no
    /// new request of it is begun; while a body isn't wanted, none of it is read.
    pub(super) fn wants_bytes(&self) -> bool {
        let machine = &self.machine;
        let blocked = machine.is_idle() && !self.outbox.is_empty();
        let unwanted = self.flags.paused && machine.is_in_body();
        machine.wants_bytes() && !blocked && !unwanted
    }

    /// Whether a turn can do something for it without a new event.
    pub(super) fn can_go_on(&self) -> bool {
        let leftover = !self.leftover.is_empty() && !self.flags.hungry;
        let input = leftover || self.flags.readable || self.flags.fin;
        let has_input = input && (self.flags.lingers || self.wants_bytes());
        has_input || self.outbox.waits_for() == Some(WaitsFor::Turn)
    }
}
