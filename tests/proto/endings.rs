//! Ends that a table has no room for: what FIN, drain, cut and upgrade leave behind.

use barewire::proto::http1::{AnswerError, BodyLength, Closing};
use barewire::proto::{CloseReason, Fault};

use super::case::{never, ok, refusal};
use super::wire::{TAIL, When, Wire};

const GET: &[u8] = b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n";
const KEEP: &str = "HTTP/1.1 200 OK|Content-Length: 2||ok";
const CLOSE: &str = "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||ok";

#[test]
fn requests_before_a_fin_are_all_answered() {
    for when in [When::End, When::Late] {
        let mut wire = Wire::new(when, ok);
        wire.receive(&[GET, GET, TAIL].concat());
        wire.fin();
        if when == When::Late {
            assert_eq!(wire.closing(), None, "answers are owed");
        }
        wire.answer_all();
        assert_eq!(wire.events(), "GET /a, GET /a, GET /tail");
        assert_eq!(wire.output(), format!("{}HTTP/1.1 204 No Content||", KEEP.repeat(2)));
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Client)));
    }
}

#[test]
fn a_fin_inside_a_head_is_a_request_that_is_incomplete() {
    for cut in 1..GET.len() {
        let mut wire = Wire::new(When::End, ok);
        wire.receive(&GET[..cut]);
        wire.fin();
        assert_eq!(wire.output(), refusal("400 Bad Request", Fault::Incomplete), "at {cut}");
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::ClientAborted)));
        assert_eq!(wire.machine.sequence(), 1);
    }
}

#[test]
fn a_fin_inside_a_body_rejects_it() {
    for input in [
        &b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\nab"[..],
        b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n",
        b"POST /a HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n0\r\n",
    ] {
        let mut wire = Wire::new(When::End, ok);
        wire.receive(input);
        wire.fin();
        assert_eq!(wire.output(), refusal("400 Bad Request", Fault::Incomplete));
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::ClientAborted)));
    }
}

#[test]
fn draining_serves_the_request_under_way_and_none_behind_it() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&[GET, GET].concat());
    wire.drain();
    wire.answer_all();
    assert_eq!((wire.events().as_str(), wire.output().as_str()), ("GET /a", CLOSE));
    assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Drained)));
}

/// *Accepted* is a request whose first byte reached us before our FIN (design §5.9).
#[test]
fn draining_serves_a_request_whose_head_has_begun() {
    for cut in 1..GET.len() {
        let mut wire = Wire::new(When::End, ok);
        wire.receive(&GET[..cut]);
        wire.drain();
        assert_eq!(wire.closing(), None, "at {cut}");
        wire.receive(&GET[cut..]);
        assert_eq!(wire.output(), CLOSE);
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Drained)));
    }
}

/// Its head was encoded before the drain, so it can't say `close`; the connection ends all the
/// same, or a server that waits for its last connection waits for the idle clock.
#[test]
fn draining_ends_a_connection_whose_answer_began_before() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(GET);
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.drain();
    wire.chunk(b"x").expect("streaming");
    wire.finish(&[]).expect("streaming");
    wire.receive(TAIL);
    assert!(wire.output().ends_with("|1|x|0||"), "complete: {}", wire.output());
    assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Drained)));
    assert_eq!(wire.events(), "GET /a");
}

#[test]
fn draining_ends_a_connection_that_drops_the_rest_of_a_body() {
    for drains_first in [false, true] {
        let mut wire = Wire::new(When::Head, ok);
        wire.receive(b"POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 4\r\n\r\nab");
        if drains_first {
            wire.drain();
            wire.receive(b"cd");
        } else {
            wire.receive(b"cd");
            wire.drain();
        }
        wire.receive(TAIL);
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Drained)), "{drains_first}");
        assert!(!wire.events().contains("tail"));
    }
}

#[test]
fn a_cut_is_at_once_and_its_first_reason_stays() {
    for bytes in
        [&b""[..], b"GET /", GET, b"POST / HTTP/1.1\r\nHost: t\r\nContent-Length: 3\r\n\r\n"]
    {
        let mut wire = Wire::new(When::Late, never);
        wire.receive(bytes);
        wire.machine.cut(CloseReason::Cut);
        wire.machine.cut(CloseReason::HandlerAborted);
        assert_eq!(wire.closing(), Some(Closing::Cut(CloseReason::Cut)));
        assert!(!wire.machine.wants_bytes());
        wire.receive(GET);
        assert_eq!(wire.output(), "");
    }
}

#[test]
fn an_answer_that_is_aborted_has_no_regular_end() {
    let mut wire = Wire::new(When::Late, never);
    wire.receive(GET);
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.chunk(b"half").expect("streaming");
    wire.refuse(Fault::HandlerFailed);
    assert!(wire.output().ends_with("||4|half|"), "{}", wire.output());
    assert_eq!(wire.closing(), Some(Closing::Cut(CloseReason::HandlerAborted)));
}

const UPGRADE: &[u8] =
    b"GET /ws HTTP/1.1\r\nHost: t\r\nConnection: keep-alive, Upgrade\r\nUpgrade: websocket\r\n\r\n";

#[test]
fn an_upgrade_leaves_what_follows_to_the_next_machine() {
    let mut wire = Wire::new(When::Late, never);
    wire.receive(&[UPGRADE, b"\x81\x05hello"].concat());
    assert!(wire.machine.wants_upgrade());
    wire.machine.on_dispatch(0, 1000);
    wire.upgrade(&[(b"Sec-WebSocket-Accept", b"x")]).expect("asked for");
    wire.pump();
    assert!(wire.output().starts_with("HTTP/1.1 101 Switching Protocols|"));
    assert!(wire.output().contains("Sec-WebSocket-Accept: x|"));
    assert_eq!(wire.input, b"\x81\x05hello");
    assert_eq!((wire.closing(), wire.machine.deadline()), (None, None));
    assert!(!wire.machine.owes_answer() && !wire.machine.wants_bytes());
    assert_eq!(wire.reply(200, &[], b""), Err(AnswerError::NotOwed));
}

#[test]
fn an_upgrade_needs_a_request_for_it_that_is_complete_and_unanswered() {
    let not_asked: [&[u8]; 4] = [
        GET,
        b"GET /ws HTTP/1.1\r\nHost: t\r\nUpgrade: websocket\r\n\r\n",
        b"GET /ws HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\n\r\n",
        b"GET /ws HTTP/1.0\r\nConnection: upgrade\r\nUpgrade: websocket\r\n\r\n",
    ];
    for input in not_asked {
        let mut wire = Wire::new(When::Late, ok);
        wire.receive(input);
        assert!(!wire.machine.wants_upgrade());
        assert_eq!(wire.upgrade(&[]), Err(AnswerError::NotOwed));
        assert_eq!(wire.output(), "");
    }

    let mut wire = Wire::new(When::Late, ok);
    wire.receive(b"POST /ws HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\na");
    assert_eq!(wire.upgrade(&[]), Err(AnswerError::NotOwed), "a body is under way");
    wire.receive(b"b");
    wire.upgrade(&[]).expect("the body is complete");
    assert_eq!(wire.upgrade(&[]), Err(AnswerError::NotOwed), "twice");

    let mut wire = Wire::new(When::Late, ok);
    wire.receive(UPGRADE);
    wire.head(200, &[], BodyLength::Unknown).expect("an upgrade may be ignored");
    assert_eq!(wire.upgrade(&[]), Err(AnswerError::NotOwed), "the head is out");
    wire.finish(&[]).expect("streaming");
    wire.receive(GET);
    assert!(!wire.machine.wants_upgrade(), "that was the request before");
    assert_eq!(wire.upgrade(&[]), Err(AnswerError::NotOwed));
}

/// RFC 9110 §15.2.2 and §7.8: 101 names the protocol, and Connection lists the field.
#[test]
fn an_upgrade_names_its_protocol() {
    let mut wire = Wire::new(When::Late, never);
    wire.receive(UPGRADE);
    wire.upgrade(&[]).expect("asked for");
    let output = wire.output().to_ascii_lowercase();
    assert!(output.contains("|upgrade: websocket|"), "{output}");
    assert!(output.contains("|connection: upgrade|"), "{output}");
}

/// The answer is complete, but half of it waits: a FIN now would be its regular end.
#[test]
fn a_body_that_ends_with_the_connection_has_no_plain_close_before_it_is_sent() {
    let mut wire = Wire::new(When::Late, never);
    wire.receive(b"GET / HTTP/1.0\r\n\r\n");
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.chunk(b"a whole body").expect("under way");
    assert!(wire.machine.ends_by_close(), "under way");
    wire.finish(&[]).expect("complete");
    wire.blocked(5);
    assert!(wire.machine.ends_by_close(), "complete, and a part of it waits");
    wire.sent();
    assert!(!wire.machine.ends_by_close(), "sent");
}
