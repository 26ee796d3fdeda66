//! A network in memory, its clock and its faults. It keeps the promises of the kernel's sockets and
//! of an edge-triggered poll, and no more than these:
//!
//! - bytes arrive in their order, in parts of any size, after any time;
//! - what arrives makes an event, and so does room after a full socket; an event may also come for
//!   nothing, and says what is true when it is fetched;
//! - a read that fills less than its buffer has emptied the socket;
//! - any call may be interrupted, take less than it could, or say that it would block; then an event
//!   follows;
//! - a close over unread bytes is a reset, and a reset takes away what wasn't delivered.
//!
//! It must not know HTTP, nor who speaks.

mod sockets;

use std::cell::{Cell, RefCell};
use std::cmp::Reverse;
use std::collections::{BinaryHeap, VecDeque};
use std::rc::Rc;

use mio::Token;

use super::random::Random;
pub(super) use sockets::{FrontDoor, Poll};

/// What may happen, by the order of its time.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Happening {
    /// The server's loop wakes up; older plans for that are void.
    Turn(u64),
    /// A client reaches the server's door.
    Connect(usize),
    /// Something of a client's arrives at the server.
    Arrive(usize),
    /// Something of the server's arrives at a client.
    Deliver(usize),
    /// A server's socket makes an event for whatever is true of it.
    Nudge(usize),
    /// Nobody is left who would send on what a client had sent before it left.
    Orphan(usize),
    /// A client looks around.
    Client(usize),
    /// A handler has something to do for one of its requests.
    Task(usize),
    /// The server is told to close.
    Close,
}

/// How long a kernel tries to send for a process that has closed its socket, in microseconds.
const ORPHANED: u64 = 60_000_000;

/// How unkind this network is, each in a thousand calls.
#[derive(Clone, Copy, Debug, Default)]
pub(super) struct Faults {
    pub(super) interrupted: u64,
    pub(super) would_block: u64,
    pub(super) short_write: u64,
    pub(super) spurious: u64,
    pub(super) accept: u64,
    /// A connection that isn't accepted may be gone for good.
    pub(super) refuses: bool,
    /// A reset takes away what its receiver hasn't read.
    pub(super) reset_discards: bool,
    /// Bytes that a socket takes of the server's, beyond those that the client has read.
    pub(super) room: usize,
    /// Bytes that a socket holds for the server.
    pub(super) window: usize,
    /// Longest way of a segment, in microseconds.
    pub(super) latency: u64,
}

#[derive(Clone, Debug)]
pub(super) enum Segment {
    Bytes(Vec<u8>),
    Fin,
    Reset,
}

impl Segment {
    fn is_reset(&self) -> bool {
        matches!(self, Segment::Reset)
    }
}

/// One connection: what is under way in each direction, and what both ends have done.
#[derive(Debug, Default)]
#[allow(clippy::struct_excessive_bools)] // independent facts of a socket
pub(super) struct Link {
    token: Option<Token>,
    watches_writable: bool,
    has_event: bool,
    to_server: VecDeque<Segment>,
    /// How many of these are there, and wait for room.
    arrived: usize,
    inbox: VecDeque<u8>,
    has_fin: bool,
    is_reset: bool,
    /// The reset was reported once.
    told_reset: bool,
    /// Nothing arrives before this.
    arrives_after: u64,
    to_client: VecDeque<Segment>,
    /// What the client can read.
    pub(super) mail: Vec<u8>,
    pub(super) mail_fin: bool,
    pub(super) mail_reset: bool,
    delivered_after: u64,
    /// Bytes on their way to the client or unread by it.
    taken: usize,
    /// A write found no room since the last event.
    wants_room: bool,
    sent_fin: bool,
    will_reset: bool,
    /// The server has let go of it.
    pub(super) is_closed: bool,
    /// The client has let go of it.
    is_left: bool,
}

/// The network's state; the sockets and whoever drives the world share it.
#[derive(Debug)]
pub(super) struct Net {
    pub(super) random: Random,
    pub(super) faults: Faults,
    pub(super) links: Vec<Link>,
    pub(super) is_traced: bool,
    wall: Rc<Cell<u64>>,
    schedule: BinaryHeap<Reverse<(u64, u64, Happening)>>,
    order: u64,
    events: Vec<usize>,
    door: Option<Token>,
    is_open: bool,
    /// Connections that wait at the door.
    waiting: VecDeque<usize>,
    rings: bool,
    /// Bytes that the server has read and written, as the sockets saw it.
    pub(super) received: u64,
    pub(super) sent: u64,
    pub(super) accepted: u64,
}

/// The state as everybody holds it.
pub(super) type Shared = Rc<RefCell<Net>>;

impl Net {
    pub(super) fn new(random: Random, faults: Faults, wall: &Rc<Cell<u64>>) -> Self {
        Net {
            random,
            faults,
            links: Vec::new(),
            is_traced: false,
            wall: Rc::clone(wall),
            schedule: BinaryHeap::new(),
            order: 0,
            events: Vec::new(),
            door: None,
            is_open: true,
            waiting: VecDeque::new(),
            rings: false,
            received: 0,
            sent: 0,
            accepted: 0,
        }
    }

    pub(super) fn now(&self) -> u64 {
        self.wall.get()
    }

    pub(super) fn trace(&self, text: impl FnOnce() -> String) {
        if self.is_traced {
            println!("{:>12.3} ms  {}", self.now() as f64 / 1000.0, text());
        }
    }

    /// Lets something happen so many microseconds from now.
    pub(super) fn plan(&mut self, after: u64, what: Happening) {
        self.order += 1;
        self.schedule.push(Reverse((self.now() + after, self.order, what)));
    }

    /// The next thing to happen, if it does by a time; the clock goes there.
    pub(super) fn next(&mut self, until: u64) -> Option<Happening> {
        if self.schedule.peek().is_none_or(|Reverse((at, ..))| *at > until) {
            return None;
        }
        let Reverse((at, _, what)) = self.schedule.pop()?;
        self.wall.set(at.max(self.now()));
        Some(what)
    }

    /// Nothing happens until then.
    pub(super) fn wait_until(&self, time: u64) {
        self.wall.set(time.max(self.now()));
    }

    pub(super) fn has_events(&self) -> bool {
        self.rings || !self.events.is_empty()
    }

    /// A client that is to connect.
    pub(super) fn add(&mut self) -> usize {
        self.links.push(Link::default());
        self.links.len() - 1
    }

    pub(super) fn on_connect(&mut self, link: usize) {
        if self.is_open {
            self.waiting.push_back(link);
            self.rings = true;
        } else {
            self.refuse(link);
        }
        self.plan(0, Happening::Client(link));
    }

    fn refuse(&mut self, link: usize) {
        self.links[link].is_closed = true;
        self.send_to_client(link, Segment::Reset);
    }

    // The client's calls.

    /// Sends a part, or the end of all parts.
    pub(super) fn client_sends(&mut self, link: usize, segment: Segment) {
        if !self.links[link].is_left {
            self.links[link].is_left = matches!(segment, Segment::Reset);
            self.send_to_server(link, segment);
        }
    }

    /// Takes at most this much of what can be read.
    pub(super) fn client_reads(&mut self, link: usize, most: usize) -> Vec<u8> {
        let end = &mut self.links[link];
        let count = most.min(end.mail.len());
        let read: Vec<u8> = end.mail.drain(..count).collect();
        end.taken -= count;
        self.make_room(link);
        read
    }

    /// Closes both directions: what still comes is answered by a reset.
    pub(super) fn client_leaves(&mut self, link: usize) {
        if !self.links[link].is_left {
            self.send_to_server(link, Segment::Fin);
            self.links[link].is_left = true;
            self.plan(ORPHANED, Happening::Orphan(link));
        }
    }

    /// What the server's socket had no room for all the time is given up.
    pub(super) fn on_orphan(&mut self, link: usize) {
        if !self.links[link].to_server.is_empty() {
            self.send_to_server(link, Segment::Reset);
        }
    }

    fn send_to_server(&mut self, link: usize, segment: Segment) {
        let latency = self.random.within(0..self.faults.latency + 1);
        let now = self.now();
        let end = &mut self.links[link];
        let at = end.arrives_after.max(now + latency);
        end.arrives_after = at;
        end.to_server.push_back(segment);
        self.plan(at - now, Happening::Arrive(link));
    }

    fn send_to_client(&mut self, link: usize, segment: Segment) {
        let latency = self.random.within(0..self.faults.latency + 1);
        let now = self.now();
        let end = &mut self.links[link];
        let at = end.delivered_after.max(now + latency);
        end.delivered_after = at;
        end.to_client.push_back(segment);
        self.plan(at - now, Happening::Deliver(link));
    }

    // What happens on the way.

    pub(super) fn on_arrive(&mut self, link: usize) {
        let end = &mut self.links[link];
        if !end.is_closed {
            end.arrived += 1;
            return self.take_in(link);
        }
        // Nobody is there any more to take it.
        if let Some(Segment::Bytes(_)) = end.to_server.pop_front() {
            end.to_server.clear();
            self.send_to_client(link, Segment::Reset);
        }
    }

    /// Gives a socket what has arrived, as far as it has room; the rest waits for that. A reset
    /// doesn't wait.
    fn take_in(&mut self, link: usize) {
        let (window, discards) = (self.faults.window, self.faults.reset_discards);
        let end = &mut self.links[link];
        let mut is_news = false;
        while end.arrived > 0 {
            let room = window.saturating_sub(end.inbox.len());
            let is_reset = end.to_server.iter().take(end.arrived).any(Segment::is_reset);
            match end.to_server.front_mut() {
                Some(Segment::Bytes(bytes)) if bytes.len() <= room => {
                    end.inbox.extend(bytes.iter());
                }
                Some(Segment::Bytes(bytes)) if !is_reset => {
                    end.inbox.extend(bytes.drain(..room));
                    is_news |= room > 0;
                    break;
                }
                Some(Segment::Bytes(_)) => {}
                Some(Segment::Fin) => end.has_fin = true,
                Some(Segment::Reset) => {
                    end.is_reset = true;
                    if discards {
                        end.inbox.clear();
                    }
                }
                None => {
                    end.arrived = 0;
                    break;
                }
            }
            end.to_server.pop_front();
            end.arrived -= 1;
            is_news = true;
        }
        if is_news {
            self.nudge(link);
        }
    }

    pub(super) fn on_deliver(&mut self, link: usize) {
        let discards = self.faults.reset_discards;
        let end = &mut self.links[link];
        let Some(segment) = end.to_client.pop_front() else {
            return;
        };
        if end.is_left {
            if matches!(segment, Segment::Bytes(_)) && !end.is_reset && !end.is_closed {
                self.send_to_server(link, Segment::Reset);
            }
            return;
        }
        match segment {
            Segment::Bytes(bytes) => end.mail.extend(bytes),
            Segment::Fin => end.mail_fin = true,
            Segment::Reset => {
                end.mail_reset = true;
                end.is_left = true;
                end.to_client.clear();
                if discards {
                    end.mail.clear();
                }
            }
        }
        let thinks = self.random.within(0..200);
        self.plan(thinks, Happening::Client(link));
    }

    /// The server's socket makes an event for whatever is true when it is fetched.
    pub(super) fn nudge(&mut self, link: usize) {
        let end = &mut self.links[link];
        if end.token.is_some() && !end.is_closed && !std::mem::replace(&mut end.has_event, true) {
            self.events.push(link);
        }
    }

    fn make_room(&mut self, link: usize) {
        let room = self.faults.room;
        let end = &mut self.links[link];
        // The kernel waits until a third is free, so that not every byte makes an event.
        if end.wants_room && end.taken <= room - room / 3 {
            end.wants_room = false;
            self.nudge(link);
        }
    }
}
