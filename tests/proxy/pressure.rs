//! Bodies that are larger than memory may be, in both directions: every byte arrives, and whoever is
//! slow holds the other back.

use std::io::{Read, Write};
use std::time::Duration;

use super::harness::{Client, Proxy, Upstream};

/// So much flows in each direction.
const SIZE: usize = 96 << 20;
/// So much memory the proxy may need for it.
const MEMORY: u64 = 24 << 20;

/// Bytes whose place can be told from their value.
fn pattern(place: usize) -> u8 {
    (place ^ (place >> 8) ^ (place >> 16)) as u8
}

fn send_pattern(client: &mut Client) {
    let mut part = vec![0; 1 << 20];
    for start in (0..SIZE).step_by(part.len()) {
        for (at, byte) in part.iter_mut().enumerate() {
            *byte = pattern(start + at);
        }
        client.0.write_all(&part).expect("taken");
    }
}

fn expect_pattern(client: &mut Client) {
    let mut part = vec![0; 1 << 20];
    for start in (0..SIZE).step_by(part.len()) {
        client.0.read_exact(&mut part).expect("given");
        for (at, byte) in part.iter().enumerate() {
            assert_eq!(*byte, pattern(start + at), "at {}", start + at);
        }
    }
}

#[test]
fn a_slow_client_holds_the_upstream_back() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        send_pattern(&mut visitor);
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
    client.head();
    // Longer than an upstream may take: it isn't the upstream that is slow.
    std::thread::sleep(Duration::from_millis(1200));
    expect_pattern(&mut client);
    upstream.end();
    #[cfg(target_os = "linux")]
    assert!(proxy.peak_memory() < MEMORY, "{}", proxy.peak_memory());
    assert!(proxy.log_line().contains(&format!("\" 200 {SIZE} ")));
}

#[test]
fn a_connection_serves_the_next_request_after_a_client_was_slow() {
    const PART: usize = 1 << 20;
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        let body = vec![b'x'; PART];
        for _ in 0..30 {
            visitor.head();
            visitor.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {PART}\r\n\r\n"));
            visitor.send(&body);
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    for _ in 0..30 {
        client.send("GET / HTTP/1.1\r\nHost: a\r\n\r\n");
        assert!(client.head().starts_with("HTTP/1.1 200 "));
        std::thread::sleep(Duration::from_millis(10));
        client.exactly(PART);
    }
    upstream.end();
}

#[test]
fn a_slow_upstream_holds_the_client_back() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        std::thread::sleep(Duration::from_millis(300));
        expect_pattern(&mut visitor);
        visitor.send("HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok");
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"));
    send_pattern(&mut client);
    client.until("\r\n\r\nok");
    upstream.end();
    #[cfg(target_os = "linux")]
    assert!(proxy.peak_memory() < MEMORY, "{}", proxy.peak_memory());
}

#[test]
fn both_directions_flow_at_once() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        visitor.send(format!("HTTP/1.1 200 OK\r\nContent-Length: {SIZE}\r\n\r\n"));
        // Never ahead of the request: an answer that is complete before it would end it.
        let mut part = vec![0; 1 << 20];
        for _ in (0..SIZE).step_by(part.len()) {
            visitor.0.read_exact(&mut part).expect("given");
            visitor.0.write_all(&part).expect("taken");
        }
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"));
    let mut writer = Client(client.0.try_clone().expect("cloned"));
    let writing = std::thread::spawn(move || send_pattern(&mut writer));
    client.head();
    expect_pattern(&mut client);
    writing.join().expect("every byte");
    upstream.end();
    #[cfg(target_os = "linux")]
    assert!(proxy.peak_memory() < MEMORY, "{}", proxy.peak_memory());
}

#[test]
fn an_upstream_that_takes_nothing_of_an_upload_runs_out_of_time() {
    let upstream = Upstream::new(|visitors| {
        let mut visitor = visitors.next();
        visitor.head();
        std::thread::sleep(Duration::from_millis(2500));
    });
    let proxy = Proxy::before(&[upstream.address]);
    let mut client = proxy.client();
    client.send(format!("POST / HTTP/1.1\r\nHost: a\r\nContent-Length: {SIZE}\r\n\r\n"));
    let mut writer = Client(client.0.try_clone().expect("cloned"));
    let writing = std::thread::spawn(move || {
        let part = vec![0; 1 << 20];
        while writer.0.write_all(&part).is_ok() {}
    });
    assert!(client.head().starts_with("HTTP/1.1 504 "));
    drop(client);
    writing.join().expect("cut off");
    upstream.end();
}
