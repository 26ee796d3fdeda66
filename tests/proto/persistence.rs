//! Whether the connection goes on (RFC 9112 §9.3), and pipelining (§9.3.2).

use barewire::proto::http1::{Closing, Event};
use barewire::proto::{CloseReason, Fault};
use barewire::wire::Error;

use super::case::{Case, End, ok, refusal};
use super::wire::{When, Wire};

const KEEP: &str = "HTTP/1.1 200 OK|Content-Length: 2||ok";
const KEEP_10: &str = "HTTP/1.1 200 OK|Content-Length: 2|Connection: keep-alive||ok";
const CLOSE: &str = "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||ok";
const ANSWERED: End = End::Shut(CloseReason::Answered);

#[test]
fn a_connection_persists_by_version_and_by_connection_tokens() {
    for (version, fields, output, end) in [
        ("1.1", "", KEEP, End::Open),
        ("1.1", "Connection: keep-alive\r\n", KEEP, End::Open),
        ("1.1", "Connection: close\r\n", CLOSE, ANSWERED),
        ("1.1", "Connection: CLOSE\r\n", CLOSE, ANSWERED),
        ("1.1", "Connection: keep-alive, close\r\n", CLOSE, ANSWERED),
        ("1.1", "Connection: close, keep-alive\r\n", CLOSE, ANSWERED),
        ("1.1", "Connection: x-close\r\n", KEEP, End::Open),
        ("1.1", "Connection: closed\r\n", KEEP, End::Open),
        ("1.1", "Connection: te\r\nConnection: , close ,\r\n", CLOSE, ANSWERED),
        ("1.1", "Proxy-Connection: close\r\n", KEEP, End::Open),
        ("1.2", "", KEEP, End::Open),
        ("1.0", "", CLOSE, ANSWERED),
        ("1.0", "Connection: close\r\n", CLOSE, ANSWERED),
        ("1.0", "Connection: Keep-Alive\r\n", KEEP_10, End::Open),
        ("1.0", "Connection: keep-alive, close\r\n", CLOSE, ANSWERED),
        ("1.0", "Connection: keep-alives\r\n", CLOSE, ANSWERED),
    ] {
        let input = format!("GET /a HTTP/{version}\r\nHost: t\r\n{fields}\r\n");
        for when in [When::End, When::Late] {
            Case {
                name: &format!("{version} {fields:?} {when:?}"),
                input: input.as_bytes(),
                handler: ok,
                when,
                events: "GET /a",
                output,
                end,
            }
            .check();
        }
    }
}

#[test]
fn a_handler_may_close_but_not_keep() {
    let request = b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n";
    let closes: fn(&mut Wire) =
        |wire| wire.reply(200, &[(b"Connection", b"x, Close")], b"ok").expect("owed");
    let keeps: fn(&mut Wire) = |wire| {
        let fields: [(&[u8], &[u8]); 2] =
            [(b"connection", b"keep-alive"), (b"Keep-Alive", b"timeout=9")];
        wire.reply(200, &fields, b"ok").expect("owed");
    };
    let base = Case {
        name: "the handler closes",
        input: request,
        handler: closes,
        when: When::End,
        events: "GET /a",
        output: CLOSE,
        end: ANSWERED,
    };
    base.check();
    Case { name: "the handler keeps", handler: keeps, output: KEEP, end: End::Open, ..base }
        .check();
    let last = b"GET /a HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n";
    Case { name: "the client closes", input: last, handler: keeps, ..base }.check();
}

#[test]
fn requests_of_all_kinds_follow_each_other_in_order() {
    let input = b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\n\
        POST /2 HTTP/1.1\r\nHost: t\r\nContent-Length: 5\r\n\r\nhello\
        POST /3 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n3;x=y\r\nabc\r\n0\r\nT: v\r\n\r\n\
        \r\n\r\nPOST /4 HTTP/1.1\r\nHost: t\r\nContent-Length: 0\r\n\r\n\
        POST /5 HTTP/1.1\r\nHost: t\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n";
    for when in [When::End, When::Late] {
        Case {
            name: "five requests",
            input,
            handler: ok,
            when,
            events: "GET /1, POST /2 +5, body hello, POST /3 +chunked, body abc [T=v], \
                POST /4 +0, body , POST /5 +chunked, body ",
            output: &KEEP.repeat(5),
            end: End::Open,
        }
        .check();
    }
}

#[test]
fn the_next_request_waits_while_an_answer_is_owed() {
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\nGET");
    assert_eq!(wire.events(), "GET /1");
    assert_eq!(wire.machine.sequence(), 1);
    assert!(!wire.machine.wants_bytes());
    let cx = barewire::proto::http1::Context {
        settings: &wire.settings,
        now: 0,
        date: b"",
        draining: false,
    };
    let mut spans = barewire::wire::head::HeadSpans::default();
    assert_eq!(wire.machine.next(&wire.input, &mut spans, &cx), Ok((0, Event::Paused)));

    wire.answer();
    wire.pump();
    assert_eq!(wire.events(), "GET /1, GET /2");
    assert_eq!(wire.machine.sequence(), 2, "each request has a number of its own");
    wire.answer();
    wire.pump();
    assert_eq!(wire.machine.sequence(), 2);
    wire.receive(b" /3 HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(wire.events(), "GET /1, GET /2, GET /3");
    assert_eq!(wire.machine.sequence(), 3);
    assert_eq!(wire.output(), KEEP.repeat(2));
}

#[test]
fn a_streaming_answer_holds_the_next_request_back_until_its_end() {
    use barewire::proto::http1::BodyLength;
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\r\nHost: t\r\n\r\n");
    wire.head(200, &[], BodyLength::Unknown).expect("owed");
    wire.pump();
    wire.chunk(b"x").expect("streaming");
    wire.pump();
    assert_eq!(wire.events(), "GET /1");
    assert!(wire.machine.owes_answer() && !wire.machine.owes_head());
    wire.finish(&[]).expect("streaming");
    wire.pump();
    assert_eq!(wire.events(), "GET /1, GET /2");
}

#[test]
fn a_malformed_request_behind_a_good_one_is_refused_after_its_answer() {
    let line_feed = Fault::Wire(Error::BareLineFeed);
    Case {
        name: "the second is malformed",
        input: b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\nGET /2 HTTP/1.1\n",
        handler: ok,
        when: When::Late,
        events: "GET /1, fault 400 Wire(BareLineFeed)",
        output: &format!("{KEEP}{}", refusal("400 Bad Request", line_feed)),
        end: End::Shut(CloseReason::Malformed),
    }
    .check();
}

#[test]
fn a_refused_request_has_a_number_of_its_own() {
    let mut wire = Wire::new(When::End, ok);
    wire.receive(b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\n");
    assert_eq!(wire.machine.sequence(), 1);
    wire.receive(b"BAD\r\n\r\n");
    assert_eq!(wire.machine.sequence(), 2, "a late answer to the first can't reach it");
    assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Malformed)));
}

/// Old clients send CR LF behind a body; RFC 9112 §2.2 has servers skip it. It is no request:
/// neither a FIN nor a clock may find one there, however it is cut into pieces.
#[test]
fn empty_lines_between_requests_are_no_request_in_any_delivery() {
    let request = b"GET /1 HTTP/1.1\r\nHost: t\r\n\r\n";
    for pieces in [&[&b"\r\n"[..]][..], &[b"\r", b"\n"], &[b"\r\n", b"\r", b"\n"]] {
        let mut wire = Wire::new(When::End, ok);
        wire.receive(request);
        for piece in pieces {
            wire.receive(piece);
        }
        assert_eq!(wire.machine.deadline(), Some(75_000), "the idle clock runs: {pieces:?}");
        wire.fin();
        assert_eq!(wire.events(), "GET /1", "{pieces:?}");
        assert_eq!(wire.closing(), Some(Closing::Shut(CloseReason::Client)), "{pieces:?}");
    }
}
