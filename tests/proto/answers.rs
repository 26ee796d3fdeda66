//! What an answer looks like on the wire: framing by status, method and version (RFC 9110 §8.6,
//! §15; RFC 9112 §6), interim answers, and what a giver may not do.

use barewire::proto::http1::{AnswerError, BodyLength, Closing, Context, Http1, Settings};
use barewire::proto::{CloseReason, Fault};
use barewire::wire::block::Block;
use barewire::wire::head::HeadSpans;

use super::case::{Case, End, never, ok, refusal};
use super::wire::{Pair, When, Wire};

const KNOWN: BodyLength = BodyLength::Known(5);
const NONE: BodyLength = BodyLength::Known(0);
const UNKNOWN: BodyLength = BodyLength::Unknown;
const DECLARED: &[Pair<'static>] = &[(b"Content-Length", b"42")];
const CUSTOM: &[Pair<'static>] = &[(b"X-A", b"1"), (b"x-a", b"2")];

/// Request line without its target's version, status, fields, length → bytes; a body of 5 bytes
/// is given unless the length is 0.
#[rustfmt::skip]
const TABLE: [(&str, u16, &[Pair<'static>], BodyLength, &str); 22] = [
    ("GET 1.1", 200, &[], KNOWN, "200 OK|Content-Length: 5||hello"),
    ("GET 1.1", 200, &[], NONE, "200 OK|Content-Length: 0||"),
    ("GET 1.1", 200, CUSTOM, NONE, "200 OK|X-A: 1|x-a: 2|Content-Length: 0||"),
    ("GET 1.1", 200, &[], UNKNOWN, "200 OK|Transfer-Encoding: chunked||5|hello|0||"),
    ("GET 1.1", 404, &[], KNOWN, "404 Not Found|Content-Length: 5||hello"),
    ("GET 1.1", 599, &[], NONE, "599 |Content-Length: 0||"),
    ("GET 1.1", 204, &[], KNOWN, "204 No Content||"),
    ("GET 1.1", 204, DECLARED, UNKNOWN, "204 No Content||"),
    ("GET 1.1", 205, &[], KNOWN, "205 Reset Content|Content-Length: 0||"),
    ("GET 1.1", 205, &[], UNKNOWN, "205 Reset Content|Content-Length: 0||"),
    ("GET 1.1", 304, &[], KNOWN, "304 Not Modified||"),
    ("GET 1.1", 304, DECLARED, NONE, "304 Not Modified|Content-Length: 42||"),
    ("GET 1.1", 304, &[], UNKNOWN, "304 Not Modified||"),
    ("GET 1.1", 200, DECLARED, KNOWN, "200 OK|Content-Length: 5||hello"),
    ("GET 1.1", 200, DECLARED, UNKNOWN, "200 OK|Transfer-Encoding: chunked||5|hello|0||"),
    ("HEAD 1.1", 200, &[], KNOWN, "200 OK|Content-Length: 5||"),
    ("HEAD 1.1", 200, &[], UNKNOWN, "200 OK|Transfer-Encoding: chunked||"),
    ("HEAD 1.1", 200, DECLARED, NONE, "200 OK|Content-Length: 42||"),
    ("HEAD 1.1", 200, &[], NONE, "200 OK|Content-Length: 0||"),
    ("HEAD 1.1", 204, &[], NONE, "204 No Content||"),
    ("HEAD 1.1", 304, &[], KNOWN, "304 Not Modified||"),
    ("OPTIONS 1.1", 200, &[], KNOWN, "200 OK|Content-Length: 5||hello"),
];

#[test]
fn the_framing_of_an_answer_follows_status_method_and_length() {
    for (request, status, fields, length, expected) in TABLE {
        let mut wire = get(request);
        give(&mut wire, status, fields, length);
        assert_eq!(wire.output(), format!("HTTP/1.1 {expected}"), "{request} {status} {length:?}");
        assert_eq!(wire.closing(), None);
        wire.receive(b"GET /next HTTP/1.1\r\nHost: t\r\n\r\n");
        assert!(wire.events().ends_with(", GET /next"), "the connection goes on");
    }
}

#[test]
fn http_1_0_never_gets_chunks() {
    for (request, length, expected, stays) in [
        ("GET 1.0", UNKNOWN, "200 OK|Connection: close||hello", false),
        ("GET 1.0+", UNKNOWN, "200 OK|Connection: close||hello", false),
        ("GET 1.0+", KNOWN, "200 OK|Content-Length: 5|Connection: keep-alive||hello", true),
        ("HEAD 1.0", KNOWN, "200 OK|Content-Length: 5|Connection: close||", false),
        ("HEAD 1.0+", KNOWN, "200 OK|Content-Length: 5|Connection: keep-alive||", true),
    ] {
        let mut wire = get(request);
        give(&mut wire, 200, &[], length);
        assert_eq!(wire.output(), format!("HTTP/1.1 {expected}"), "{request} {length:?}");
        let closing = (!stays).then_some(Closing::Shut(CloseReason::Answered));
        assert_eq!(wire.closing(), closing, "{request} {length:?}");
    }
}

#[test]
fn chunks_trailers_and_the_end_marker() {
    let mut wire = get("GET 1.1");
    wire.head(200, &[], UNKNOWN).expect("owed");
    let head = wire.out.len();
    wire.chunk(b"").expect("nothing is a chunk, too");
    assert_eq!(wire.out.len(), head, "an empty part is not the end marker");
    wire.chunk(b"0123456789abcdef").expect("streaming");
    wire.chunk(b"x").expect("streaming");
    for bad in [&(&b"bad name"[..], &b"v"[..]), &(b"X", b"a\r\nb"), &(b"X", b"a\0b")] {
        assert_eq!(wire.finish(&[*bad]), Err(AnswerError::Field));
        assert!(wire.machine.owes_answer(), "nothing has changed");
    }
    assert!(wire.output().ends_with("||10|0123456789abcdef|1|x|"), "{}", wire.output());
    wire.finish(&[(b"X-Sum", b"17"), (b"Y", b"")]).expect("streaming");
    assert!(wire.output().ends_with("|1|x|0|X-Sum: 17|Y: ||"), "{}", wire.output());

    let mut wire = get("GET 1.1");
    wire.head(200, &[], KNOWN).expect("owed");
    wire.chunk(b"hello").expect("streaming");
    wire.finish(&[(b"X-Sum", b"5")]).expect("trailers are dropped where they can't be sent");
    assert!(wire.output().ends_with("||hello"));
}

#[test]
fn a_body_of_another_length_than_its_head_said_is_an_error_and_no_byte() {
    let mut wire = get("GET 1.1");
    wire.head(200, &[], KNOWN).expect("owed");
    let head = wire.out.len();
    assert_eq!(wire.chunk(b"123456"), Err(AnswerError::Length));
    assert_eq!(wire.machine.body(6), Err(AnswerError::Length));
    assert_eq!(wire.out.len(), head);
    wire.chunk(b"123").expect("fits");
    assert_eq!(wire.chunk(b"456"), Err(AnswerError::Length));
    assert_eq!(wire.finish(&[]), Err(AnswerError::Length));
    assert!(wire.machine.owes_answer());
    wire.chunk(b"45").expect("fits");
    wire.finish(&[]).expect("complete");
    assert_eq!(&wire.out[head..], b"12345");
    assert_eq!(wire.closing(), None);
}

#[test]
fn an_answer_in_the_wrong_state_or_with_a_wrong_status_changes_nothing() {
    let mut wire = Wire::new(When::Late, never);
    let nothing = |wire: &mut Wire| {
        assert_eq!(wire.chunk(b"x"), Err(AnswerError::NotOwed));
        assert_eq!(wire.machine.body(1), Err(AnswerError::NotOwed));
        assert_eq!(wire.finish(&[]), Err(AnswerError::NotOwed));
    };
    assert_eq!(wire.head(200, &[], NONE), Err(AnswerError::NotOwed));
    assert_eq!(wire.informational(103, &[]), Err(AnswerError::NotOwed));
    nothing(&mut wire);
    wire.receive(b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n");
    nothing(&mut wire);
    for status in [0, 99, 100, 101, 199, 600, 999, u16::MAX] {
        assert_eq!(wire.head(status, &[], NONE), Err(AnswerError::Status), "{status}");
    }
    for status in [0, 99, 101, 200, 600] {
        assert_eq!(wire.informational(status, &[]), Err(AnswerError::Status), "{status}");
    }
    assert!(wire.out.is_empty() && wire.machine.owes_head());
    wire.head(200, &[], UNKNOWN).expect("owed");
    assert_eq!(wire.head(200, &[], NONE), Err(AnswerError::NotOwed), "twice");
    assert_eq!(wire.informational(103, &[]), Err(AnswerError::NotOwed), "behind the head");
    wire.finish(&[]).expect("streaming");
    assert_eq!(wire.head(200, &[], NONE), Err(AnswerError::NotOwed));
    nothing(&mut wire);
    assert_eq!(wire.output(), "HTTP/1.1 200 OK|Transfer-Encoding: chunked||0||");
}

#[test]
fn interim_answers_come_before_the_final_one() {
    let hints: fn(&mut Wire) = |wire| {
        wire.informational(103, &[(b"Link", b"</a.css>")]).expect("owed");
        wire.informational(102, &[]).expect("owed");
        ok(wire);
    };
    let case = Case {
        name: "early hints",
        input: b"GET /a HTTP/1.1\r\nHost: t\r\n\r\n",
        handler: hints,
        when: When::End,
        events: "GET /a",
        output: "HTTP/1.1 103 Early Hints|Link: </a.css>||HTTP/1.1 102 Processing||\
            HTTP/1.1 200 OK|Content-Length: 2||ok",
        end: End::Open,
    };
    case.check();
    Case {
        name: "none for HTTP/1.0",
        input: b"GET /a HTTP/1.0\r\n\r\n",
        output: "HTTP/1.1 200 OK|Content-Length: 2|Connection: close||ok",
        end: End::Shut(CloseReason::Answered),
        ..case
    }
    .check();
}

#[test]
fn framing_and_hop_by_hop_fields_of_the_handler_never_reach_the_wire() {
    let fields: [Pair<'_>; 8] = [
        (b"transfer-encoding", b"gzip, chunked"),
        (b"Content-Length", b"999"),
        (b"content-length", b"1"),
        (b"Keep-Alive", b"timeout=5"),
        (b"Proxy-Connection", b"keep-alive"),
        (b"Upgrade", b"h2c"),
        (b"Trailer", b"X"),
        (b"X-Kept", b"yes"),
    ];
    let mut wire = get("GET 1.1");
    wire.reply(200, &fields, b"hello").expect("owed");
    assert_eq!(wire.output(), "HTTP/1.1 200 OK|X-Kept: yes|Content-Length: 5||hello");
}

#[test]
fn the_date_is_the_servers_unless_the_handler_gives_one() {
    let settings = Settings::default();
    let date = b"Date: Thu, 01 Jan 1970 00:00:00 GMT\r\n";
    let cx = Context { settings: &settings, now: 0, date, draining: false };
    for (fields, expected) in [
        (&[][..], "HTTP/1.1 200 OK\r\nDate: Thu, 01 Jan 1970 00:00:00 GMT\r\n"),
        (&[(&b"date"[..], &b"today"[..])][..], "HTTP/1.1 200 OK\r\ndate: today\r\n"),
    ] {
        let mut machine = Http1::new(&cx);
        let request = b"GET / HTTP/1.1\r\nHost: t\r\n\r\n";
        machine.next(request, &mut HeadSpans::default(), &cx).expect("a request");
        let mut out = Vec::new();
        let block = Block::parse(fields.iter().copied()).expect("valid");
        let _ = machine.head(&mut out, 200, &block, NONE, &cx).expect("owed");
        assert_eq!(out, [expected.as_bytes(), b"Content-Length: 0\r\n\r\n"].concat());
    }
}

#[test]
fn a_body_written_in_place_corrects_its_head() {
    for (method, written, digits) in [("GET", 5, "5"), ("GET", 12345, "12345"), ("GET", 0, "0")] {
        let settings = Settings::default();
        let cx = Context { settings: &settings, now: 0, date: b"", draining: false };
        let mut machine = Http1::new(&cx);
        let request = format!("{method} / HTTP/1.1\r\nHost: t\r\n\r\n");
        machine.next(request.as_bytes(), &mut HeadSpans::default(), &cx).expect("a request");
        let mut out = b"before".to_vec();
        let sending = machine
            .head(&mut out, 200, &Block::default(), BodyLength::Known(77), &cx)
            .expect("owed");
        assert!(sending.has_body);
        out.extend(std::iter::repeat_n(b'x', written));
        machine.amend_length(&mut out, sending, written as u64);
        machine.body(written as u64).expect("the new length");
        machine.finish(&mut out, &[], &cx).expect("complete");
        let head = format!("beforeHTTP/1.1 200 OK\r\nContent-Length: {digits}\r\n\r\n");
        assert!(out.starts_with(head.as_bytes()) && out.len() == head.len() + written);
    }
}

#[test]
fn the_servers_own_answers_follow_the_same_rules() {
    for (method, fault, line, stays) in [
        ("GET", Fault::HandlerFailed, "500 Internal Server Error", true),
        ("GET", Fault::Overloaded, "503 Service Unavailable", true),
        ("GET", Fault::HandlerTimeout, "503 Service Unavailable", false),
        ("GET", Fault::BodyTooLarge, "413 Content Too Large", false),
        ("CONNECT", Fault::Connect, "501 Not Implemented", false),
        ("HEAD", Fault::HandlerFailed, "500 Internal Server Error", true),
    ] {
        let mut wire = Wire::new(When::Late, never);
        let target = if method == "CONNECT" { "t:443" } else { "/a" };
        wire.receive(format!("{method} {target} HTTP/1.1\r\nHost: t:443\r\n\r\n").as_bytes());
        wire.refuse(fault);
        let mut expected = refusal(line, fault);
        if method == "HEAD" {
            expected.truncate(expected.find("||").expect("the head's end") + 2);
        }
        assert_eq!(wire.output(), expected);
        assert_eq!(wire.closing().is_none(), stays, "{fault:?}");
    }
}

/// A request that waits for its answer: method and version, `+` for keep-alive in HTTP/1.0.
fn get(request: &str) -> Wire {
    let (method, version) = request.split_once(' ').expect("two words");
    let keep = if version.ends_with('+') { "Connection: keep-alive\r\n" } else { "" };
    let version = version.trim_end_matches('+');
    let mut wire = Wire::new(When::Late, ok);
    wire.receive(format!("{method} /a HTTP/{version}\r\nHost: t\r\n{keep}\r\n").as_bytes());
    wire
}

fn give(wire: &mut Wire, status: u16, fields: &[Pair<'_>], length: BodyLength) {
    wire.head(status, fields, length).expect("owed");
    if length != NONE {
        wire.chunk(b"hello").expect("streaming");
    }
    wire.finish(&[]).expect("streaming");
}
