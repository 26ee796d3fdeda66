//! Answers from other threads, by id, some of them too late.

use std::time::Duration;

use barewire::server::{Block, Config, Gone, Timeouts};

use super::harness::{get, start};

#[test]
fn another_thread_answers() {
    let server = start(Config::default());
    let mut clients: Vec<_> =
        (0..50).map(|number| server.get(&format!("/later/{number}"))).collect();
    let mut owed: Vec<_> = (0..50)
        .map(|_| server.owed.recv_timeout(super::harness::PATIENCE).expect("owed"))
        .collect();
    assert_eq!(server.stat("pending"), 50);
    owed.reverse();
    let remote = server.remote.clone();
    std::thread::spawn(move || {
        for (id, target) in owed {
            assert!(remote.answer(id, 200, Block::default(), target.into_bytes()));
        }
    })
    .join()
    .expect("no panic");
    for (number, client) in clients.iter_mut().enumerate() {
        assert_eq!(client.text(), format!("/later/{number}"));
    }
    server.until("pending", |pending| pending == 0);
}

#[test]
fn a_late_answer_lets_the_next_pipelined_request_in() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send([get("/later/1"), get("/2"), get("/later/3"), get("/4")].concat());
    let first = server.owed();
    assert!(client.is_silent(), "the second waits behind the first");
    server.reply(first, "one");
    assert_eq!((client.text(), client.text()), ("one".into(), "/2".into()));
    server.reply(server.owed(), "three");
    assert_eq!((client.text(), client.text()), ("three".into(), "/4".into()));
}

#[test]
fn an_answer_after_the_handlers_time_goes_nowhere() {
    let timeouts = Timeouts { handler: 100, ..Timeouts::default() };
    let server = start(Config { timeouts, ..Config::default() });
    let mut client = server.get("/later");
    let id = server.owed();
    let answer = client.answer();
    assert!(answer.status == 503 && answer.says_close() && answer.head.contains("Retry-After: "));
    assert_eq!(server.gone(), (id, Gone::Timeout));
    server.reply(id, "too late");
    assert_eq!(client.end(), b"");
    let (_, stats) = server.stop();
    assert_eq!(stats.rejected, [(503, 1)]);
    assert_eq!(stats.pending_requests, 0);
}

#[test]
fn a_second_answer_never_reaches_the_pipelined_successor() {
    let server = start(Config::default());
    let mut client = server.client();
    client.send([get("/later/1"), get("/later/2")].concat());
    let first = server.owed();
    server.reply(first, "one");
    let second = server.owed();
    server.reply(first, "one again");
    assert_eq!(client.text(), "one");
    assert!(client.is_silent());
    server.reply(second, "two");
    server.reply(second, "two again");
    assert_eq!(client.text(), "two");
    client.get("/3");
    assert_eq!(client.text(), "/3");
}

#[test]
fn an_answer_never_reaches_the_next_owner_of_the_slot() {
    let server = start(Config::default());
    for _ in 0..20 {
        let lost = server.get("/later/old");
        let old = server.owed();
        lost.reset();
        assert_eq!(server.gone(), (old, Gone::Lost));
        let mut client = server.get("/later/new");
        let new = server.owed();
        assert_ne!(old, new);
        server.reply(old, "for somebody else");
        server.reply(new, "new");
        assert_eq!(client.text(), "new");
        drop(client);
    }
    assert_eq!(server.stat("pending"), 0);
}

#[test]
fn a_late_answer_with_an_impossible_status_is_500() {
    let server = start(Config::default());
    let mut client = server.get("/later");
    server.remote.answer(server.owed(), 99, Block::default(), b"secret".to_vec());
    let answer = client.answer();
    assert_eq!((answer.status, answer.text()), (500, "Internal Server Error\n"));
    client.get("/next");
    assert_eq!(client.text(), "/next");
}

#[test]
fn above_the_limit_of_pending_requests_the_answer_is_503_and_the_connection_stays() {
    let server = start(Config { max_pending: 2, ..Config::default() });
    let (mut one, mut two) = (server.get("/later/1"), server.get("/later/2"));
    let owed = [server.owed(), server.owed()];
    let mut three = server.client();
    for _ in 0..3 {
        three.get("/later/3");
        let answer = three.answer();
        assert_eq!(answer.status, 503);
        assert!(answer.head.contains("\r\nRetry-After: 1\r\n") && !answer.says_close());
    }
    for id in owed {
        server.reply(id, "done");
    }
    assert_eq!((one.text(), two.text()), ("done".into(), "done".into()));
    three.get("/later/4");
    server.reply(server.owed(), "four");
    assert_eq!(three.text(), "four");
}

#[test]
fn nothing_can_be_sent_to_a_server_that_has_gone() {
    let server = start(Config::default());
    let mut client = server.get("/later");
    let id = server.owed();
    server.reply(id, "x");
    assert_eq!(client.text(), "x");
    drop(client);
    let remote = server.remote.clone();
    server.stop();
    let start = std::time::Instant::now();
    while remote.close(1) {
        assert!(start.elapsed() < Duration::from_secs(5));
    }
    assert!(!remote.answer(id, 200, Block::default(), Vec::new()));
}
