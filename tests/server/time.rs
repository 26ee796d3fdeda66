//! The clocks over real sockets, with short values. A tick of the reactor is 64 ms.

use std::time::{Duration, Instant};

use barewire::server::{Config, Gone, Timeouts};

use super::harness::{Running, get, start};

fn with(timeouts: Timeouts) -> Running {
    start(Config { timeouts, ..Config::default() })
}

/// How long a step takes, judged generously above and strictly below.
fn takes(milliseconds: u64, step: impl FnOnce()) {
    let begun = Instant::now();
    step();
    let took = begun.elapsed();
    assert!(took >= Duration::from_millis(milliseconds), "too early: {took:?}");
    assert!(took < Duration::from_millis(milliseconds + 1000), "too late: {took:?}");
}

#[test]
fn a_handler_that_takes_too_long_is_answered_for() {
    let server = with(Timeouts { handler: 200, ..Timeouts::default() });
    let mut client = server.get("/later");
    takes(190, || assert_eq!(client.answer().status, 503));
    assert_eq!(server.gone(), (server.owed(), Gone::Timeout));
    assert_eq!(client.end(), b"");
}

#[test]
fn a_head_that_drips_gets_408() {
    let server = with(Timeouts { headers: 300, ..Timeouts::default() });
    let mut client = server.client();
    takes(290, || {
        for byte in b"GET / H" {
            client.send([*byte]);
            std::thread::sleep(Duration::from_millis(30));
        }
        let answer = client.answer();
        assert!(answer.status == 408 && answer.says_close(), "{answer:?}");
    });
    assert_eq!(client.end(), b"");
    let (_, stats) = server.stop();
    assert!(stats.closed.contains(&("headersTimeout", 1)), "{:?}", stats.closed);
}

#[test]
fn a_body_that_stalls_gets_408() {
    let server = with(Timeouts { body: 200, ..Timeouts::default() });
    let mut client = server.client();
    client.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\n");
    takes(450, || {
        for _ in 0..3 {
            std::thread::sleep(Duration::from_millis(90));
            client.send("x");
        }
        assert_eq!(client.answer().status, 408);
    });
    assert_eq!(client.end(), b"");
    let (_, stats) = server.stop();
    assert!(stats.closed.contains(&("bodyTimeout", 1)), "{:?}", stats.closed);
}

#[test]
fn an_idle_connection_ends_without_a_byte_before_and_after_requests() {
    let server = with(Timeouts { idle: 200, ..Timeouts::default() });
    let mut fresh = server.client();
    let mut used = server.get("/x");
    assert_eq!(used.text(), "/x");
    takes(190, || assert_eq!(used.end(), b""));
    assert_eq!(fresh.end(), b"");
    let (_, stats) = server.stop();
    assert!(stats.closed.contains(&("idleTimeout", 2)), "{:?}", stats.closed);
}

#[test]
fn the_idle_clock_runs_between_requests_only() {
    let server = with(Timeouts { idle: 200, ..Timeouts::default() });
    let mut client = server.get("/later");
    let id = server.owed();
    std::thread::sleep(Duration::from_millis(400));
    server.reply(id, "slow");
    assert_eq!(client.text(), "slow");
    client.get("/next");
    assert_eq!(client.text(), "/next");
}

/// A handler that works for long in its call makes everything else wait, but it is the client's
/// time that counts: from the answer on.
#[test]
fn a_handler_that_blocks_the_reactor_leaves_the_clocks_whole() {
    let server = with(Timeouts { idle: 300, handler: 300, ..Timeouts::default() });
    let mut client = server.get("/sleep/500");
    assert_eq!(client.text(), "/sleep/500");
    std::thread::sleep(Duration::from_millis(100));
    client.get("/next");
    assert_eq!(client.text(), "/next");

    client.send([get("/sleep/500"), get("/later")].concat());
    assert_eq!(client.text(), "/sleep/500");
    let id = server.owed();
    std::thread::sleep(Duration::from_millis(100));
    server.reply(id, "in time");
    assert_eq!(client.text(), "in time");
}

#[test]
fn a_busy_reactor_blames_no_client() {
    let server = with(Timeouts { headers: 200, body: 200, ..Timeouts::default() });
    let mut head = server.client();
    let mut body = server.client();
    head.send("GET /head HTTP/1.1\r\n");
    body.send("POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n\r\nh");
    let mut busy = server.get("/sleep/500");
    std::thread::sleep(Duration::from_millis(50));
    head.send("Host: t\r\n\r\n");
    body.send("i");
    assert_eq!(busy.text(), "/sleep/500");
    assert_eq!((head.text(), body.text()), ("/head".into(), "hi".into()));
}
