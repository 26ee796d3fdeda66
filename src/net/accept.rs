//! How a [`Reactor`] comes to its connections: it listens, and accepts within the budget of a turn.

use std::io::{self, ErrorKind};

use mio::Interest;

use super::app::App;
use super::listener::{ListenAddress, Listener};
use super::reactor::Reactor;
use super::slots::Target;
use super::sys::{AcceptError, ListenOptions};
use super::tend::Accepted;
use crate::limits;

impl<A: App> Reactor<A> {
    /// Binds and begins to accept; gives the address that it got.
    pub fn listen(
        &mut self,
        address: &ListenAddress,
        reuse_port: bool,
        backlog: u32,
    ) -> io::Result<ListenAddress> {
        let options = ListenOptions { backlog, reuse_port, v6_only: false };
        let mut listener = Listener::bind(address, options)?;
        let number = self.listeners.len();
        let token = u8::try_from(number).ok().filter(|&number| number < Target::LISTENERS);
        let token = token.ok_or(ErrorKind::QuotaExceeded)?;
        let registry = self.io.poll.registry();
        registry.register(&mut listener, Target::Listener(token).into(), Interest::READABLE)?;
        let address = listener.address().clone();
        self.listeners.push(Some(listener));
        Ok(address)
    }

    pub(super) fn note_accepting(&mut self, number: usize) {
        if !self.accepting.contains(&number) {
            self.accepting.push(number);
        }
    }

    pub(super) fn has_room(&self) -> bool {
        let max = self.io.world.settings.max_connections;
        max == 0 || self.io.slots.len() < max
    }

    /// Accepts within the turn's budget. Without room, or without descriptors, the listener stays
    /// on the list and the kernel's backlog holds the clients.
    pub(super) fn accept(&mut self) {
        if self.accepting.is_empty() || self.io.world.clock.now_ms() < self.accept_after_ms {
            return;
        }
        let mut budget = limits::ACCEPT_BUDGET;
        let mut at = 0;
        while at < self.accepting.len() && budget > 0 && self.has_room() {
            budget -= 1;
            match self.accept_one(self.accepting[at]) {
                Accepted::One => {}
                Accepted::None => {
                    self.accepting.swap_remove(at);
                }
                Accepted::Pause => {
                    self.accept_after_ms = self.io.world.clock.now_ms() + limits::ACCEPT_PAUSE;
                    at += 1;
                }
            }
        }
    }

    pub(super) fn accept_one(&mut self, number: usize) -> Accepted {
        let Some(Some(listener)) = self.listeners.get(number) else {
            return Accepted::None;
        };
        let (socket, peer) = match listener.accept() {
            Ok(accepted) => accepted,
            Err(error) => match AcceptError::of(&error) {
                AcceptError::Empty => return Accepted::None,
                AcceptError::Retry => return Accepted::One,
                AcceptError::OutOfDescriptors => return Accepted::Pause,
                AcceptError::Fatal => {
                    self.listeners[number] = None;
                    return Accepted::None;
                }
            },
        };
        self.io.adopt(socket, peer)
    }
}
