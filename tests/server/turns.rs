//! A server driven turn by turn: what a foreign event loop relies on.

use std::io::Write as _;
use std::net::{SocketAddr, TcpStream};
use std::time::{Duration, Instant};

use barewire::limits;
use barewire::server::{Block, Config, ReplyError, Server};

use super::harness::{Client, Desk, News, get, listen, post};

fn bench(config: Config) -> (Server<Desk>, SocketAddr, News) {
    let (desk, news) = Desk::new();
    let mut server = Server::new(config, desk).expect("a server");
    let address = listen(&mut server);
    (server, address, news)
}

fn turns(server: &mut Server<Desk>, count: usize) {
    for _ in 0..count {
        server.turn(Some(Duration::from_millis(2))).expect("the poll works");
    }
}

fn connect(address: SocketAddr) -> Client {
    Client::new(TcpStream::connect(address).expect("a connection"))
}

/// A ready list that is never empty is a processor that is always busy.
#[test]
fn a_client_that_keeps_the_server_waiting_costs_no_turns() {
    let refused = b"BAD\r\n\r\nmore".to_vec();
    for bytes in [
        Vec::new(),
        b"\r\n".to_vec(),
        b"G".to_vec(),
        get("/x")[..20].to_vec(),
        [get("/x"), get("/y")[..20].to_vec()].concat(),
        post("/echo", b"hello")[..53].to_vec(),
        post("/echo", &[b'x'; 1000])[..500].to_vec(),
        b"POST / HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n5".to_vec(),
        get("/later"),
        [get("/later"), get("/x")].concat(),
        get("/big/8000000"),
        get("/big/8000000").repeat(2),
        refused,
    ] {
        let (mut server, address, _news) = bench(Config::default());
        let mut client = connect(address);
        client.send(&bytes);
        turns(&mut server, 20);
        let name = bytes[..bytes.len().min(80)].escape_ascii().to_string();
        assert!(!server.has_ready(), "{name}: the server never sleeps");
        let begun = Instant::now();
        let mut count = 0;
        while begun.elapsed() < Duration::from_millis(60) {
            server.turn(Some(Duration::from_millis(20))).expect("the poll works");
            count += 1;
        }
        assert!(count < 20, "{name}: {count} turns in 60 ms");
        drop(client);
    }
}

#[test]
fn a_full_server_and_a_closing_one_cost_no_turns_either() {
    let (mut server, address, _news) = bench(Config { max_connections: 1, ..Config::default() });
    let _clients: Vec<_> = (0..3).map(|_| connect(address)).collect();
    turns(&mut server, 10);
    assert!(!server.has_ready());
    assert_eq!(server.stats().active_connections, 1);

    let (mut server, address, _news) = bench(Config::default());
    let mut client = connect(address);
    client.get("/later");
    turns(&mut server, 10);
    server.close(0);
    turns(&mut server, 10);
    assert!(!server.has_ready() && !server.is_closed());
}

/// Bodies that are all there at once are read by a few a turn, in the order in which they came.
#[test]
fn a_turn_ends_after_some_bytes_and_greedy_clients_pass_nobody_by() {
    const BODY: usize = 100_000;
    let body = vec![b'x'; BODY];
    let (mut server, address, _news) = bench(Config::default());
    let mut greedy: Vec<_> = (0..4).map(|_| connect(address)).collect();
    let mut patient: Vec<_> = (0..8).map(|_| connect(address)).collect();
    turns(&mut server, 12);
    for client in greedy.iter_mut().chain(&mut patient) {
        client.post("/length", &body);
    }
    let mut received = 0;
    for turn in 1..=8 {
        server.turn(Some(Duration::from_millis(2))).expect("the poll works");
        let total = server.stats().bytes_received;
        assert!(total > received, "turn {turn} served somebody");
        // The last one that is served may use up a budget of its own.
        let most = (limits::TURN_BUDGET + limits::READ_BUDGET) as u64;
        assert!(total - received < most, "turn {turn} read {}", total - received);
        received = total;
        // What they ask for more comes behind those who wait already.
        if let Some(client) = greedy.get_mut(turn - 1) {
            assert_eq!(client.text(), BODY.to_string());
            client.post("/length", &body);
        }
    }
    for client in &mut patient {
        assert_eq!(client.text(), BODY.to_string(), "within the turns that they were due");
    }
    turns(&mut server, 8);
    assert_eq!(server.stats().total_requests, 16);
    assert!(!server.has_ready());
}

#[test]
fn a_late_answer_is_written_at_once_and_its_successor_waits_for_the_next_turn() {
    let (mut server, address, (owed, _gone)) = bench(Config::default());
    let mut client = connect(address);
    client.send([get("/later/1"), get("/2")].concat());
    turns(&mut server, 10);
    let (id, _) = owed.try_recv().expect("it was dispatched");
    server.answer(id, 200, &Block::default(), b"one").expect("it is owed");
    assert_eq!(client.text(), "one", "without a turn");
    assert_eq!(server.stats().total_requests, 1, "the next isn't dispatched inside of the call");
    assert!(server.has_ready());
    let stale = server.answer(id, 200, &Block::default(), b"again");
    assert_eq!(stale, Err(ReplyError::Stale));
    turns(&mut server, 2);
    assert_eq!(client.text(), "/2");
    assert_eq!(server.fail(id), Err(ReplyError::Stale));
    assert!(!server.set_timeout(id, 10));
}

#[test]
fn every_way_to_answer_late_says_the_same() {
    let (mut server, address, (owed, _gone)) = bench(Config::default());
    let mut client = connect(address);
    let block = Block::parse([(&b"X-A"[..], &b"b"[..])]).expect("valid");
    for way in 0..4 {
        client.get("/later");
        turns(&mut server, 5);
        let (id, _) = owed.try_recv().expect("it was dispatched");
        match way {
            0 => server.answer(id, 201, &block, b"hello"),
            1 => server.answer_owned(id, 201, &block, b"hello".to_vec()),
            2 => server.answer_in_place(id, 201, &block, 5, |out| out.write_all(b"hello").is_ok()),
            _ => {
                server.answer_in_place(id, 201, &block, 1234, |out| out.write_all(b"hello").is_ok())
            }
        }
        .expect("it is owed");
        let answer = client.answer();
        assert_eq!((answer.status, answer.text()), (201, "hello"));
        assert!(answer.head.contains("\r\nX-A: b\r\n") && answer.head.contains("\r\nDate: "));
    }
}

#[test]
fn a_handler_that_fails_late_is_500_and_a_new_timeout_counts_from_now() {
    let (mut server, address, (owed, _gone)) = bench(Config::default());
    let mut client = connect(address);
    client.send([get("/later/1"), get("/later/2")].concat());
    turns(&mut server, 5);
    let (id, _) = owed.try_recv().expect("it was dispatched");
    server.fail(id).expect("it is owed");
    assert_eq!(client.answer().status, 500);
    turns(&mut server, 5);
    let (id, _) = owed.try_recv().expect("it was dispatched");
    std::thread::sleep(Duration::from_millis(150));
    assert!(server.set_timeout(id, 100));
    turns(&mut server, 2);
    assert_eq!(server.stats().pending_requests, 1, "not counted from an earlier time");
    let begun = Instant::now();
    while server.stats().pending_requests > 0 {
        assert!(begun.elapsed() < Duration::from_secs(2));
        turns(&mut server, 1);
    }
    assert_eq!(client.answer().status, 503);
}

#[test]
fn the_numbers_count() {
    let (mut server, address, _news) = bench(Config::default());
    let mut client = connect(address);
    client.send(get("/x").repeat(10));
    client.send("BAD\r\n\r\n");
    turns(&mut server, 10);
    for _ in 0..10 {
        assert_eq!(client.text(), "/x");
    }
    assert_eq!(client.answer().status, 400);
    assert_eq!(client.end(), b"");
    drop(client);
    turns(&mut server, 10);
    let stats = server.stats();
    assert_eq!((stats.active_connections, stats.total_requests), (0, 10));
    assert_eq!(stats.bytes_received, 10 * get("/x").len() as u64 + 7);
    assert!(stats.bytes_sent > 1000 && stats.requests_per_second > 0.0);
    assert!(stats.avg_latency_ms >= 0.0 && stats.p50_latency_ms <= stats.p99_latency_ms);
    assert_eq!(stats.rejected, [(400, 1)]);
    assert_eq!(stats.closed.iter().map(|&(_, count)| count).sum::<u64>(), 1);
    assert!(stats.closed.contains(&("malformed", 1)));
}
