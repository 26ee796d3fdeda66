//! What is bounded: bodies, the sum of bodies, connections.

use std::time::{Duration, Instant};

use barewire::server::{Config, Timeouts};

use super::harness::{get, post, start};

#[test]
fn a_declared_body_above_the_limit_is_refused_before_it_is_read() {
    let server = start(Config { max_body_size: 1000, ..Config::default() });
    let mut client = server.client();
    client.send(post("/length", &[b'x'; 1000]));
    assert_eq!(client.text(), "1000");
    client.send("POST /length HTTP/1.1\r\nHost: t\r\nContent-Length: 1001\r\n\r\n");
    let answer = client.answer();
    assert_eq!(answer.status, 413);
    assert!(answer.says_close());
    assert_eq!(client.end(), b"");
    let (_, stats) = server.stop();
    assert_eq!(stats.rejected, [(413, 1)]);
    assert_eq!(stats.buffered_bytes, 0);
}

#[test]
fn a_chunked_body_above_the_limit_is_refused_while_it_is_read() {
    let server = start(Config { max_body_size: 1000, ..Config::default() });
    let mut client = server.client();
    let head = "POST /length HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n";
    let chunk = format!("1f4\r\n{}\r\n", "x".repeat(500));
    client.send(format!("{head}{chunk}{chunk}0\r\n\r\n"));
    assert_eq!(client.text(), "1000");
    client.send(format!("{head}{chunk}{chunk}1\r\nx\r\n"));
    assert_eq!(client.answer().status, 413);
    assert_eq!(client.end(), b"");
    let (_, stats) = server.stop();
    assert_eq!(stats.buffered_bytes, 0);
}

#[test]
fn a_limit_of_0_is_none() {
    let config = Config {
        max_body_size: 0,
        max_buffered_bytes: 0,
        max_pending: 0,
        max_connections: 0,
        ..Config::default()
    };
    let server = start(config);
    let mut client = server.client();
    client.post("/length", &vec![b'x'; 12 << 20]);
    assert_eq!(client.text(), (12 << 20).to_string());
    client.get("/later");
    server.reply(server.owed(), "x");
    assert_eq!(client.text(), "x");
}

/// Above the sum, bodies wait and new ones are refused, until a body is let go.
#[test]
fn bodies_wait_while_too_much_is_held() {
    let server = start(Config { max_buffered_bytes: 1000, ..Config::default() });
    let mut holder = server.client();
    holder.post("/later/holder", &[b'x'; 600]);
    let id = server.owed();
    server.until("buffered", |bytes| bytes == 600);
    let mut waiting = server.client();
    let request = post("/length", &[b'y'; 900]);
    waiting.send(&request[..request.len() - 400]);
    server.until("buffered", |bytes| bytes >= 1000);
    waiting.send(&request[request.len() - 400..]);
    assert!(waiting.is_silent());
    let mut refused = server.client();
    refused.post("/length", b"z");
    let answer = refused.answer();
    assert_eq!((answer.status, answer.says_close()), (503, false));
    refused.get("/without/body");
    assert_eq!(refused.text(), "/without/body");
    server.reply(id, "released");
    assert_eq!(holder.text(), "released");
    assert_eq!(waiting.text(), "900");
    server.until("buffered", |bytes| bytes == 0);
    refused.post("/length", b"z");
    assert_eq!(refused.text(), "1");
}

/// The handler's clock of a body that had to wait begins with its dispatch, whoever else is done.
#[test]
fn a_body_that_had_to_wait_keeps_its_handlers_clock() {
    let timeouts = Timeouts { handler: 400, ..Timeouts::default() };
    let server = start(Config { max_buffered_bytes: 1000, timeouts, ..Config::default() });
    let mut holder = server.client();
    holder.post("/later/holder", &[b'x'; 600]);
    let first = server.owed();
    let mut second = server.client();
    second.post("/later/second", &[b'y'; 400]);
    let _ = server.owed();
    server.reply(first, "released");
    assert_eq!(holder.text(), "released");
    assert_eq!(second.answer().status, 503, "the handler never answers");
}

/// All its bytes were read before it was told to wait: no event will come for it.
#[test]
fn a_body_that_was_complete_when_it_had_to_wait_goes_on() {
    for (held, length) in [(600, 400), (999, 500), (999, 1)] {
        let server = start(Config { max_buffered_bytes: 1000, ..Config::default() });
        let mut holder = server.client();
        holder.post("/later/holder", &vec![b'x'; held]);
        let id = server.owed();
        let mut waiting = server.client();
        waiting.post("/length", &vec![b'y'; length]);
        std::thread::sleep(Duration::from_millis(50));
        server.reply(id, "released");
        assert_eq!(holder.text(), "released");
        assert_eq!(waiting.text(), length.to_string(), "beside {held}");
    }
}

#[test]
fn a_body_as_large_as_the_sum_is_served() {
    let server = start(Config { max_buffered_bytes: 1000, ..Config::default() });
    let mut client = server.client();
    client.post("/length", &[b'x'; 1000]);
    assert_eq!(client.text(), "1000");
}

#[test]
fn above_the_limit_of_connections_clients_wait_to_be_accepted() {
    let server = start(Config { max_connections: 2, ..Config::default() });
    let mut one = server.get("/1");
    let mut two = server.get("/2");
    assert_eq!((one.text(), two.text()), ("/1".into(), "/2".into()));
    let mut waiting: Vec<_> = (3..6).map(|number| server.get(&format!("/{number}"))).collect();
    assert!(waiting[0].is_silent(), "not accepted yet");
    one.get("/1/again");
    assert_eq!(one.text(), "/1/again");
    drop(one);
    assert_eq!(waiting[0].text(), "/3");
    assert!(waiting[1].is_silent());
    drop(two);
    assert_eq!(waiting[1].text(), "/4");
    drop(waiting.remove(0));
    assert_eq!(waiting[1].text(), "/5");
    drop(waiting);
}

/// A head, or a body, above its limit: the answer comes whole although bytes are still on their
/// way, and the connection ends with a FIN.
#[test]
fn heads_above_their_limits_are_refused_readably() {
    let server = start(Config::default());
    let long = "x".repeat(100_000);
    for (request, status) in [
        (format!("GET /{long} HTTP/1.1\r\nHost: t\r\n\r\n"), 414),
        (format!("GET / HTTP/1.1\r\nHost: t\r\nX: {long}\r\n\r\n"), 431),
        (format!("GET / HTTP/1.1\r\nHost: t\r\n{}\r\n", "X: y\r\n".repeat(200)), 431),
    ] {
        let mut client = server.client();
        client.send(request);
        let answer = client.answer();
        assert_eq!(answer.status, status);
        assert!(answer.says_close() && answer.text().ends_with(".\n"), "{answer:?}");
        assert_eq!(client.end(), b"");
    }
}

#[test]
fn many_connections_at_once_are_all_served() {
    let server = start(Config::default());
    let begun = Instant::now();
    let mut clients: Vec<_> = (0..300).map(|_| server.client()).collect();
    for client in &mut clients {
        client.send(get("/x").repeat(3));
    }
    for client in &mut clients {
        assert_eq!([client.text(), client.text(), client.text()], ["/x", "/x", "/x"]);
    }
    assert_eq!(server.stat("active"), 301);
    drop(clients);
    server.until("active", |active| active == 1);
    assert!(begun.elapsed() < Duration::from_secs(5));
}
