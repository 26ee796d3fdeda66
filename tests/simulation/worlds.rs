//! Worlds made by hand: what seeds have found, as short as it can be told. Each of these failed once.

use std::cell::Cell;
use std::rc::Rc;

use super::drive::Simulation;
use super::random::Random;
use super::wish::{Kind, Wish};
use super::world::{Faults, Happening, Net, Segment};
use crate::server::{Config, Gone, Timeouts};

const SECOND: u64 = 1_000_000;

/// A server over a network without faults.
fn world(config: Config, room: usize) -> Simulation {
    let wall = Rc::new(Cell::new(0));
    let faults = Faults { room, window: 1 << 20, ..Faults::default() };
    let net = Net::new(Random::new(1), faults, &wall);
    Simulation::new(config, net, &wall, Vec::new(), 0, false)
}

impl Simulation {
    /// A client that waits at the door.
    fn client(&mut self) -> usize {
        let link = self.net.borrow_mut().add();
        self.net.borrow_mut().on_connect(link);
        link
    }

    fn send(&mut self, link: usize, bytes: impl Into<Vec<u8>>) {
        self.net.borrow_mut().client_sends(link, Segment::Bytes(bytes.into()));
    }

    fn pending(&mut self) -> usize {
        self.server.stats().pending_requests
    }
}

fn wish(link: usize, number: usize, kind: Kind, length: usize, delay: u64) -> String {
    Wish { link, number, kind, length, delay, body: 0 }.target()
}

fn get(target: &str) -> String {
    format!("GET {target} HTTP/1.1\r\nHost: t\r\n\r\n")
}

/// The body was complete, but most of it still waited for its client when the send clock
/// ran out. A FIN then was the regular end of half a body.
#[test]
fn a_body_that_ends_with_its_connection_is_cut_by_a_reset_also_while_it_only_waits() {
    let timeouts = Timeouts { send: 1000, ..Timeouts::default() };
    let mut world = world(Config { timeouts, ..Config::default() }, 200);
    let link = world.client();
    let target = wish(link, 0, Kind::Stream, 10_000, 0);
    world.send(link, format!("GET {target} HTTP/1.0\r\n\r\n"));
    world.pass(SECOND / 2);
    assert!(world.book.borrow().tasks[0].is_whole, "the handler has given everything");
    world.pass(SECOND);
    let net = world.net.borrow();
    assert!(net.links[link].is_closed && net.links[link].mail_reset && !net.links[link].mail_fin);
}

/// A late answer found its connection broken, and the server was closed before the next
/// turn. The slot went to a client that was just accepted, the request before stayed pending for
/// ever, and nobody told its handler.
#[test]
fn a_lost_request_is_told_before_a_close_gives_its_slot_away() {
    let mut world = world(Config::default(), 1 << 20);
    let first = world.client();
    world.send(first, get(&wish(first, 0, Kind::Stream, 5, 10 * SECOND)));
    world.pass(SECOND);
    assert_eq!(world.pending(), 1);

    let second = world.client();
    world.send(second, get(&wish(second, 0, Kind::Later, 5, 10 * SECOND)));
    world.net.borrow_mut().on_arrive(second);
    world.net.borrow_mut().client_sends(first, Segment::Reset);
    world.net.borrow_mut().on_arrive(first);
    world.step(Happening::Task(0)).expect("the answer goes nowhere");
    world.server.close(0);

    assert_eq!(world.book.borrow().tasks[0].gone, Some(Gone::Lost));
    assert_eq!(world.book.borrow().tasks.len(), 2, "the second one was served while closing");
    assert_eq!(world.pending(), 1);
}

/// After a refusal what still comes is read and dropped, and was missing in
/// `bytes_received`.
#[test]
fn bytes_that_are_read_only_to_be_dropped_are_counted() {
    let mut world = world(Config { max_body_size: 10, ..Config::default() }, 1 << 20);
    let link = world.client();
    let head = "POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 5000\r\n\r\n";
    world.send(link, head);
    world.pass(SECOND / 10);
    world.send(link, [b'x'; 5000]);
    world.pass(SECOND / 10);
    assert_eq!(world.server.stats().bytes_received, head.len() as u64 + 5000);
}

/// A pipelined request that had waited was used up, the next read brought a part of
/// another, and the buffer of the first was dropped for a second one.
#[test]
fn a_buffer_that_is_used_up_serves_what_comes_next() {
    let mut world = world(Config::default(), 1 << 20);
    let link = world.client();
    let first = get(&wish(link, 0, Kind::Later, 5, SECOND));
    let second = get(&wish(link, 1, Kind::Now, 3, 0));
    world.send(link, first + &second);
    world.pass(SECOND / 2);
    world.send(link, "GET /a/part");
    world.pass(SECOND);
    assert_eq!(world.book.borrow().tasks.len(), 2);
    let (held, _) = world.server.audit().expect("nobody is forgotten");
    assert_eq!((held.lent, held.bytes), (1, 11), "one buffer for the part that waits");
    world.net.borrow_mut().client_sends(link, Segment::Reset);
    world.pass(SECOND);
    let (held, _) = world.server.audit().expect("nobody is forgotten");
    assert_eq!((held.lent, held.connections), (0, 0));
}
