//! How connections and servers end.

use std::io::Write;
use std::net::TcpStream;
use std::time::{Duration, Instant};

use barewire::server::{Config, Gone};

use super::harness::{get, post, start};

#[test]
fn a_client_that_closed_its_side_still_gets_its_answer() {
    let server = start(Config::default());
    let mut client = server.get("/later");
    let id = server.owed();
    client.fin();
    assert_eq!(server.gone(), (id, Gone::ClientClosed));
    std::thread::sleep(Duration::from_millis(50));
    server.reply(id, "still here");
    assert_eq!(client.text(), "still here");
    assert_eq!(client.end(), b"");
    assert!(server.gone.try_recv().is_err(), "told once");
    let (_, stats) = server.stop();
    assert_eq!((stats.pending_requests, stats.active_connections), (0, 0));
}

#[test]
fn requests_before_a_fin_are_all_served() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send([get("/1"), get("/later/2"), get("/3"), get("/later/4")].concat());
    client.fin();
    for body in ["two", "four"] {
        let id = server.owed();
        assert_eq!(server.gone(), (id, Gone::ClientClosed));
        server.reply(id, body);
    }
    for expected in ["/1", "two", "/3", "four"] {
        assert_eq!(client.text(), expected);
    }
    assert_eq!(client.end(), b"");
}

#[test]
fn two_hundred_requests_before_a_fin_are_all_served() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send(get("/x").repeat(200));
    client.fin();
    for _ in 0..200 {
        assert_eq!(client.text(), "/x");
    }
    assert_eq!(client.end(), b"");
}

#[test]
fn a_fin_inside_a_request_is_400() {
    let server = start(Config::default());
    for part in [&b"GET / HTTP/1.1\r\nHo"[..], &post("/echo", b"hello")[..53]] {
        let mut client = server.client();
        client.send(part);
        client.fin();
        assert_eq!(client.answer().status, 400);
        assert_eq!(client.end(), b"");
    }
}

#[test]
fn a_fin_without_a_request_is_a_plain_end() {
    let server = start(Config::default());
    for bytes in [&b""[..], b"\r\n"] {
        let mut client = server.client();
        client.send(bytes);
        client.fin();
        assert_eq!(client.end(), b"");
    }
    let (_, stats) = server.stop();
    assert!(stats.closed.contains(&("client", 2)), "{:?}", stats.closed);
}

#[test]
fn a_reset_frees_the_slot_and_tells_the_handler() {
    let server = start(Config::default());
    let client = server.get("/later");
    let id = server.owed();
    assert_eq!(server.stat("pending"), 1);
    client.reset();
    assert_eq!(server.gone(), (id, Gone::Lost));
    server.until("pending", |pending| pending == 0);
    server.until("active", |active| active == 1);
    server.reply(id, "nobody is there");
}

#[test]
fn resets_in_every_phase_leave_nothing_behind() {
    let server = start(Config::default());
    for bytes in [
        Vec::new(),
        b"GET /".to_vec(),
        post("/echo", &[b'x'; 1000])[..500].to_vec(),
        get("/big/8000000"),
        get("/big/8000000").repeat(3),
        b"BAD\r\n\r\n".to_vec(),
    ] {
        let mut client = server.client();
        client.send(bytes);
        std::thread::sleep(Duration::from_millis(20));
        client.reset();
    }
    server.until("active", |active| active == 1);
    assert_eq!(server.stat("buffered"), 0);
}

/// Closing over unread bytes would send a reset, and that can destroy the answer on its way.
#[test]
fn a_refusal_reaches_a_client_that_is_still_sending() {
    let server = start(Config { max_body_size: 1000, ..Config::default() });
    let garbage = vec![b'x'; 300_000];
    let malformed = [b"GET / HTTP/1.1\r\nHost: t\r\nBad Field: x\r\n\r\n", &garbage[..]].concat();
    let large =
        [b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 9000000\r\n\r\n", &garbage[..]].concat();
    for (bytes, status) in [(malformed, 400), (large, 413)] {
        for _ in 0..10 {
            let mut client = server.client();
            client.send(&bytes);
            client.send(&garbage);
            let answer = client.answer();
            assert!(answer.status == status && answer.says_close(), "{answer:?}");
            assert_eq!(client.end(), b"", "a FIN, no reset");
        }
    }
}

#[test]
fn a_refused_client_is_waited_for_only_so_long() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send("BAD\r\n\r\n");
    assert_eq!(client.answer().status, 400);
    assert_eq!(client.end(), b"");
    let begun = Instant::now();
    server.until("malformed", |count| count == 1);
    assert!(begun.elapsed() < Duration::from_secs(2));
    drop(client);
}

#[test]
fn an_answer_that_says_close_is_followed_by_a_fin() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send([get("/close"), get("/never")].concat());
    assert!(client.answer().says_close());
    assert_eq!(client.end(), b"");
}

#[test]
fn closing_completes_what_is_under_way_and_ends_what_is_idle() {
    let server = start(Config::default());
    let mut idle = server.get("/idle");
    assert_eq!(idle.text(), "/idle");
    let mut fresh = server.client();
    let mut owed = server.client();
    owed.send([get("/later"), get("/never")].concat());
    let id = server.owed();
    let mut half = server.client();
    half.send("GET /half HTTP/1.1\r\nHo");
    let mut body = server.client();
    body.send(&post("/echo", b"hello")[..53]);
    assert_eq!(server.stat("total"), 4, "all are accepted, and the body's head is read");

    server.remote.close(8000);
    server.remote.close(1);
    assert_eq!((idle.end(), fresh.end()), (Vec::new(), Vec::new()));
    drop((idle, fresh));
    assert!(owed.is_silent());
    server.reply(id, "done");
    let answer = owed.answer();
    assert!(answer.text() == "done" && answer.says_close(), "{answer:?}");
    assert_eq!(owed.end(), b"", "what waited behind it is not served");
    half.send("st: t\r\n\r\n");
    body.send(&post("/echo", b"hello")[53..]);
    for (client, text) in [(&mut half, "/half"), (&mut body, "hello")] {
        let answer = client.answer();
        assert!(answer.text() == text && answer.says_close(), "{answer:?}");
        assert_eq!(client.end(), b"");
    }
    drop((owed, half, body));
    let address = server.address;
    let (cut, stats) = server.join();
    assert_eq!((cut, stats.active_connections), (0, 0));
    assert!(TcpStream::connect(address).is_err(), "nobody listens");
}

#[test]
fn closing_cuts_what_takes_too_long_and_counts_it() {
    let server = start(Config::default());
    let mut owed: Vec<_> = (0..3).map(|_| server.get("/later")).collect();
    let ids = [server.owed(), server.owed(), server.owed()];
    let begun = Instant::now();
    server.remote.close(300);
    for client in &mut owed {
        assert_eq!(client.end(), b"");
    }
    assert!(begun.elapsed() >= Duration::from_millis(290));
    let mut gone = [server.gone(), server.gone(), server.gone()].map(|(id, reason)| {
        assert_eq!(reason, Gone::Cut);
        id
    });
    gone.sort_by_key(|id| ids.iter().position(|other| other == id));
    assert_eq!(gone, ids);
    let (cut, stats) = server.join();
    assert_eq!(cut, 3);
    assert!(stats.closed.contains(&("cut", 3)), "{:?}", stats.closed);
}

#[test]
fn closing_an_idle_server_ends_it_at_once() {
    let server = start(Config::default());
    let begun = Instant::now();
    assert_eq!(server.stop().0, 0);
    assert!(begun.elapsed() < Duration::from_secs(1));
}

/// Its answer is out, only the rest of its body is being dropped: that connection is as good as
/// idle.
#[test]
fn closing_does_not_wait_for_the_rest_of_a_body_that_nobody_wants() {
    let server = start(Config { max_buffered_bytes: 10, ..Config::default() });
    let mut holder = server.client();
    holder.post("/later", &[b'x'; 10]);
    let id = server.owed();
    let mut client = server.client();
    client.send(b"POST /echo HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\nx");
    let answer = client.answer();
    assert!(answer.status == 503 && !answer.says_close(), "{answer:?}");
    server.reply(id, "done");
    assert_eq!(holder.text(), "done");
    drop(holder);
    let begun = Instant::now();
    assert_eq!(server.stop().0, 0);
    assert!(begun.elapsed() < Duration::from_secs(2), "{:?}", begun.elapsed());
}

/// Every request whose bytes were sent before the close is answered, or its connection ends
/// without a byte of an answer; none is answered in half.
#[test]
fn closing_under_load_answers_whole_or_not_at_all() {
    let server = start(Config::default());
    let address = server.address;
    let clients: Vec<_> = (0..8)
        .map(|_| {
            std::thread::spawn(move || {
                let mut answered = 0;
                while let Ok(mut stream) = TcpStream::connect(address) {
                    if stream.write_all(&get("/big/2000")).is_err() {
                        break;
                    }
                    stream.set_read_timeout(Some(super::harness::PATIENCE)).expect("it can");
                    let mut bytes = Vec::new();
                    let _ = stream.shutdown(std::net::Shutdown::Write);
                    let read = std::io::Read::read_to_end(&mut stream, &mut bytes);
                    if bytes.is_empty() {
                        break;
                    }
                    read.expect("an answer that begins is read to its end");
                    assert!(bytes.ends_with(&super::harness::pattern(2000)));
                    answered += 1;
                }
                answered
            })
        })
        .collect();
    std::thread::sleep(Duration::from_millis(200));
    server.remote.close(3000);
    let answered: u64 = clients.into_iter().map(|client| client.join().expect("no panic")).sum();
    let (cut, stats) = server.join();
    assert_eq!(cut, 0);
    assert_eq!(stats.total_requests, answered, "every request that was read was answered");
    assert!(answered > 0);
}
