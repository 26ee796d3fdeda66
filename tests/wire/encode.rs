//! Answers: status line, fields, blocks (RFC 9112 §4, §5), and chunks that read back as written.

use barewire::wire::block::Block;
use barewire::wire::chunk::{Decoder, Event};
use barewire::wire::encode;
use barewire::wire::status::{is_bodiless, reason_phrase};

use super::ways::{Random, check, text};

fn encoded(write: impl FnOnce(&mut Vec<u8>)) -> String {
    let mut out = b"kept ".to_vec();
    write(&mut out);
    let text = String::from_utf8(out).expect("ASCII");
    text.strip_prefix("kept ").expect("what stood in the buffer stays").to_string()
}

#[test]
fn a_status_line_has_version_code_and_phrase() {
    for (code, line) in [
        (100, "HTTP/1.1 100 Continue\r\n"),
        (101, "HTTP/1.1 101 Switching Protocols\r\n"),
        (103, "HTTP/1.1 103 Early Hints\r\n"),
        (200, "HTTP/1.1 200 OK\r\n"),
        (201, "HTTP/1.1 201 Created\r\n"),
        (204, "HTTP/1.1 204 No Content\r\n"),
        (206, "HTTP/1.1 206 Partial Content\r\n"),
        (304, "HTTP/1.1 304 Not Modified\r\n"),
        (308, "HTTP/1.1 308 Permanent Redirect\r\n"),
        (404, "HTTP/1.1 404 Not Found\r\n"),
        (408, "HTTP/1.1 408 Request Timeout\r\n"),
        (413, "HTTP/1.1 413 Content Too Large\r\n"),
        (414, "HTTP/1.1 414 URI Too Long\r\n"),
        (417, "HTTP/1.1 417 Expectation Failed\r\n"),
        (422, "HTTP/1.1 422 Unprocessable Content\r\n"),
        (431, "HTTP/1.1 431 Request Header Fields Too Large\r\n"),
        (500, "HTTP/1.1 500 Internal Server Error\r\n"),
        (503, "HTTP/1.1 503 Service Unavailable\r\n"),
        (505, "HTTP/1.1 505 HTTP Version Not Supported\r\n"),
        // The space before an empty phrase stays (RFC 9112 §4).
        (299, "HTTP/1.1 299 \r\n"),
        (599, "HTTP/1.1 599 \r\n"),
    ] {
        assert_eq!(encoded(|out| encode::status_line(out, code)), line);
    }
}

#[test]
fn every_status_gives_a_line_that_can_be_read() {
    for code in 100..=599 {
        let line = encoded(|out| encode::status_line(out, code));
        assert_eq!(line, format!("HTTP/1.1 {code} {}\r\n", reason_phrase(code)));
        assert!(reason_phrase(code).bytes().all(|byte| byte == b' ' || byte.is_ascii_graphic()));
    }
}

#[test]
fn the_statuses_without_a_body_are_these() {
    for code in 100..=599 {
        let wanted = code < 200 || [204, 205, 304].contains(&code);
        assert_eq!(is_bodiless(code), wanted, "{code}");
    }
}

#[test]
fn a_field_line_is_judged_and_written() {
    let mut out = Vec::new();
    encode::field(&mut out, b"X-A", b"b").expect("valid");
    encode::field(&mut out, b"x!#$%&'*+-.^_`|~", b"\t caf\xe9 ").expect("valid");
    encode::field(&mut out, b"E", b"").expect("valid");
    assert!(out.starts_with(b"X-A: b\r\nx!#$%&'*+-.^_`|~: "), "{}", text(&out));
    assert!(out.ends_with(b"\r\nE: \r\n") || out.ends_with(b"\r\nE:\r\n"), "{}", text(&out));
    encode::content_length(&mut out, u64::MAX);
    encode::content_length(&mut out, 0);
    assert!(out.ends_with(b"Content-Length: 18446744073709551615\r\nContent-Length: 0\r\n"));
}

const BAD_FIELDS: &[(&[u8], &[u8])] = &[
    (b"", b"a"),
    (b"a b", b"a"),
    (b"a:", b"a"),
    (b"a\r\nb", b"a"),
    (b"a\n", b"a"),
    (b"a\0", b"a"),
    (b"a(", b"a"),
    (b"\xe9", b"a"),
    (b"a", b"a\r\nb: c"),
    (b"a", b"a\r"),
    (b"a", b"\na"),
    (b"a", b"a\0b"),
];

#[test]
fn an_invalid_field_leaves_no_byte() {
    for (name, value) in BAD_FIELDS {
        let mut out = b"kept".to_vec();
        assert!(encode::field(&mut out, name, value).is_err(), "{} {}", text(name), text(value));
        assert_eq!(out, b"kept");
        assert!(encode::last_chunk(&mut out, &[(b"ok", b"ok"), (name, value)]).is_err());
        assert_eq!(out, b"kept");
        assert!(Block::parse([(b"ok".as_slice(), b"ok".as_slice()), (name, value)]).is_err());
    }
}

#[test]
fn a_value_takes_all_bytes_but_controls() {
    for byte in 0..=u8::MAX {
        let is_valid = byte == b'\t' || (byte >= b' ' && byte != 0x7f);
        let value = [b'a', byte, b'b'];
        let mut out = Vec::new();
        assert_eq!(encode::field(&mut out, b"x", &value).is_ok(), is_valid, "{byte:#x}");
        assert_eq!(Block::parse([(b"x".as_slice(), value.as_slice())]).is_ok(), is_valid);
    }
}

#[test]
fn a_block_keeps_the_handler_s_fields_and_drops_the_server_s() {
    let fields: &[(&[u8], &[u8])] = &[
        (b"content-type", b"text/plain"),
        (b"Content-Length", b"12"),
        (b"TRANSFER-ENCODING", b"chunked"),
        (b"Connection", b"close, x"),
        (b"Keep-Alive", b"timeout=1"),
        (b"Upgrade", b"h2c"),
        (b"Trailer", b"X"),
        (b"TE", b"trailers"),
        (b"Proxy-Connection", b"close"),
        (b"Set-Cookie", b"a=1"),
        (b"Set-Cookie", b"b=2"),
        (b"X-Content-Length", b"1"),
    ];
    let block = Block::parse(fields.iter().copied()).expect("valid");
    assert_eq!(
        text(block.lines()),
        text(b"content-type: text/plain\r\nSet-Cookie: a=1\r\nSet-Cookie: b=2\r\nX-Content-Length: 1\r\n"),
    );
    assert_eq!(block.content_length(), Some(12));
    assert!(block.asks_to_close());
    assert!(!block.has_date());
}

#[test]
fn a_block_remembers_date_close_and_length_only_when_said() {
    let one = |name: &'static str, value: &'static str| {
        Block::parse([(name.as_bytes(), value.as_bytes())]).expect("valid")
    };
    assert!(one("date", "Sun, 06 Nov 1994 08:49:37 GMT").has_date());
    assert!(one("DATE", "Sun, 06 Nov 1994 08:49:37 GMT").has_date());
    assert!(!one("x-date", "x").has_date());
    assert!(one("connection", "CLOSE").asks_to_close());
    assert!(!one("connection", "keep-alive").asks_to_close());
    assert!(!one("connection", "closed").asks_to_close());
    for bad in ["x", "-1", "+5", "", "5, 5"] {
        assert_eq!(one("content-length", bad).content_length(), None, "{bad}");
    }
    let mut block = one("connection", "close");
    block.fill([(b"a".as_slice(), b"b".as_slice())]).expect("valid");
    assert_eq!((block.lines(), block.asks_to_close()), (b"a: b\r\n".as_slice(), false));
    assert_eq!(block.content_length(), None);
}

#[test]
fn chunks_have_hex_sizes_and_empty_ones_are_skipped() {
    assert_eq!(encoded(|out| encode::chunk(out, b"hello")), "5\r\nhello\r\n");
    assert_eq!(encoded(|out| encode::chunk(out, b"")), "");
    assert!(
        encoded(|out| encode::chunk(out, &[b'a'; 300])).to_lowercase().starts_with("12c\r\naaa")
    );
    assert_eq!(encoded(|out| encode::last_chunk(out, &[]).expect("valid")), "0\r\n\r\n");
    let trailers: &[(&[u8], &[u8])] = &[(b"X", b"y"), (b"Server-Timing", b"a")];
    let encoded = encoded(|out| encode::last_chunk(out, trailers).expect("valid"));
    assert_eq!(encoded, "0\r\nX: y\r\nServer-Timing: a\r\n\r\n");
}

#[test]
fn a_trailer_never_decides_about_framing_or_routing() {
    for name in ["Content-Length", "content-length", "transfer-encoding", "Host", "Trailer"] {
        let mut out = Vec::new();
        assert!(encode::last_chunk(&mut out, &[(name.as_bytes(), b"1")]).is_err(), "{name}");
        assert!(out.is_empty());
    }
}

#[test]
fn a_trailer_never_says_how_the_content_is_to_be_read() {
    // RFC 9110 §6.5.1: content format, too, must be known before the content.
    for name in ["Content-Encoding", "content-type", "Content-Range"] {
        let mut out = Vec::new();
        assert!(encode::last_chunk(&mut out, &[(name.as_bytes(), b"1")]).is_err(), "{name}");
        assert!(out.is_empty());
    }
}

#[test]
fn a_body_that_was_encoded_decodes_to_itself() {
    let mut random = Random(0xC0FF_EE01);
    for round in 0..300 {
        let mut body = Vec::new();
        let mut wire = Vec::new();
        for _ in 0..random.below(6) {
            let bound = random.pick(&[1, 2, 17, 300, 5000, 70_000]);
            let piece: Vec<u8> =
                (0..random.below(bound)).map(|_| random.below(256) as u8).collect();
            encode::chunk(&mut wire, &piece);
            body.extend_from_slice(&piece);
        }
        let trailers: &[(&[u8], &[u8])] = &[(b"A", b"1"), (b"B", b"\xe9")];
        let trailers = &trailers[..random.below(3)];
        encode::last_chunk(&mut wire, trailers).expect("valid");
        let length = wire.len();
        wire.extend_from_slice(b"GET /next HTTP/1.1\r\n");

        let mut decoder = Decoder::new();
        let mut received = Vec::new();
        let (mut at, mut arrived) = (0, 0);
        let ended = loop {
            arrived = (arrived + 1 + random.below(4096)).min(wire.len());
            let (used, event) = match decoder.next(&wire[at..arrived]) {
                Ok(found) => found,
                Err(error) => panic!("round {round}: {error:?}"),
            };
            match event {
                Event::Partial => {}
                Event::Data { start, end } => {
                    received.extend_from_slice(&wire[at + start..at + end]);
                }
                Event::End(found) => {
                    at += used;
                    break found.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect::<Vec<_>>();
                }
            }
            at += used;
        };
        assert_eq!(at, length, "round {round}");
        assert!(received == body, "round {round}: {} bytes", body.len());
        assert_eq!(
            ended,
            trailers.iter().map(|(n, v)| (n.to_vec(), v.to_vec())).collect::<Vec<_>>()
        );
    }
}

#[test]
fn a_small_body_decodes_to_itself_in_every_delivery() {
    for size in [1, 9, 10, 15, 16, 17, 255, 256, 257] {
        let body = vec![b'x'; size];
        let mut wire = Vec::new();
        encode::chunk(&mut wire, &body);
        encode::last_chunk(&mut wire, &[(b"T", b"u")]).expect("valid");
        let expected = format!("{:?} [T=u]", text(&body));
        check("round trip", &wire, &expected, |input, ends| {
            super::chunk::read(input, ends, wire.len())
        });
    }
}
