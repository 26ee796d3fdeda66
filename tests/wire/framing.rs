//! The framing decision: RFC 9112 §6.3, §3.2, §9.3, RFC 9110 §10.1.1 and §7.8, with the strict
//! rules of the protocol table; then the same against a slow, literal twin.

use barewire::wire::Error;
use barewire::wire::framing::{BodyKind, Framing};
use barewire::wire::head::{Head, HeadLimits, HeadSpans};
use barewire::wire::target::Target;

use super::head::scan;
use super::ways::{check, fault, text};

mod twin;

/// What the decision says of the head in `input`, as text:
/// body, `keep` or `close`, then `continue` and `upgrade` if so.
pub(crate) fn outcome(input: &[u8], ends: &[usize]) -> Result<String, Error> {
    decide(input, ends, |framing| {
        let body = match framing.body {
            BodyKind::None => "none".to_string(),
            BodyKind::Length(length) => format!("length {length}"),
            BodyKind::Chunked => "chunked".to_string(),
        };
        let persistent = if framing.persistent { " keep" } else { " close" };
        let expects = if framing.expects_continue { " continue" } else { "" };
        let upgrade = if framing.upgrade { " upgrade" } else { "" };
        format!("{body}{persistent}{expects}{upgrade}")
    })
}

/// Scans, parses, decides.
fn decide(
    input: &[u8],
    ends: &[usize],
    say: impl Fn(&Framing<'_>) -> String,
) -> Result<String, Error> {
    let extent = scan(input, ends, &HeadLimits::default())?.expect("the cases are complete heads");
    let mut spans = HeadSpans::default();
    let head = Head::parse(input, extent, &mut spans)?;
    Framing::decide(&head).map(|framing| say(&framing))
}

/// Runs rows of (field lines, expectation) under one request line. `\n` stands for a line end.
fn run(request_line: &str, rows: &[(&str, &str)]) {
    for (fields, expected) in rows {
        let lines = fields.split('\n').filter(|line| !line.is_empty());
        let section = lines.map(|line| [line, "\r\n"].concat()).collect::<String>();
        let raw = format!("{request_line}\r\n{section}\r\n");
        check(&format!("{request_line} | {fields:?}"), raw.as_bytes(), expected, |input, ends| {
            outcome(input, ends).unwrap_or_else(fault)
        });
    }
}

/// The same with a good Host before the fields.
fn run_with_host(request_line: &str, rows: &[(&str, &str)]) {
    run(&format!("{request_line}\r\nHost: a"), rows);
}

#[test]
fn content_length_is_one_plain_number() {
    run_with_host(
        "POST / HTTP/1.1",
        &[
            ("", "none keep"),
            ("Content-Length: 0", "length 0 keep"),
            ("Content-Length: 5", "length 5 keep"),
            ("content-length: 5", "length 5 keep"),
            ("CONTENT-LENGTH: 5", "length 5 keep"),
            ("Content-Length:5", "length 5 keep"),
            ("Content-Length: \t5 \t", "length 5 keep"),
            ("Content-Length: 10485761", "length 10485761 keep"),
            ("Content-Length: 9007199254740991", "length 9007199254740991 keep"),
            ("Content-Length: 9007199254740992", "400 ContentLength"),
            ("Content-Length: 9223372036854775807", "400 ContentLength"),
            ("Content-Length: 18446744073709551615", "400 ContentLength"),
            ("Content-Length: 18446744073709551616", "400 ContentLength"),
            ("Content-Length: 18446744073709551621", "400 ContentLength"),
            ("Content-Length: 99999999999999999999999999999999999999999", "400 ContentLength"),
            ("Content-Length: +5", "400 ContentLength"),
            ("Content-Length: -1", "400 ContentLength"),
            ("Content-Length: -0", "400 ContentLength"),
            ("Content-Length: 0x5", "400 ContentLength"),
            ("Content-Length: 5, 5", "400 ContentLength"),
            ("Content-Length: 5,5", "400 ContentLength"),
            ("Content-Length: 5,6", "400 ContentLength"),
            ("Content-Length: 5,", "400 ContentLength"),
            ("Content-Length: ,5", "400 ContentLength"),
            ("Content-Length: abc", "400 ContentLength"),
            ("Content-Length:", "400 ContentLength"),
            ("Content-Length: \t", "400 ContentLength"),
            ("Content-Length: 5a", "400 ContentLength"),
            ("Content-Length: a5", "400 ContentLength"),
            ("Content-Length: 5;q", "400 ContentLength"),
            ("Content-Length: 5 6", "400 ContentLength"),
            ("Content-Length: 5 ;", "400 ContentLength"),
            ("Content-Length: 5.0", "400 ContentLength"),
            ("Content-Length: 5e1", "400 ContentLength"),
            ("Content-Length: 5_0", "400 ContentLength"),
            ("Content-Length: \"5\"", "400 ContentLength"),
            ("Content-Length: 05", "400 ContentLength"),
            ("Content-Length: 00", "400 ContentLength"),
            ("Content-Length: 0000000000000000000005", "400 ContentLength"),
            ("Content-Length: \u{0665}", "400 ContentLength"),
            ("Content-Length: 5\u{a0}", "400 ContentLength"),
            ("Content-Length: 5\nContent-Length: 5", "400 ContentLength"),
            ("Content-Length: 5\nContent-Length: 6", "400 ContentLength"),
            ("Content-Length: 0\ncontent-length: 0", "400 ContentLength"),
            ("Content-Length: 5\nX: y\nCONTENT-LENGTH: 5", "400 ContentLength"),
            ("Content-Length:\nContent-Length: 5", "400 ContentLength"),
            ("X-Content-Length: 5", "none keep"),
            ("Content-Length-X: 5", "none keep"),
            ("Content_Length: 5", "none keep"),
        ],
    );
}

#[test]
fn a_length_counts_for_every_method() {
    for method in ["GET", "HEAD", "DELETE", "OPTIONS", "TRACE", "PUT", "BREW"] {
        run_with_host(
            &format!("{method} / HTTP/1.1"),
            &[
                ("", "none keep"),
                ("Content-Length: 5", "length 5 keep"),
                ("Transfer-Encoding: chunked", "chunked keep"),
            ],
        );
    }
    run_with_host(
        "POST / HTTP/1.0",
        &[("Content-Length: 5", "length 5 close"), ("", "none close")],
    );
}

#[test]
fn transfer_encoding_is_chunked_or_refused() {
    run_with_host(
        "POST / HTTP/1.1",
        &[
            ("Transfer-Encoding: chunked", "chunked keep"),
            ("transfer-encoding: chunked", "chunked keep"),
            ("Transfer-Encoding: Chunked", "chunked keep"),
            ("Transfer-Encoding: CHUNKED", "chunked keep"),
            ("Transfer-Encoding:\tchunked \t", "chunked keep"),
            ("Transfer-Encoding: gzip, chunked", "501 TransferCoding"),
            ("Transfer-Encoding: gzip,chunked", "501 TransferCoding"),
            ("Transfer-Encoding: deflate, gzip, chunked", "501 TransferCoding"),
            ("Transfer-Encoding: identity, chunked", "501 TransferCoding"),
            ("Transfer-Encoding: x-unknown, chunked", "501 TransferCoding"),
            ("Transfer-Encoding: gzip\nTransfer-Encoding: chunked", "501 TransferCoding"),
            ("Transfer-Encoding: identity", "400 TransferEncoding"),
            ("Transfer-Encoding: gzip", "400 TransferEncoding"),
            ("Transfer-Encoding: xchunked", "400 TransferEncoding"),
            ("Transfer-Encoding: chunkedx", "400 TransferEncoding"),
            ("Transfer-Encoding: chunke", "400 TransferEncoding"),
            ("Transfer-Encoding: x chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked x", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked, gzip", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked, identity", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked, chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked, gzip, chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: gzip, chunked, chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked\nTransfer-Encoding: chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked\nTransfer-Encoding: gzip", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked\nTransfer-Encoding: identity", "400 TransferEncoding"),
            (
                "Transfer-Encoding: chunked\nX: y\ntransfer-encoding: chunked",
                "400 TransferEncoding",
            ),
            ("Transfer-Encoding:", "400 TransferEncoding"),
            ("Transfer-Encoding: ,", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked;a=b", "400 TransferEncoding"),
            ("Transfer-Encoding: \"chunked\"", "400 TransferEncoding"),
            ("Transfer-Encoding: 'chunked'", "400 TransferEncoding"),
            ("Transfer-Encoding: [chunked]", "400 TransferEncoding"),
            ("Transfer-Encoding: foo;a=\"b, chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: foo;a=\"b, chunked\"", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked\u{b}", "400"),
            ("Transfer-Encoding: \u{b}chunked", "400"),
            ("Transfer-Encoding: chunked\u{a0}", "400 TransferEncoding"),
            ("Transfer-Encoding: \u{1e9e}chunked", "400 TransferEncoding"),
            ("Transfer-Encoding : chunked", "400 Field"),
            ("Transfer-Encoding\t: chunked", "400 Field"),
            (" Transfer-Encoding: chunked", "400 Field"),
            ("Transfer-Encoding:\n chunked", "400 Field"),
            ("Transfer-Encoding: gzip,\n chunked", "400 Field"),
            ("Transfer-Encoding: x\n\tchunked", "400 Field"),
            ("X: y\n Transfer-Encoding: chunked", "400 Field"),
            ("Transfer_Encoding: chunked", "none keep"),
            ("X-Transfer-Encoding: chunked", "none keep"),
            ("TE: chunked", "none keep"),
            ("TE: trailers", "none keep"),
        ],
    );
}

#[test]
fn a_field_that_is_not_utf8_is_not_skipped() {
    for (line, expected) in [
        (b"Transfer-Encoding: \xff, chunked".as_slice(), "400"),
        (b"Transfer-Encoding: chunked\xff", "400"),
        (b"Content-Length: 5\xff", "400"),
        (b"Content-Length: \xe9", "400"),
        (b"X: \xff\r\nContent-Length: 5", "length 5 keep"),
        (b"Connection: \xff, close", "none close"),
        (b"Host: b\xff", "400"),
    ] {
        let raw = [b"POST / HTTP/1.1\r\nHost: a\r\n", line, b"\r\n\r\n"].concat();
        check(&text(line), &raw, expected, |input, ends| {
            outcome(input, ends).unwrap_or_else(fault)
        });
    }
}

#[test]
fn length_and_encoding_together_are_refused() {
    run_with_host(
        "POST / HTTP/1.1",
        &[
            ("Content-Length: 5\nTransfer-Encoding: chunked", "400 LengthAndEncoding"),
            ("Transfer-Encoding: chunked\nContent-Length: 5", "400 LengthAndEncoding"),
            ("Transfer-Encoding: chunked\nContent-Length: 0", "400 LengthAndEncoding"),
            ("Transfer-Encoding: Chunked\nX: y\ncontent-length: 5", "400 LengthAndEncoding"),
            ("Transfer-Encoding: identity\nContent-Length: 5", "400"),
            ("Transfer-Encoding:\nContent-Length: 5", "400"),
            ("Transfer-Encoding: chunked\nContent-Length:", "400"),
            ("Transfer-Encoding: chunked\nContent-Length: abc", "400"),
            ("Transfer-Encoding: chunked\nContent-Length: 5\nContent-Length: 5", "400"),
        ],
    );
}

#[test]
fn http_1_0_has_no_transfer_encoding() {
    run_with_host(
        "POST / HTTP/1.0",
        &[
            ("Transfer-Encoding: chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: identity", "400 TransferEncoding"),
            ("Transfer-Encoding: gzip, chunked", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked\nConnection: keep-alive", "400 TransferEncoding"),
            ("Transfer-Encoding:", "400 TransferEncoding"),
            ("Transfer-Encoding: chunked\nContent-Length: 5", "400"),
        ],
    );
}

#[test]
fn a_minor_version_above_one_follows_the_rules_of_one() {
    run_with_host(
        "POST / HTTP/1.2",
        &[
            ("", "none keep"),
            ("Transfer-Encoding: chunked", "chunked keep"),
            ("Connection: close", "none close"),
            ("Expect: 100-continue\nContent-Length: 1", "length 1 keep continue"),
        ],
    );
    run("GET / HTTP/1.2", &[("", "400 Host")]);
}

#[test]
fn host_is_one_and_well_formed() {
    run(
        "GET / HTTP/1.1",
        &[
            ("", "400 Host"),
            ("X-Host: a", "400 Host"),
            ("Host: a", "none keep"),
            ("host: a", "none keep"),
            ("Host:", "none keep"),
            ("Host: a.example", "none keep"),
            ("Host: A.Example.", "none keep"),
            ("Host: a-b_c~d", "none keep"),
            ("Host: a:80", "none keep"),
            ("Host: a:", "none keep"),
            ("Host: 127.0.0.1", "none keep"),
            ("Host: 127.0.0.1:3000", "none keep"),
            ("Host: [::1]", "none keep"),
            ("Host: [::1]:3000", "none keep"),
            ("Host: [2001:db8::ff00:42:8329]", "none keep"),
            ("Host: xn--bcher-kva.example", "none keep"),
            ("Host: a\nHost: a", "400 Host"),
            ("Host: a\nHost: b", "400 Host"),
            ("Host: a\nX: y\nhost: a", "400 Host"),
            ("Host:\nHost: a", "400 Host"),
            ("Host: a b", "400 Host"),
            ("Host: a\tb", "400 Host"),
            ("Host: evil.example/admin?", "400 Host"),
            ("Host: a/", "400 Host"),
            ("Host: a?b", "400 Host"),
            ("Host: a#b", "400 Host"),
            ("Host: user@a", "400 Host"),
            ("Host: user:pass@a", "400 Host"),
            ("Host: http://a", "400 Host"),
            ("Host: //a", "400 Host"),
            ("Host: a\\b", "400 Host"),
            ("Host: \"a\"", "400 Host"),
            ("Host: <a>", "400 Host"),
            ("Host: {a}", "400 Host"),
            ("Host: a|b", "400 Host"),
            ("Host: a^b", "400 Host"),
            ("Host: a:80:90", "400 Host"),
            ("Host: a:8x", "400 Host"),
            ("Host: a:-1", "400 Host"),
            ("Host: a:+80", "400 Host"),
            ("Host: a: 80", "400 Host"),
            ("Host: :80", "400 Host"),
            ("Host: ::1", "400 Host"),
            ("Host: [::1", "400 Host"),
            ("Host: ::1]", "400 Host"),
            ("Host: []", "400 Host"),
            ("Host: [::1]x", "400 Host"),
            ("Host: [::1]:x", "400 Host"),
            ("Host: x[::1]", "400 Host"),
            ("Host: [::g]", "400 Host"),
            ("Host: [a/b]", "400 Host"),
            ("Host: a%zz", "400 Host"),
            ("Host: a%2", "400 Host"),
            ("Host: a%2z", "400 Host"),
            ("Host: a%z2", "400 Host"),
            ("Host: a:65536", "400 Host"),
            ("Host: a:65535", "none keep"),
            ("Host: \u{e9}.example", "400 Host"),
        ],
    );
    run(
        "GET / HTTP/1.0",
        &[
            ("", "none close"),
            ("Host: a", "none close"),
            ("Host:", "none close"),
            ("Host: a\nHost: a", "400 Host"),
            ("Host: a b", "400 Host"),
            ("Host: a/b", "400 Host"),
        ],
    );
}

#[test]
fn an_absolute_target_does_not_replace_a_good_host() {
    run(
        "GET http://b/p HTTP/1.1",
        &[
            ("Host: a", "none keep"),
            ("Host: b", "none keep"),
            ("Host:", "none keep"),
            ("", "400 Host"),
            ("Host: a b", "400 Host"),
            ("Host: b\nHost: b", "400 Host"),
        ],
    );
    run("GET http://b/p HTTP/1.0", &[("", "none close"), ("Host: a/b", "400 Host")]);
}

#[test]
fn connection_is_a_list_of_tokens() {
    run_with_host(
        "GET / HTTP/1.1",
        &[
            ("Connection: close", "none close"),
            ("connection: close", "none close"),
            ("Connection: Close", "none close"),
            ("Connection: CLOSE", "none close"),
            ("Connection: keep-alive", "none keep"),
            ("Connection: keep-alive, close", "none close"),
            ("Connection: close, keep-alive", "none close"),
            ("Connection: close,keep-alive", "none close"),
            ("Connection:\tclose\t", "none close"),
            ("Connection: x ,\tclose , y", "none close"),
            ("Connection: ,close", "none close"),
            ("Connection: close,", "none close"),
            ("Connection: , ,close", "none close"),
            ("Connection: close, close", "none close"),
            ("Connection: keep-alive\nConnection: close", "none close"),
            ("Connection: close\nConnection: keep-alive", "none close"),
            ("Connection: x\nX: y\nconnection: CLOSE", "none close"),
            ("Connection: closed", "none keep"),
            ("Connection: disclose", "none keep"),
            ("Connection: x-close", "none keep"),
            ("Connection: close-x", "none keep"),
            ("Connection: clos", "none keep"),
            ("Connection: x", "none keep"),
            ("Connection:", "none keep"),
            ("Proxy-Connection: close", "none keep"),
            ("Keep-Alive: timeout=5", "none keep"),
        ],
    );
    run_with_host(
        "GET / HTTP/1.0",
        &[
            ("", "none close"),
            ("Connection: keep-alive", "none keep"),
            ("Connection: Keep-Alive", "none keep"),
            ("Connection: x, keep-alive", "none keep"),
            ("Connection: x\nConnection: keep-alive", "none keep"),
            ("Connection: keep-alive, close", "none close"),
            ("Connection: close, keep-alive", "none close"),
            ("Connection: keep-alive\nConnection: close", "none close"),
            ("Connection: keep-alive-x", "none close"),
            ("Connection: x", "none close"),
            ("Proxy-Connection: keep-alive", "none close"),
            ("Keep-Alive: timeout=5", "none close"),
        ],
    );
}

#[test]
fn an_expectation_is_100_continue_or_refused() {
    run_with_host(
        "POST / HTTP/1.1",
        &[
            ("Content-Length: 5\nExpect: 100-continue", "length 5 keep continue"),
            ("Expect: 100-Continue\nContent-Length: 5", "length 5 keep continue"),
            ("expect: 100-CONTINUE\nTransfer-Encoding: chunked", "chunked keep continue"),
            (
                "Expect: 100-continue\nContent-Length: 5\nConnection: close",
                "length 5 close continue",
            ),
            ("Content-Length: 5\nExpect: 100-continue, 100-continue", "length 5 keep continue"),
            (
                "Content-Length: 5\nExpect: 100-continue\nExpect: ,100-continue",
                "length 5 keep continue",
            ),
            ("Content-Length: 5\nExpect:", "length 5 keep"),
            ("Content-Length: 5\nExpect: ,100-continue x", "417 Expectation"),
            ("Content-Length: 5\nExpect: 200-ok", "417 Expectation"),
            ("Content-Length: 5\nExpect: 100-continued", "417 Expectation"),
            ("Content-Length: 5\nExpect: 100", "417 Expectation"),
            ("Content-Length: 5\nExpect: x=y", "417 Expectation"),
            ("Content-Length: 5\nExpect: 100-continue, x", "417 Expectation"),
            ("Content-Length: 5\nExpect: x, 100-continue", "417 Expectation"),
            ("Content-Length: 5\nExpect: 100-continue\nExpect: x", "417 Expectation"),
            ("Content-Length: 5\nExpect: 100 continue", "417 Expectation"),
            ("Content-Length: 5\nExpect: \"100-continue\"", "417 Expectation"),
            ("Expect: nothing", "417 Expectation"),
            ("Expect: 100-continue", "none keep"),
        ],
    );
    run_with_host(
        "POST / HTTP/1.0",
        &[
            ("Content-Length: 5\nExpect: 100-continue", "length 5 close"),
            ("Content-Length: 5\nExpect: 200-ok", "length 5 close"),
            ("Expect: nothing", "none close"),
        ],
    );
}

#[test]
fn an_upgrade_is_asked_for_in_two_fields() {
    run_with_host(
        "GET / HTTP/1.1",
        &[
            ("Connection: upgrade\nUpgrade: websocket", "none keep upgrade"),
            ("Connection: Upgrade\nupgrade: h2c", "none keep upgrade"),
            ("Connection: keep-alive, Upgrade\nUpgrade: websocket", "none keep upgrade"),
            ("Upgrade: websocket", "none keep"),
            ("Connection: upgrade", "none keep"),
            ("Connection: x-upgrade\nUpgrade: websocket", "none keep"),
        ],
    );
    run_with_host(
        "GET / HTTP/1.0",
        &[("Connection: keep-alive, upgrade\nUpgrade: websocket", "none keep")],
    );
}

#[test]
fn a_target_has_the_form_that_its_method_allows() {
    let say = |framing: &Framing<'_>| match framing.target {
        Target::Origin(target) => format!("origin {}", text(target)),
        Target::Absolute { authority, path } => {
            format!("absolute {} {}", text(authority), text(path))
        }
        Target::Authority(authority) => format!("authority {}", text(authority)),
        Target::Asterisk => "asterisk".to_string(),
    };
    for (line, expected) in [
        ("GET /", "origin /"),
        ("GET /a?b", "origin /a?b"),
        ("GET //a", "origin //a"),
        ("GET /%2e%2e/", "origin /%2e%2e/"),
        ("GET /../a", "origin /../a"),
        ("GET /http://a/", "origin /http://a/"),
        ("GET /:80", "origin /:80"),
        ("OPTIONS /", "origin /"),
        ("BREW /", "origin /"),
        ("OPTIONS *", "asterisk"),
        ("GET *", "400 Target"),
        ("HEAD *", "400 Target"),
        ("POST *", "400 Target"),
        ("BREW *", "400 Target"),
        ("CONNECT *", "400 Target"),
        ("options *", "400 Target"),
        ("OPTIONS **", "400 Target"),
        ("OPTIONS *?a", "400 Target"),
        ("GET /a#b", "400 Target"),
        ("GET #", "400 Target"),
        ("GET http://a/#b", "400 Target"),
        ("GET a", "400 Target"),
        ("GET a/b", "400 Target"),
        ("GET ?a", "400 Target"),
        ("GET a:80", "400 Target"),
        ("GET ./a", "400 Target"),
        ("GET \\a", "400 Target"),
        ("GET http://b/p?q", "absolute b /p?q"),
        ("GET http://b:80/", "absolute b:80 /"),
        ("GET HTTP://B/", "absolute B /"),
        ("GET https://b/", "absolute b /"),
        ("GET HTTPS://b/", "absolute b /"),
        ("GET http://b", "absolute b "),
        ("GET http://b?q", "absolute b ?q"),
        ("GET http://[::1]:8/p", "absolute [::1]:8 /p"),
        ("OPTIONS http://b/", "absolute b /"),
        ("GET http://b//c", "absolute b //c"),
        ("GET http://b/@c", "absolute b /@c"),
        ("GET http:///p", "400 Target"),
        ("GET http://", "400 Target"),
        ("GET http:/b/p", "400 Target"),
        ("GET http:b", "400 Target"),
        ("GET http://:80/", "400 Target"),
        ("GET http://?q", "400 Target"),
        ("GET http://u@b/", "400 Target"),
        ("GET http://u:p@b/", "400 Target"),
        ("GET http://b:x/", "400 Target"),
        ("GET http://b\\c/", "400 Target"),
        ("GET http://[::1/", "400 Target"),
        ("GET http://b|c/", "400 Target"),
        ("GET ftp://b/", "400 Target"),
        ("GET file:///etc/passwd", "400 Target"),
        ("GET javascript:0", "400 Target"),
        ("CONNECT b:80", "authority b:80"),
        ("CONNECT [::1]:443", "authority [::1]:443"),
        ("CONNECT b", "400 Target"),
        ("CONNECT b:", "400 Target"),
        ("CONNECT :80", "400 Target"),
        ("CONNECT b:x", "400 Target"),
        ("CONNECT u@b:80", "400 Target"),
        ("CONNECT /", "400 Target"),
        ("CONNECT http://b/", "400 Target"),
        ("CONNECT b:80/p", "400 Target"),
    ] {
        let raw = format!("{line} HTTP/1.1\r\nHost: a\r\n\r\n");
        check(line, raw.as_bytes(), expected, |input, ends| {
            decide(input, ends, say).unwrap_or_else(fault)
        });
    }
}
