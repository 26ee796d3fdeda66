//! Response heads and where their bodies end: RFC 9112 §4, §6.1, §6.3 and §9.3, RFC 9110 §8.6.

use std::fmt::Write as _;

use barewire::wire::head::{HeadLimits, Method, Version};
use barewire::wire::response::{ResponseBody, ResponseFraming, ResponseHead, ResponseSpans};

use super::head::scan;
use super::ways::{check, fault, text};

/// `version status [Name=value]…`, the fault, or `partial`.
fn read(input: &[u8], ends: &[usize]) -> String {
    let extent = match scan(input, ends, &HeadLimits::default()) {
        Ok(Some(extent)) => extent,
        Ok(None) => return "partial".into(),
        Err(error) => return fault(error),
    };
    let mut spans = ResponseSpans::default();
    let head = match ResponseHead::parse(input, extent, &mut spans) {
        Ok(head) => head,
        Err(error) => return fault(error),
    };
    let version = if head.version() == Version::Http10 { "1.0" } else { "1.1" };
    let mut out = format!("{version} {}", head.status());
    for (name, value) in head.fields() {
        write!(out, " [{}={}]", text(name), text(value)).expect("a String takes every write");
    }
    assert_eq!(head.bytes(), &input[..extent.end]);
    out
}

/// Runs rows of (bytes of the whole head, expectation).
fn run(rows: &[(&[u8], &str)]) {
    for (input, expected) in rows {
        check(&text(input), input, expected, read);
    }
}

#[test]
fn a_head_is_read_as_sent() {
    run(&[
        (b"HTTP/1.1 200 OK\r\n\r\n", "1.1 200"),
        (b"HTTP/1.0 404 Not Found\r\nA: 1\r\nb:2 \r\n\r\n", "1.0 404 [A=1] [b=2]"),
        (b"HTTP/1.1 200 \r\n\r\n", "1.1 200"),
        (b"HTTP/1.1 200\r\n\r\n", "1.1 200"),
        (b"HTTP/1.1 599 caf\xe9 \t x\r\n\r\n", "1.1 599"),
        (b"HTTP/1.1 100 Continue\r\n\r\n", "1.1 100"),
        (b"HTTP/1.7 200 OK\r\n\r\n", "1.1 200"),
        (
            b"HTTP/1.1 200 OK\r\nSet-Cookie: a\r\nset-cookie: b\r\n\r\n",
            "1.1 200 [Set-Cookie=a] [set-cookie=b]",
        ),
    ]);
}

#[test]
fn what_isnt_a_status_line_is_refused() {
    run(&[
        (b"HTTP/1.1 20 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 2000 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 099 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 600 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 2x0 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 +20 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1  200 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1\t200 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 200\tOK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 200 O\0K\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1 200 O\rK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1200 OK\r\n\r\n", "400 StatusLine"),
        (b"HTTP/1.1\r\n\r\n", "400 StatusLine"),
        (b"ICY 200\r\n\r\n", "400 StatusLine"),
        (b"\r\nHTTP/1.1 200 OK\r\n\r\n", "400 StatusLine"),
        (b"http/1.1 200 OK\r\n\r\n", "400 Version"),
        (b"HTTP/0.9 200 OK\r\n\r\n", "400 Version"),
        (b"HTTP/2.0 200 OK\r\n\r\n", "505 VersionNotSupported"),
        (b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "400 Version"),
        (b"HTTP/1.1 200 OK\n\n", "400 BareLineFeed"),
    ]);
}

#[test]
fn field_lines_are_judged_as_in_a_request() {
    run(&[
        (b"HTTP/1.1 200 OK\r\nA : 1\r\n\r\n", "400 Field"),
        (b"HTTP/1.1 200 OK\r\n folded\r\n\r\n", "400 Field"),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\n 2\r\n\r\n", "400 Field"),
        (b"HTTP/1.1 200 OK\r\nA: \0\r\n\r\n", "400 Field"),
        (b"HTTP/1.1 200 OK\r\nA: 1\n\r\n", "400 BareLineFeed"),
        (b"HTTP/1.1 200 OK\r\nno colon\r\n\r\n", "400 Field"),
    ]);
}

#[test]
fn a_head_above_the_limits_is_refused_before_its_end() {
    let limits = HeadLimits { request_line: 20, size: 30, fields: 2 };
    for (input, expected) in [
        (&b"HTTP/1.1 200 much too long"[..], "RequestLineTooLong"),
        (b"HTTP/1.1 200 OK\r\nA: 0123456789012345678901234567890", "FieldsTooLarge"),
        (b"HTTP/1.1 200 OK\r\nA: 1\r\nB: 2\r\nC: 3\r\n", "TooManyFields"),
    ] {
        let found = scan(input, &[input.len()], &limits).map_err(|error| format!("{error:?}"));
        assert_eq!(found, Err(expected.to_string()), "{}", text(input));
    }
}

/// What the decision says of an answer to a method: body, declared length, `keep` or `close`.
fn framing(method: Method, status_line: &str, fields: &str) -> String {
    let lines = fields.split('\n').filter(|line| !line.is_empty());
    let section = lines.map(|line| [line, "\r\n"].concat()).collect::<String>();
    let input = format!("{status_line}\r\n{section}\r\n");
    let input = input.as_bytes();
    let extent = scan(input, &[input.len()], &HeadLimits::default()).expect("good").expect("whole");
    let mut spans = ResponseSpans::default();
    let head = ResponseHead::parse(input, extent, &mut spans).expect("a good head");
    let framing = match ResponseFraming::decide(&head, method) {
        Ok(framing) => framing,
        Err(error) => return format!("{error:?}"),
    };
    let body = match framing.body {
        ResponseBody::None => "none".to_string(),
        ResponseBody::Length(length) => format!("length {length}"),
        ResponseBody::Chunked => "chunked".to_string(),
        ResponseBody::UntilClose => "until close".to_string(),
    };
    let declared = match (framing.body, framing.content_length) {
        (ResponseBody::Length(length), declared) => {
            assert_eq!(declared, Some(length));
            String::new()
        }
        (_, Some(declared)) => format!(" declares {declared}"),
        (_, None) => String::new(),
    };
    format!("{body}{declared}{}", if framing.persistent { " keep" } else { " close" })
}

fn run_framing(rows: &[(Method, &str, &str, &str)]) {
    for (method, line, fields, expected) in rows {
        assert_eq!(framing(*method, line, fields), *expected, "{method:?} | {line} | {fields:?}");
    }
}

const OK: &str = "HTTP/1.1 200 OK";
const OK10: &str = "HTTP/1.0 200 OK";

#[test]
fn the_body_is_delimited_by_the_fields() {
    run_framing(&[
        (Method::Get, OK, "Content-Length: 5", "length 5 keep"),
        (Method::Get, OK, "content-length: 0", "length 0 keep"),
        (Method::Get, OK, "Transfer-Encoding: chunked", "chunked keep"),
        (Method::Get, OK, "TRANSFER-ENCODING: Chunked", "chunked keep"),
        (Method::Get, OK, "", "until close close"),
        (Method::Post, "HTTP/1.1 500 No", "Content-Length: 3", "length 3 keep"),
        (Method::Get, "HTTP/1.1 205 Reset", "Content-Length: 0", "length 0 keep"),
        (Method::Get, OK10, "Content-Length: 5", "length 5 close"),
        (Method::Get, OK10, "", "until close close"),
    ]);
}

#[test]
fn some_answers_never_have_a_body() {
    run_framing(&[
        (Method::Head, OK, "Content-Length: 5", "none declares 5 keep"),
        (Method::Head, OK, "Transfer-Encoding: chunked", "none keep"),
        (Method::Head, OK, "", "none keep"),
        (Method::Get, "HTTP/1.1 304 Not Modified", "Content-Length: 5", "none declares 5 keep"),
        (Method::Get, "HTTP/1.1 304 Not Modified", "Transfer-Encoding: chunked", "none keep"),
        (Method::Get, "HTTP/1.1 204 No Content", "", "none keep"),
        (Method::Get, "HTTP/1.1 204 No Content", "Content-Length: 0", "none declares 0 keep"),
        (Method::Get, "HTTP/1.1 103 Early Hints", "Link: <a>", "none keep"),
        (Method::Get, "HTTP/1.1 204 No Content", "Content-Length: 5", "ContentLength"),
        (Method::Get, "HTTP/1.1 100 Continue", "Content-Length: 5", "ContentLength"),
        (Method::Get, "HTTP/1.1 204 No Content", "Transfer-Encoding: chunked", "TransferEncoding"),
        (Method::Get, "HTTP/1.1 103 Early Hints", "Transfer-Encoding: chunked", "TransferEncoding"),
    ]);
}

#[test]
fn what_two_readers_could_understand_differently_is_refused() {
    run_framing(&[
        (Method::Get, OK, "Content-Length: 5\nTransfer-Encoding: chunked", "LengthAndEncoding"),
        (Method::Head, OK, "Content-Length: 5\nTransfer-Encoding: chunked", "LengthAndEncoding"),
        (Method::Get, OK, "Content-Length: 5\nContent-Length: 5", "ContentLength"),
        (Method::Get, OK, "Content-Length: 5, 5", "ContentLength"),
        (Method::Get, OK, "Content-Length: +5", "ContentLength"),
        (Method::Get, OK, "Content-Length: 05", "ContentLength"),
        (Method::Get, OK, "Content-Length:", "ContentLength"),
        (Method::Get, OK, "Content-Length: 9007199254740992", "ContentLength"),
        (Method::Head, OK, "Content-Length: x", "ContentLength"),
        (Method::Get, OK, "Transfer-Encoding: gzip", "TransferEncoding"),
        (Method::Get, OK, "Transfer-Encoding: chunked, gzip", "TransferEncoding"),
        (
            Method::Get,
            OK,
            "Transfer-Encoding: chunked\nTransfer-Encoding: chunked",
            "TransferEncoding",
        ),
        (Method::Get, OK, "Transfer-Encoding: xchunked", "TransferEncoding"),
        (Method::Get, OK, "Transfer-Encoding:", "TransferEncoding"),
        (Method::Get, OK, "Transfer-Encoding: gzip, chunked", "TransferCoding"),
        (Method::Get, OK10, "Transfer-Encoding: chunked", "TransferEncoding"),
    ]);
}

#[test]
fn a_connection_persists_where_both_ends_know_where_the_answer_ends() {
    run_framing(&[
        (Method::Get, OK, "Content-Length: 1\nConnection: close", "length 1 close"),
        (Method::Get, OK, "Content-Length: 1\nConnection: keep-alive, Close", "length 1 close"),
        (Method::Get, OK, "Content-Length: 1\nConnection: x", "length 1 keep"),
        (Method::Get, OK10, "Content-Length: 1\nConnection: keep-alive", "length 1 keep"),
        (Method::Get, OK10, "Connection: keep-alive", "until close close"),
        (Method::Get, OK, "Connection: keep-alive", "until close close"),
        (Method::Head, OK, "Connection: close", "none close"),
    ]);
}
