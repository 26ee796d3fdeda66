//! The seam for the simulation: a network and a clock that a test has made up take the place of the
//! kernel's, under the same reactor.
//!
//! Compiled for tests only; a release has no trace of it. What such a network does to its
//! connections, and when, is decided in `tests/simulation/`, and nothing of that is known here.

use std::cell::Cell;
use std::fmt::Debug;
use std::io::{self, IoSlice};
use std::net::SocketAddr;
use std::rc::Rc;

use mio::event::Source;
use mio::{Interest, Token};

use super::app::App;
use super::connection::Connection;
use super::io::Io;
use super::listener::Listener;
use super::reactor::Reactor;
use super::slots::Target;
pub(crate) use super::socket::Readiness;
use super::timers::Wheel;

/// The server's end of a connection. It keeps the kernel's promises: a read that fills less than
/// its buffer has emptied the socket, and what comes after that makes an event.
pub(crate) trait Wire: Debug + Source {
    /// As `recv` of a non-blocking socket.
    fn receive(&mut self, buffer: &mut [u8]) -> io::Result<usize>;
    /// As `send`, of several parts.
    fn transmit(&mut self, parts: &[IoSlice<'_>]) -> io::Result<usize>;
    /// Sends a FIN behind what was sent.
    fn shutdown_write(&self) -> io::Result<()>;
    /// The drop to come is a reset.
    fn reset_on_close(&self);
}

/// Where connections wait to be accepted.
pub(crate) trait Door: Debug + Source {
    /// As `accept` of a non-blocking socket.
    fn accept(&self) -> io::Result<(Box<dyn Wire>, SocketAddr)>;
}

/// The poll of a made-up network.
pub(crate) trait Network: Debug {
    /// What has happened since the last call.
    fn events(&self) -> Vec<(Token, Readiness)>;
}

impl Io {
    pub(super) fn simulated_events(&self) -> Vec<(Token, Readiness)> {
        self.network.as_ref().map(|network| network.events()).unwrap_or_default()
    }
}

impl<A: App> Reactor<A> {
    /// Serves a made-up network by a clock that stands at the microsecond in `wall`. To be called
    /// before anything else.
    pub(crate) fn simulate(
        &mut self,
        network: Rc<dyn Network>,
        door: Box<dyn Door>,
        wall: &Rc<Cell<u64>>,
    ) -> io::Result<()> {
        let mut listener = Listener::simulated(door);
        let token = Target::Listener(self.listeners.len() as u8).into();
        self.io.poll.registry().register(&mut listener, token, Interest::READABLE)?;
        self.listeners.push(Some(listener));
        self.io.network = Some(network);
        self.io.world.clock.simulated = Some(Rc::clone(wall));
        self.io.world.clock.refresh();
        self.io.wheel = Wheel::new(self.io.world.clock.now_ms());
        Ok(())
    }

    /// Looks for what must never be between two turns: a connection that could go on and isn't
    /// waited for, a deadline that nobody watches. Says what it finds.
    pub(crate) fn audit(&self) -> Result<Holdings, String> {
        let io = &self.io;
        for key in io.slots.keys() {
            let connection = io.slots.get(key).ok_or("a key without a connection")?;
            let listed = io.ready.contains(&key);
            if connection.flags.ready != listed {
                return Err(format!(
                    "{key:?} is on the ready list: {listed}, and thinks otherwise"
                ));
            }
            if connection.can_go_on() && !listed {
                return Err(format!("{key:?} could go on, and is on no list: {connection:?}"));
            }
            let watched = io.wheel.due_of(key.index);
            if let Some(deadline) = connection.machine.deadline()
                && watched.is_none_or(|due| due > Wheel::round_up(deadline))
            {
                return Err(format!("{key:?} is due at {deadline}, but watched for {watched:?}"));
            }
            let waits = !connection.outbox.is_empty();
            if waits && !connection.flags.watches_writable {
                return Err(format!("{key:?} has unsent bytes, and watches for no room"));
            }
        }
        let memory = |connection: &Connection| connection.outbox.held() + connection.leftover.len();
        Ok(Holdings {
            accepted: io.counters.accepted,
            connections: io.slots.len(),
            timers: io.wheel.pending(),
            ready: io.ready.iter().filter(|key| io.slots.get(**key).is_some()).count(),
            lost: io.lost.len(),
            corked: io.cork.len(),
            bytes: io.slots.iter().map(memory).sum(),
            lent: io.pool.lent,
        })
    }
}

/// What a reactor has between two turns.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) struct Holdings {
    /// Connections since the beginning.
    pub(crate) accepted: u64,
    pub(crate) connections: usize,
    /// Slots whose deadline is watched.
    pub(crate) timers: usize,
    pub(crate) ready: usize,
    /// Requests that are gone, of which the room above wasn't told.
    pub(crate) lost: usize,
    pub(crate) corked: usize,
    /// Bytes of connections, received or to be sent.
    pub(crate) bytes: usize,
    /// Buffers of the pool that weren't given back, less those that came from elsewhere.
    pub(crate) lent: i64,
}
