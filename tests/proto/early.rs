//! Expect: 100-continue (RFC 9110 §10.1.1), and answers that come before the request is complete:
//! a known rest up to 64 KiB is dropped, anything else closes.

use barewire::proto::http1::{BodyLength, Closing};
use barewire::proto::{CloseReason, Fault};
use barewire::wire::Error;

use super::case::{Case, End, ok, refusal};
use super::wire::{When, Wire};

const KEEP: &str = "HTTP/1.1 200 OK|Content-Length: 2||ok";
const CLOSE: &str = "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||ok";
const CONTINUE: &str = "HTTP/1.1 100 Continue||";
const ANSWERED: End = End::Shut(CloseReason::Answered);

fn post(fields: &str, body: &[u8]) -> Vec<u8> {
    [format!("POST /a HTTP/1.1\r\nHost: t\r\n{fields}\r\n").as_bytes(), body].concat()
}

#[test]
fn a_known_rest_up_to_64_kib_is_dropped_and_the_next_request_served() {
    for (length, output, end) in [
        (0, KEEP, End::Open),
        (1, KEEP, End::Open),
        (64 * 1024, KEEP, End::Open),
        (64 * 1024 + 1, CLOSE, ANSWERED),
        (1 << 40, CLOSE, ANSWERED),
    ] {
        let sent = vec![b'x'; length.min(70_000)];
        let dropped = if end == End::Open && length > 0 {
            format!(", dropped {length}")
        } else {
            String::new()
        };
        Case {
            name: &format!("early answer, {length} bytes"),
            input: &post(&format!("Content-Length: {length}\r\n"), &sent),
            handler: ok,
            when: When::Head,
            events: &format!("POST /a +{length}{dropped}"),
            output,
            end,
        }
        .check();
    }
}

#[test]
fn an_unread_chunked_body_closes() {
    Case {
        name: "early answer, chunked",
        input: &post("Transfer-Encoding: chunked\r\n", b"2\r\nhi\r\n0\r\n\r\n"),
        handler: ok,
        when: When::Head,
        events: "POST /a +chunked",
        output: CLOSE,
        end: ANSWERED,
    }
    .check();
}

#[test]
fn what_was_read_already_does_not_count_as_rest() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 100000\r\n", &vec![b'x'; 100_000 - 64 * 1024]));
    wire.answer();
    assert_eq!((wire.output().as_str(), wire.closing()), (KEEP, None));
    assert!(wire.machine.wants_bytes() && !wire.machine.is_in_body());
    wire.receive(&vec![b'x'; 64 * 1024]);
    wire.receive(super::wire::TAIL);
    assert_eq!(wire.events(), "POST /a +100000, dropped 65536, GET /tail");
}

#[test]
fn a_body_goes_on_while_an_early_answer_streams_and_its_rest_is_dropped() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 6\r\n", b"ab"));
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.receive(b"cd");
    assert!(wire.machine.is_in_body(), "somebody may still want it");
    wire.chunk(b"x").expect("streaming");
    wire.finish(&[]).expect("streaming");
    assert!(!wire.machine.is_in_body() && wire.closing().is_none());
    wire.receive(b"efGET /tail HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(wire.events(), "POST /a +6, dropped 2, GET /tail");
}

#[test]
fn an_echo_that_streams_both_ways_completes_both() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 4\r\n", b"ab"));
    wire.head(200, &[], BodyLength::Known(4)).expect("owed");
    wire.chunk(b"ab").expect("streaming");
    wire.receive(b"cd");
    assert_eq!(wire.events(), "POST /a +4, body abcd");
    wire.chunk(b"cd").expect("streaming");
    wire.finish(&[]).expect("streaming");
    assert!(wire.machine.is_idle());
}

/// The decision was made when the head was encoded, and stands.
#[test]
fn a_streaming_answer_that_said_close_closes_although_its_body_came() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Transfer-Encoding: chunked\r\n", b"2\r\nhi\r\n"));
    wire.head(200, &[], BodyLength::Known(0)).expect("owed");
    wire.receive(b"0\r\n\r\n");
    wire.receive(super::wire::TAIL);
    wire.finish(&[]).expect("streaming");
    wire.pump();
    assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Answered)));
    assert_eq!(wire.events(), "POST /a +chunked, body hi");
}

#[test]
fn a_wanted_body_gets_100_continue_once() {
    let wants: fn(&mut Wire) = |wire| {
        if wire.machine.is_in_body() {
            wire.want_body();
            wire.want_body();
        }
    };
    for fields in ["Expect: 100-continue\r\n", "expect: 100-Continue\r\n"] {
        for (framing, body, kind) in [
            ("Content-Length: 2\r\n", &b"hi"[..], "+2"),
            ("Transfer-Encoding: chunked\r\n", b"2\r\nhi\r\n0\r\n\r\n", "+chunked"),
        ] {
            let mut wire = Wire::new(When::Head, wants);
            wire.receive(&post(&format!("{fields}{framing}"), b""));
            assert_eq!(wire.output(), CONTINUE);
            for &byte in body {
                wire.receive(&[byte]);
            }
            wire.want_body();
            ok(&mut wire);
            wire.pump();
            assert_eq!(wire.output(), format!("{CONTINUE}{KEEP}"));
            assert_eq!(wire.events(), format!("POST /a {kind}, body hi"));
            assert!(wire.machine.is_idle());
        }
    }
}

#[test]
fn no_100_continue_where_none_is_awaited() {
    let wants: fn(&mut Wire) = |wire| {
        wire.want_body();
        wire.want_body();
    };
    for (name, head) in [
        ("no expectation", "POST /a HTTP/1.1\r\nHost: t\r\nContent-Length: 2\r\n"),
        ("no body", "GET /a HTTP/1.1\r\nHost: t\r\nExpect: 100-continue\r\n"),
        ("empty", "PUT /a HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\nExpect: 100-continue\r\n"),
        ("1.0", "PUT /a HTTP/1.0\r\nContent-Length: 2\r\nExpect: 100-continue\r\n"),
    ] {
        let mut wire = Wire::new(When::Head, wants);
        wire.receive(format!("{head}\r\n").as_bytes());
        assert_eq!(wire.output(), "", "{name}");
    }
}

#[test]
fn no_100_continue_once_body_bytes_came() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 2\r\nExpect: 100-continue\r\n", b"h"));
    wire.want_body();
    assert_eq!(wire.output(), "");
    ok(&mut wire);
    assert_eq!(wire.output(), KEEP, "and the rest is coming, so the connection goes on");
}

#[test]
fn no_100_continue_behind_the_final_head() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 2\r\nExpect: 100-continue\r\n", b""));
    wire.head(200, &[], BodyLength::Known(0)).expect("owed");
    let length = wire.out.len();
    wire.want_body();
    assert_eq!(wire.out.len(), length);
}

#[test]
fn an_unsent_100_continue_closes_whatever_the_rest() {
    for (framing, body) in [
        ("Content-Length: 2\r\n", &b""[..]),
        ("Content-Length: 2\r\n", b"hi"),
        ("Transfer-Encoding: chunked\r\n", b""),
    ] {
        let mut wire = Wire::new(When::Head, ok);
        wire.receive(&post(&format!("{framing}Expect: 100-continue\r\n"), b""));
        wire.receive(body);
        wire.receive(super::wire::TAIL);
        assert_eq!(wire.output(), CLOSE);
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Answered)));
        assert!(!wire.events().contains("tail"));
    }
}

#[test]
fn a_sent_100_continue_lets_a_short_rest_be_dropped() {
    for by_hand in [false, true] {
        let mut wire = Wire::new(When::Late, ok);
        wire.receive(&post("Content-Length: 2\r\nExpect: 100-continue\r\n", b""));
        if by_hand {
            wire.informational(100, &[]).expect("owed");
            wire.want_body();
        } else {
            wire.want_body();
        }
        ok(&mut wire);
        assert_eq!(wire.output(), format!("{CONTINUE}{KEEP}"), "by hand: {by_hand}");
        wire.receive(b"hi");
        wire.receive(super::wire::TAIL);
        assert_eq!(wire.events(), "POST /a +2, dropped 2, GET /tail");
    }
}

#[test]
fn a_fault_in_a_body_refuses_it_before_the_head_and_cuts_after() {
    let input = post("Transfer-Encoding: chunked\r\n", b"2\r\nhi\r\nXY\r\n");
    let chunk = Fault::Wire(Error::Chunk);
    Case {
        name: "before the head",
        input: &input,
        handler: ok,
        when: When::End,
        events: "POST /a +chunked, fault 400 Wire(Chunk)",
        output: &refusal("400 Bad Request", chunk),
        end: End::Shut(CloseReason::Malformed),
    }
    .check();
    let starts: fn(&mut Wire) = |wire| {
        wire.head(200, &[], BodyLength::Unknown).expect("owed");
        wire.chunk(b"part").expect("streaming");
    };
    // The head said `close`, which is why the connection ends; the fault decides how.
    Case {
        name: "after the head",
        input: &input,
        handler: starts,
        when: When::Head,
        events: "POST /a +chunked, fault 400 Wire(Chunk)",
        output: "HTTP/1.1 200 OK|Transfer-Encoding: chunked|Connection: close||4|part|",
        end: End::Cut(CloseReason::Answered),
    }
    .check();
}

/// 413 in mid-body, the policy of the room above, goes through the same door.
#[test]
fn a_body_above_its_limit_is_refused_or_cut() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 9\r\n", b"abc"));
    wire.refuse(Fault::BodyTooLarge);
    assert_eq!(wire.output(), refusal("413 Content Too Large", Fault::BodyTooLarge));
    assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::BodyTooLarge)));
    assert!(!wire.machine.wants_bytes(), "the rest isn't read as a request");

    let mut wire = Wire::new(When::Late, ok);
    wire.receive(&post("Content-Length: 9\r\n", b"abc"));
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    let length = wire.out.len();
    wire.refuse(Fault::BodyTooLarge);
    assert_eq!(wire.out.len(), length, "no end marker");
    assert_eq!(wire.closing(), Some(Closing::Cut(CloseReason::BodyTooLarge)));
}
