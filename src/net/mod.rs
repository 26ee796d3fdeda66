//! The reactor: sockets, readiness, time. The sole user of mio, of sockets and of the clock.
//!
//! One thread, one [`Reactor`]. A turn polls once, reads, lets the machines of [`crate::proto`]
//! say what happened, hands it up to an [`App`], and writes what that gives back. The rules of
//! edge-triggered polling are kept here and nowhere else:
//!
//! - an event is a hint: it sets a flag, and reading goes on until the socket says it is empty;
//! - a read that filled less than its buffer has emptied the socket, unless a read-closed event
//!   came: then the FIN is read, too;
//! - what isn't finished within a turn's budget, or can go on because an answer is complete, is
//!   put on the ready list, and a turn with a ready list doesn't wait.
//!
//! An app may open connections of its own ([`Io::connect`]): links, which carry bytes and have slots
//! and time limits beside those of the clients.
//!
//! This room may use [`crate::proto`], [`crate::wire`] and [`crate::limits`]. It knows nothing of
//! handlers, of what a request means, or of JavaScript.

mod accept;
mod app;
mod clock;
mod connection;
mod counters;
pub(crate) mod disk;
mod io;
mod link;
mod link_turn;
mod listener;
mod mailbox;
mod outbox;
mod piece;
mod pool;
mod reactor;
#[cfg(test)]
pub(crate) mod simulated;
mod slots;
mod socket;
mod sys;
mod tend;
mod timers;
mod warmer;

pub use app::{App, Gone};
pub use counters::Counters;
pub use io::{Credit, Io, ReplyError, Settings};
pub use link::{LinkEnd, LinkId};
pub use listener::ListenAddress;
pub use mailbox::Mailbox;
pub use piece::{FileSpan, Piece};
pub use reactor::Reactor;
pub use slots::ReplyId;
pub use socket::Peer;
