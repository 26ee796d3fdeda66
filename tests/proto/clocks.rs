//! The clocks of design §3: `headers` is absolute, `idle` runs between requests only, `body` and
//! `send` want progress, `timeout` runs from dispatch to the response head.

use barewire::proto::http1::{BodyLength, Settings};
use barewire::proto::{CloseReason, Fault, Timeouts};

use super::case::{cut, never, ok, refusal, shut};
use super::wire::{When, Wire};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n";
const POST: &[u8] = b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 100000\r\n\r\n";

#[test]
fn a_head_that_drips_is_refused_at_a_fixed_time_from_its_first_byte() {
    let mut wire = Wire::new(When::Late, never);
    wire.at(10_000);
    for (second, &byte) in GET[..GET.len() - 1].iter().enumerate() {
        wire.at(10_000 + second as u64 * 500);
        wire.receive(&[byte]);
        assert_eq!(wire.machine.deadline(), Some(25_000));
    }
    wire.at(24_999);
    assert_eq!((wire.output().as_str(), wire.closing()), ("", None));
    wire.at(25_000);
    assert_eq!(wire.output(), refusal("408 Request Timeout", Fault::HeadersTimeout));
    assert_eq!(wire.closing(), shut(CloseReason::HeadersTimeout));
    wire.receive(b"\n");
    assert!(!wire.events().contains("GET"), "too late: {}", wire.events());
}

#[test]
fn a_head_in_time_stops_its_clock() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&GET[..5]);
    wire.at(14_999);
    wire.receive(&GET[5..]);
    assert_eq!(wire.machine.deadline(), None, "nobody's time runs while the answer is owed");
    wire.at(10_000_000);
    wire.answer_all();
    assert!(wire.output().ends_with("||ok"));
}

#[test]
fn an_idle_connection_ends_without_a_byte() {
    let mut wire = Wire::new(When::End, ok);
    wire.at(74_999);
    assert_eq!(wire.closing(), None);
    wire.at(75_000);
    assert_eq!((wire.output().as_str(), wire.closing()), ("", shut(CloseReason::IdleTimeout)));
    wire.receive(GET);
    assert_eq!(wire.events(), "", "nothing is read any more");
}

#[test]
fn the_idle_clock_begins_anew_behind_each_answer() {
    let mut wire = Wire::new(When::Late, ok);
    wire.at(70_000);
    wire.receive(GET);
    wire.at(500_000);
    wire.answer();
    assert_eq!(wire.machine.deadline(), Some(575_000));
    wire.at(575_000);
    assert_eq!(wire.closing(), shut(CloseReason::IdleTimeout));
}

/// A client that reads a large answer slowly isn't idle.
#[test]
fn the_idle_clock_stands_still_while_an_answer_is_being_sent() {
    let mut wire = Wire::new(When::End, ok);
    wire.receive(GET);
    wire.blocked(1_000_000);
    for step in 1..=9 {
        wire.at(step * 10_000);
        wire.blocked(1_000_000);
    }
    assert_eq!(wire.closing(), None, "the clock of `send` alone runs");
    wire.sent();
    wire.receive(GET);
    assert_eq!(wire.events(), "GET /a, GET /a");
}

#[test]
fn the_idle_clock_stands_still_although_the_answer_ends_while_bytes_wait() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.blocked(1_000_000);
    wire.finish(&[]).expect("streaming");
    wire.blocked(1_000_000);
    for step in 1..=9 {
        wire.at(step * 10_000);
        wire.blocked(1_000_000);
    }
    assert_eq!(wire.closing(), None);
    wire.sent();
    assert_eq!(wire.machine.deadline(), Some(165_000), "it begins with the last byte");
}

#[test]
fn a_body_that_stalls_is_refused_before_the_head_and_cut_after() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(POST);
    assert_eq!(wire.machine.deadline(), Some(5000), "without a byte the rate is too low");
    wire.receive(&vec![b'x'; 50_000]);
    assert_eq!(wire.machine.deadline(), Some(30_000));
    wire.at(29_000);
    wire.receive(&[b'x'; 1]);
    wire.at(58_999);
    assert_eq!(wire.closing(), None);
    wire.at(59_000);
    assert_eq!(wire.output(), refusal("408 Request Timeout", Fault::BodyTimeout));
    assert_eq!(wire.closing(), shut(CloseReason::BodyTimeout));

    let mut wire = Wire::new(When::Late, ok);
    wire.receive(b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 9\r\n\r\n");
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    let length = wire.out.len();
    wire.at(5000);
    assert_eq!((wire.out.len(), wire.closing()), (length, cut(CloseReason::BodyTimeout)));
}

#[test]
fn a_body_that_drips_is_refused_after_the_grace_and_one_at_the_rate_is_not() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(POST);
    for second in 1..=4 {
        wire.at(second * 1000);
        wire.receive(b"x");
    }
    wire.at(4999);
    assert_eq!(wire.closing(), None);
    wire.at(5000);
    assert_eq!(wire.closing(), shut(CloseReason::BodyTimeout));

    let mut wire = Wire::new(When::Late, ok);
    wire.receive(POST);
    for second in 1..=300 {
        wire.at(second * 1000);
        wire.receive(&[b'x'; 310]);
    }
    assert_eq!(wire.closing(), None);
    wire.receive(&[b'x'; 100_000 - 300 * 310]);
    assert_eq!(wire.machine.deadline(), None, "its clock ends with the body");
}

#[test]
fn a_chunked_body_has_the_same_clock() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(b"POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n");
    wire.receive(b"1;");
    wire.at(5000);
    assert_eq!(wire.closing(), shut(CloseReason::BodyTimeout));
}

/// The reactor doesn't read a body that the room above doesn't want now: that isn't the client's
/// fault.
#[test]
fn a_body_that_is_paused_has_no_clock() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(POST);
    wire.receive(&[b'x'; 10]);
    wire.pause();
    assert_eq!(wire.machine.deadline(), None);
    wire.at(1_000_000);
    wire.resume();
    assert_eq!(wire.machine.deadline(), Some(1_005_000));
    wire.receive(&vec![b'x'; 50_000]);
    assert_eq!(wire.machine.deadline(), Some(1_030_000));
}

#[test]
fn a_rest_that_is_dropped_has_the_same_clock() {
    let mut wire = Wire::new(When::Head, ok);
    wire.receive(b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 10\r\n\r\nabc");
    wire.at(4999);
    assert_eq!(wire.closing(), None);
    wire.at(30_000);
    assert_eq!(wire.closing(), shut(CloseReason::BodyTimeout), "the answer may be on its way");
}

#[test]
fn a_slow_handler_gets_503_and_its_answer_comes_too_late() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.at(1000);
    wire.machine.on_dispatch(1000, 30_000);
    wire.at(30_999);
    assert_eq!(wire.closing(), None);
    wire.at(31_000);
    assert_eq!(wire.output(), refusal("503 Service Unavailable", Fault::HandlerTimeout));
    assert_eq!(wire.closing(), shut(CloseReason::HandlerTimeout));
    let length = wire.out.len();
    wire.reply(200, &[], b"late").expect_err("nothing is owed any more");
    assert_eq!(wire.out.len(), length);
}

#[test]
fn the_handlers_clock_ends_with_the_head() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.machine.on_dispatch(0, 1000);
    wire.at(999);
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    assert_eq!(wire.machine.deadline(), None, "a stream may be endless");
    wire.at(1_000_000);
    wire.chunk(b"still here").expect("streaming");
    wire.finish(&[]).expect("streaming");
}

#[test]
fn the_handlers_clock_can_be_set_anew_and_off() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.machine.on_dispatch(0, 1000);
    wire.machine.on_dispatch(500, 5000);
    assert_eq!(wire.machine.deadline(), Some(5500));
    wire.machine.on_dispatch(500, 0);
    assert_eq!(wire.machine.deadline(), None);
    wire.answer();
    wire.machine.on_dispatch(600, 1);
    assert_eq!(wire.machine.deadline(), Some(75_000), "nobody owes anything now");
}

/// Design §3: `timeout` stands still while the request's body is incomplete.
#[test]
fn the_handlers_clock_stands_still_while_the_body_is_incomplete() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4000\r\n\r\n");
    wire.machine.on_dispatch(0, 1000);
    for second in 1..=3 {
        wire.at(second * 1000);
        wire.receive(&[b'x'; 1000]);
        assert_eq!(wire.closing(), None, "the client's time is none of the handler's");
    }
    wire.at(3500);
    wire.receive(&[b'x'; 1000]);
    assert!(wire.machine.deadline().is_some_and(|at| (4000..=4500).contains(&at)));
}

/// A handler that has the request and reads nothing of it has only itself to wait for.
#[test]
fn the_handlers_clock_runs_while_it_leaves_the_body_unread() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(POST);
    wire.receive(&[b'x'; 10]);
    wire.pause();
    wire.machine.on_dispatch(0, 1000);
    assert_eq!(wire.machine.deadline(), Some(1000));
    wire.at(900);
    wire.resume();
    assert_eq!(wire.machine.deadline(), Some(5900), "the client's turn");
    wire.at(2000);
    wire.pause();
    assert_eq!(wire.machine.deadline(), Some(3000), "the handler's, from the start");
    wire.at(3000);
    assert!(wire.output().starts_with("HTTP/1.1 503 Service Unavailable|"));
    assert_eq!(wire.closing(), shut(CloseReason::HandlerTimeout));
}

/// Our own pause has a limit of its own, after which the client isn't blamed.
#[test]
fn a_body_that_is_paused_for_too_long_is_503() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(POST);
    wire.receive(&[b'x'; 10]);
    wire.pause_for(2000);
    wire.at(1999);
    assert_eq!(wire.closing(), None);
    wire.at(2000);
    assert!(wire.output().starts_with("HTTP/1.1 503 Service Unavailable|"));
    // So much of the body is missing that the connection can't go on.
    assert_eq!(wire.closing(), shut(CloseReason::Answered));
}

#[test]
fn an_answer_that_nobody_takes_is_cut() {
    let mut wire = Wire::new(When::End, ok);
    wire.receive(b"GET /a HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n");
    wire.blocked(10);
    assert_eq!(wire.machine.deadline(), Some(5000), "10 bytes are below the rate");
    wire.at(3000);
    wire.blocked(100_000);
    assert_eq!(wire.machine.deadline(), Some(33_000));
    wire.at(20_000);
    wire.blocked(0);
    assert_eq!(wire.machine.deadline(), Some(33_000), "no byte is no progress");
    wire.at(33_000);
    // Why the connection ends was settled with its `Connection: close`; that it is cut is new.
    assert_eq!(wire.closing(), cut(CloseReason::Answered));
}

#[test]
fn an_answer_that_is_taken_in_drips_is_cut() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.blocked(0);
    for second in 1..=4 {
        wire.at(second * 1000);
        wire.blocked(1);
    }
    wire.at(5000);
    assert_eq!(wire.closing(), cut(CloseReason::SendTimeout));
    assert!(!wire.output().ends_with("0||"), "no end marker");
}

#[test]
fn an_answer_that_was_taken_stops_the_clock() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.blocked(0);
    wire.sent();
    assert_eq!(wire.machine.deadline(), None);
    wire.at(60_000);
    wire.blocked(0);
    assert_eq!(wire.machine.deadline(), Some(65_000), "the next time begins anew");
}

#[test]
fn lingering_has_a_second_and_no_other_clock() {
    let mut wire = Wire::new(When::Late, never);
    wire.receive(b"BAD\r\n\r\n");
    assert_eq!(wire.closing(), shut(CloseReason::Malformed));
    wire.machine.on_linger(2000);
    assert_eq!(wire.machine.deadline(), Some(3000));
    wire.at(3000);
    assert_eq!(wire.closing(), cut(CloseReason::Malformed), "the first reason stays");
    assert_eq!(wire.machine.deadline(), None);
}

#[test]
fn every_clock_can_be_off() {
    let off = Timeouts { headers: 0, idle: 0, body: 0, send: 0, handler: 0 };
    let settings = Settings { timeouts: off, ..Settings::default() };
    let mut wire = Wire::with(settings, When::Late, ok);
    assert_eq!(wire.machine.deadline(), None);
    wire.receive(&POST[..9]);
    assert_eq!(wire.machine.deadline(), None);
    wire.receive(&POST[9..]);
    wire.receive(b"x");
    assert_eq!(wire.machine.deadline(), None);
    wire.machine.on_dispatch(0, 0);
    wire.blocked(0);
    wire.blocked(1);
    assert_eq!(wire.machine.deadline(), None);
    wire.receive(&vec![b'x'; 99_999]);
    wire.answer_all();
    assert_eq!((wire.machine.deadline(), wire.closing()), (None, None));
}
