//! Clients that read slowly, or not at all.

use std::io::Read;
use std::net::{SocketAddr, TcpStream};
use std::time::Duration;

use barewire::server::{Config, Timeouts};
use socket2::{Domain, Socket, Type};

use super::harness::{Client, get, pattern, start};

const LARGE: usize = 8 << 20;

/// A client whose kernel takes only little.
fn narrow(address: SocketAddr) -> Client {
    let socket = Socket::new(Domain::IPV4, Type::STREAM, None).expect("a socket");
    socket.set_recv_buffer_size(2048).expect("it can");
    socket.connect(&address.into()).expect("a connection");
    Client::new(TcpStream::from(socket))
}

#[test]
fn a_slow_reader_gets_every_byte_while_others_are_served() {
    let server = start(Config::default());
    let mut slow = narrow(server.address);
    slow.get(&format!("/big/{LARGE}"));
    server.until("buffered", |bytes| bytes > 1_000_000);
    for _ in 0..100 {
        assert_eq!(server.get("/quick").text(), "/quick");
    }
    let answer = slow.answer();
    assert!(answer.body == pattern(LARGE), "not the bytes that were sent");
    slow.get("/next");
    assert_eq!(slow.text(), "/next");
    assert_eq!(server.stat("buffered"), 0);
}

#[test]
fn pipelined_answers_to_a_slow_reader_stay_in_order() {
    let server = start(Config::default());
    let mut slow = narrow(server.address);
    let sizes = [1_000_000, 10, 300_000, 20_000, 0, 70_000, 15_000];
    slow.send(sizes.iter().flat_map(|size| get(&format!("/big/{size}"))).collect::<Vec<_>>());
    std::thread::sleep(Duration::from_millis(50));
    for size in sizes {
        assert!(slow.answer().body == pattern(size), "{size}");
    }
}

#[test]
fn a_late_answer_to_a_slow_reader_arrives_whole() {
    let server = start(Config::default());
    let mut slow = narrow(server.address);
    slow.send([get("/later"), get("/next")].concat());
    let id = server.owed();
    server.remote.answer(id, 200, barewire::server::Block::default(), pattern(LARGE));
    assert!(slow.answer().body == pattern(LARGE));
    assert_eq!(slow.text(), "/next");
}

/// While it reads, it isn't idle.
#[test]
fn a_slow_reader_is_not_closed_by_the_idle_clock() {
    let timeouts = Timeouts { idle: 800, ..Timeouts::default() };
    let server = start(Config { timeouts, ..Config::default() });
    let mut slow = narrow(server.address);
    slow.get(&format!("/big/{LARGE}"));
    std::thread::sleep(Duration::from_millis(1300));
    assert_eq!(slow.answer().body.len(), LARGE);
    slow.get("/next");
    assert_eq!(slow.text(), "/next");
}

#[test]
fn a_client_that_takes_nothing_is_cut() {
    let timeouts = Timeouts { send: 200, ..Timeouts::default() };
    let server = start(Config { timeouts, ..Config::default() });
    let mut stuck = narrow(server.address);
    stuck.get(&format!("/big/{LARGE}"));
    server.until("sendTimeout", |count| count == 1);
    assert_eq!(server.stat("buffered"), 0, "its memory is free again");
    // What the kernel had may still come, but never all of it.
    let mut received = 0;
    let mut buffer = vec![0; 64 * 1024];
    while let Ok(count @ 1..) = stuck.stream.read(&mut buffer) {
        received += count;
    }
    assert!(received < LARGE, "{received}");
}

#[test]
fn a_client_that_sends_without_reading_is_made_to_wait() {
    let server = start(Config::default());
    let mut greedy = narrow(server.address);
    greedy.stream.set_write_timeout(Some(Duration::from_millis(300))).expect("it can");
    let request = get("/big/100000");
    let mut sent = 0_usize;
    // Its requests fill its own socket, not the server's memory.
    while sent < 20_000_000 {
        match std::io::Write::write(&mut greedy.stream, &request.repeat(1000)) {
            Ok(count) => sent += count,
            Err(_) => break,
        }
    }
    assert!(sent < 20_000_000, "the server reads without end");
    let buffered = server.stat("buffered");
    assert!(buffered < 70 * 100_100, "{buffered} bytes of answers are held");
    drop(greedy);
}
