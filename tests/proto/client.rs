//! The client's role: answers found in an upstream's bytes, whole and in any pieces.

use std::fmt::Write as _;

use barewire::proto::client::{Broken, Client, Found};
use barewire::wire::head::{HeadLimits, Method};
use barewire::wire::response::{ResponseHead, ResponseSpans};

/// What a client finds when the bytes come in these pieces and then the connection ends: heads as
/// `200`, data joined, `.` and trailers at the end, then `+` if the connection can be used again.
fn told(method: Method, input: &[u8], ends: &[usize], fin: bool) -> String {
    let mut client = Client::new();
    let mut spans = ResponseSpans::default();
    client.on_request(method);
    let (mut out, mut data, mut start) = (String::new(), Vec::new(), 0);
    let mut is_over = false;
    for &end in ends {
        loop {
            let found = client.next(&input[start..end], &mut spans, &HeadLimits::default());
            let base = start;
            match found {
                Ok((used, found)) => {
                    start += used;
                    match found {
                        Found::NeedBytes => break,
                        Found::Head { length, .. } => {
                            let head = ResponseHead::of(&input[base..base + length], &spans);
                            write!(out, "{} ", head.status()).expect("a String");
                        }
                        Found::Data { start, end } => {
                            data.extend_from_slice(&input[base + start..base + end]);
                        }
                        Found::End(trailers) => {
                            is_over = true;
                            write!(out, "{}.", data.escape_ascii()).expect("a String");
                            for (name, value) in trailers.iter() {
                                let (name, value) = (name.escape_ascii(), value.escape_ascii());
                                write!(out, " {name}={value}").expect("a String");
                            }
                            if client.is_reusable() {
                                out.push_str(" +");
                            }
                        }
                    }
                }
                Err(broken) => return format!("{out}{broken:?}"),
            }
        }
    }
    if !is_over {
        out.push_str(&data.escape_ascii().to_string());
    }
    if fin {
        match client.on_fin() {
            Ok(()) if !is_over => out.push_str(" fin"),
            Ok(()) => {}
            Err(broken) => write!(out, " {broken:?}").expect("a String"),
        }
        assert!(!client.is_reusable());
    }
    out
}

fn check(method: Method, input: &[u8], fin: bool, expected: &str) {
    let mut ways = vec![vec![input.len()], (1..=input.len()).collect::<Vec<_>>()];
    ways.extend((1..input.len()).map(|cut| vec![cut, input.len()]));
    for ends in ways {
        let actual = told(method, input, &ends, fin);
        assert_eq!(actual, expected, "{} in {ends:?}", input.escape_ascii());
    }
}

#[test]
fn an_answer_ends_where_its_framing_says() {
    let rows: [(Method, &[u8], &str); 8] = [
        (Method::Get, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\nabc", "200 abc. +"),
        (Method::Get, b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", "200 . +"),
        (
            Method::Get,
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n2\r\nab\r\n1\r\nc\r\n0\r\nX: 1\r\n\r\n",
            "200 abc. X=1 +",
        ),
        (Method::Head, b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n\r\n", "200 . +"),
        (Method::Get, b"HTTP/1.1 304 Not Modified\r\nContent-Length: 3\r\n\r\n", "304 . +"),
        (
            Method::Get,
            b"HTTP/1.1 200 OK\r\nConnection: close\r\nContent-Length: 1\r\n\r\na",
            "200 a.",
        ),
        (
            Method::Post,
            b"HTTP/1.1 100 Continue\r\n\r\nHTTP/1.1 103 Early Hints\r\nLink: a\r\n\r\nHTTP/1.1 204 No\r\n\r\n",
            "100 103 204 . +",
        ),
        (Method::Get, b"HTTP/1.0 200 OK\r\nContent-Length: 1\r\n\r\na", "200 a."),
    ];
    for (method, input, expected) in rows {
        check(method, input, false, expected);
        check(method, input, true, expected);
    }
}

#[test]
fn the_end_of_the_connection_completes_only_what_has_no_other_end() {
    let rows: [(&[u8], &str); 6] = [
        (b"HTTP/1.1 200 OK\r\n\r\nabc", "200 abc fin"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 4\r\n\r\nabc", "200 abc Incomplete"),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n",
            "200 abc Incomplete",
        ),
        (
            b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\n",
            "200 abc Incomplete",
        ),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "100  Incomplete"),
        (b"HTTP/1.1 200 O", " Incomplete"),
    ];
    for (input, expected) in rows {
        check(Method::Get, input, true, expected);
    }
}

#[test]
fn wrong_bytes_break_the_answer() {
    let rows: [(&[u8], &str); 5] = [
        (b"SSH-2.0-x\r\nHost\r\n\r\n", "Wire(Version)"),
        (b"HTTP/1.1 200 OK\r\nContent-Length: 1\r\n\r\nab", "200 a. +Unasked"),
        (b"HTTP/1.1 204 No\r\n\r\nHTTP/1.1 200 OK\r\n\r\n", "204 . +Unasked"),
        (b"HTTP/1.1 101 Switch\r\nUpgrade: x\r\n\r\n", "Upgrade"),
        (b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nx", "200 Wire(Chunk)"),
    ];
    for (input, expected) in rows {
        check(Method::Get, input, false, expected);
    }
}

#[test]
fn interim_answers_have_an_end() {
    let one: &[u8] = b"HTTP/1.1 103 Early Hints\r\n\r\n";
    let few = one.repeat(barewire::limits::INTERIM as usize);
    assert!(!told(Method::Get, &few, &[few.len()], false).contains("Interim"));
    let many = [few.as_slice(), one].concat();
    assert!(told(Method::Get, &many, &[many.len()], false).ends_with(" Interim"));
}

#[test]
fn a_connection_is_used_again_and_knows_when_nothing_has_come() {
    let mut client = Client::new();
    let mut spans = ResponseSpans::default();
    let limits = HeadLimits::default();
    for _ in 0..2 {
        client.on_request(Method::Get);
        assert!(!client.has_begun() && !client.is_reusable());
        assert_eq!(client.next(b"", &mut spans, &limits), Ok((0, Found::NeedBytes)));
        assert!(!client.has_begun());
        let input = b"HTTP/1.1 204 No\r\n\r\n";
        assert!(matches!(client.next(&input[..3], &mut spans, &limits), Ok((0, Found::NeedBytes))));
        assert!(client.has_begun());
        assert!(matches!(client.next(input, &mut spans, &limits), Ok((19, Found::Head { .. }))));
        assert!(matches!(client.next(b"", &mut spans, &limits), Ok((0, Found::End(_)))));
        assert!(client.is_reusable());
    }
    client.on_request(Method::Get);
    assert_eq!(client.on_fin(), Err(Broken::Incomplete));
    assert!(!client.has_begun(), "a request on it can be sent again elsewhere");
}
