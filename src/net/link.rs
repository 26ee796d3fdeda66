//! Outgoing connections: what the room above can do with them.
//!
//! A link is a stream of bytes to somebody who listens elsewhere; what the bytes mean is for the app,
//! with [`crate::proto::client`] or without. Links have slots and a timer wheel of their own, so that
//! accepted connections pay nothing for them. How a turn serves them is in `link_turn`.
//!
//! No method here calls an [`super::App`]: what went wrong is told by the next turn.

use std::io;

use mio::Interest;

use super::io::{Credit, Io};
use super::listener::ListenAddress;
use super::outbox::Outbox;
use super::slots::{Key, Slots, Target};
use super::socket::Socket;
use super::timers::Wheel;
use crate::limits;

/// The name of one outgoing connection. It may be kept for as long as one likes: once the connection
/// is gone it names nothing.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub struct LinkId(pub(super) Key);

impl LinkId {
    /// A small number that no other open link has, for tables. It is used again afterwards.
    pub fn slot(self) -> usize {
        self.0.index as usize
    }
}

/// How an outgoing connection ended. Its name is stale by then.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Hash)]
pub enum LinkEnd {
    /// It never came about: nobody listens there, or there is no way.
    Refused,
    /// The peer has closed its side, and everything that it sent before was handed over.
    Closed,
    /// It was reset, or the network failed.
    Lost,
    /// The time that was set by [`Io::set_link_timeout`] is over.
    Timeout,
}

const NEVER: u64 = u64::MAX;

/// An outgoing connection.
#[derive(Debug)]
pub(super) struct Link {
    pub(super) socket: Socket,
    pub(super) outbox: Outbox,
    /// Bytes that were read and that the app can't use yet.
    pub(super) leftover: Vec<u8>,
    pub(super) deadline: u64,
    pub(super) flags: LinkFlags,
}

/// What is known of a link's socket, and what was decided.
#[derive(Clone, Copy, Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts
pub(super) struct LinkFlags {
    /// The connection hasn't come about yet.
    pub(super) connecting: bool,
    /// The socket may have bytes: no read since the last event has said otherwise.
    pub(super) readable: bool,
    /// An event said that the peer has closed its side.
    pub(super) fin_coming: bool,
    /// The FIN, or the error that stands for it, was read.
    pub(super) ended: Option<LinkEnd>,
    /// Nothing can be sent any more; what came before may still be read.
    pub(super) unwritable: bool,
    /// The app doesn't want bytes now.
    pub(super) paused: bool,
    /// The app waits for room.
    pub(super) starved: bool,
    /// On the ready list.
    pub(super) ready: bool,
}

/// All links of a reactor.
#[derive(Debug)]
pub(super) struct Links {
    pub(super) slots: Slots<Link>,
    pub(super) wheel: Wheel,
    pub(super) ready: Vec<Key>,
}

impl Links {
    pub(super) fn new(now_ms: u64) -> Self {
        Links { slots: Slots::new(), wheel: Wheel::new(now_ms), ready: Vec::new() }
    }

    pub(super) fn is_empty(&self) -> bool {
        self.slots.len() == 0
    }

    pub(super) fn next_deadline(&self) -> Option<u64> {
        self.wheel.next_deadline()
    }

    pub(super) fn push_ready(&mut self, key: Key) {
        if let Some(link) = self.slots.get_mut(key)
            && !std::mem::replace(&mut link.flags.ready, true)
        {
            self.ready.push(key);
        }
    }
}

impl Io {
    /// Begins to connect to an address. What is sent before the connection has come about waits.
    ///
    /// There is no time limit but the system's, which is minutes: set one with
    /// [`Io::set_link_timeout`]. Links don't count among the connections of a server.
    pub fn connect(&mut self, address: &ListenAddress) -> io::Result<LinkId> {
        let socket = Socket::connect(address)?;
        let key = self.links.slots.insert(Link {
            socket,
            outbox: Outbox::default(),
            leftover: Vec::new(),
            deadline: NEVER,
            flags: LinkFlags { connecting: true, ..LinkFlags::default() },
        });
        if let Some(link) = self.links.slots.get_mut(key) {
            // Edge-triggered: an interest in writing costs nothing while there is room.
            let interest = Interest::READABLE | Interest::WRITABLE;
            let registry = self.poll.registry();
            let token = Target::Link(key).into();
            if let Err(error) = registry.register(&mut link.socket, token, interest) {
                self.links.slots.remove(key);
                return Err(error);
            }
        }
        Ok(LinkId(key))
    }

    /// Sends the parts, in their order and as one write where the kernel takes it. What it doesn't
    /// take is copied and sent later; [`Credit::Wait`] asks to send no more until
    /// [`super::App::on_link_writable`]. `None` is a link that is gone.
    pub fn send(&mut self, id: LinkId, parts: [&[u8]; 3]) -> Option<Credit> {
        let link = self.links.slots.get_mut(id.0)?;
        if link.flags.unwritable {
            return Some(Credit::Go);
        }
        if link.flags.connecting {
            for part in parts {
                link.outbox.keep(&mut self.pool, part);
            }
        } else if link.outbox.write(&mut link.socket, &mut self.pool, parts).is_err() {
            self.on_link_unwritable(id.0);
            return Some(Credit::Go);
        }
        link.flags.starved = link.outbox.held() > limits::HIGH_WATER;
        Some(if link.flags.starved { Credit::Wait } else { Credit::Go })
    }

    /// Stops reading from a link until [`Io::resume_link`]; the peer feels it when the kernel's
    /// window is full. The end of the connection isn't noticed meanwhile.
    pub fn pause_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.slots.get_mut(id.0) {
            link.flags.paused = true;
        }
    }

    /// Reads on from a link, beginning with the bytes that were left unused.
    pub fn resume_link(&mut self, id: LinkId) {
        if let Some(link) = self.links.slots.get_mut(id.0)
            && std::mem::take(&mut link.flags.paused)
        {
            self.links.push_ready(id.0);
        }
    }

    /// Gives a link this many milliseconds from now; then it is closed and [`LinkEnd::Timeout`] is
    /// told. Each call replaces the time before; 0 is for ever. Late by up to 64 ms.
    pub fn set_link_timeout(&mut self, id: LinkId, timeout: u64) {
        let now = self.world.clock.now_ms();
        if let Some(link) = self.links.slots.get_mut(id.0) {
            link.deadline = if timeout == 0 { NEVER } else { now.saturating_add(timeout) };
            if timeout != 0 {
                self.links.wheel.schedule(id.0.index, link.deadline);
            }
        }
    }

    /// Closes a link at once. What waits to be sent is dropped, and nothing is told.
    pub fn close_link(&mut self, id: LinkId) {
        self.remove_link(id.0);
    }

    /// Open outgoing connections, with those that are being made.
    pub fn links(&self) -> usize {
        self.links.slots.len()
    }

    /// Bytes that wait because peers of links don't take them, or that were read and not used.
    pub fn link_bytes(&self) -> usize {
        self.links.slots.iter().map(|link| link.outbox.held() + link.leftover.len()).sum()
    }

    /// Writes on what waits. Says whether the app, which waited, may go on.
    pub(super) fn flush_link(&mut self, key: Key) -> bool {
        let Some(link) = self.links.slots.get_mut(key) else {
            return false;
        };
        if link.outbox.flush(&mut link.socket, &mut self.pool).is_err() {
            self.on_link_unwritable(key);
            return false;
        }
        link.outbox.is_empty() && std::mem::take(&mut link.flags.starved)
    }

    /// A write failed. The peer may have answered before it closed, so reading goes on to the end.
    fn on_link_unwritable(&mut self, key: Key) {
        if let Some(link) = self.links.slots.get_mut(key) {
            link.outbox.clear(&mut self.pool);
            link.flags.unwritable = true;
            link.flags.starved = false;
            link.flags.readable = true;
            self.links.push_ready(key);
        }
    }

    pub(super) fn remove_link(&mut self, key: Key) {
        if let Some(mut link) = self.links.slots.remove(key) {
            self.links.wheel.cancel(key.index);
            link.outbox.clear(&mut self.pool);
            self.pool.give(std::mem::take(&mut link.leftover));
        }
    }
}
