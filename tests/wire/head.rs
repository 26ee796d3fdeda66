//! Request heads: RFC 9112 §2.2, §2.3, §3, §5, and the limits.

use std::fmt::Write as _;

use barewire::limits;
use barewire::wire::Error;
use barewire::wire::head::{Extent, Head, HeadLimits, HeadSpans, Scanner, Version};

use super::ways::{check, fault, text};

/// Feeds a scanner the bytes as they come and stops at the end of the head.
pub(crate) fn scan(
    input: &[u8],
    ends: &[usize],
    limits: &HeadLimits,
) -> Result<Option<Extent>, Error> {
    let mut scanner = Scanner::default();
    for &end in ends {
        if let Some(extent) = scanner.scan(&input[..end], limits)? {
            return Ok(Some(extent));
        }
    }
    Ok(None)
}

/// `METHOD target version [Name=value]… +end`, the fault, or `partial`.
fn read(input: &[u8], ends: &[usize], limits: &HeadLimits) -> String {
    let extent = match scan(input, ends, limits) {
        Ok(Some(extent)) => extent,
        Ok(None) => return "partial".into(),
        Err(error) => return fault(error),
    };
    let mut spans = HeadSpans::default();
    let head = match Head::parse(input, extent, &mut spans) {
        Ok(head) => head,
        Err(error) => return fault(error),
    };
    let version = if head.version() == Version::Http10 { "1.0" } else { "1.1" };
    let mut out = format!("{} {} {version}", text(head.method_bytes()), text(head.target()));
    for (name, value) in head.fields() {
        write!(out, " [{}={}]", text(name), text(value)).expect("a String takes every write");
    }
    for (span, field) in head.field_spans().iter().zip(head.fields()) {
        let [name, name_end, value, value_end] = span.offsets().map(|offset| offset as usize);
        assert_eq!((&head.bytes()[name..name_end], &head.bytes()[value..value_end]), field);
        assert_eq!(span.name_length(), field.0.len());
    }
    assert_eq!(head.fields().count(), extent.fields, "the scan and the parse count alike");
    assert_eq!(head.bytes(), &input[extent.start..extent.end]);
    out
}

/// Runs rows of (name, bytes of the whole head, expectation) and checks where each good head ends.
fn run(rows: &[(&str, &[u8], &str)]) {
    for (name, input, expected) in rows {
        let limits = HeadLimits::default();
        check(name, input, expected, |bytes, ends| {
            let outcome = read(bytes, ends, &limits);
            if let Ok(Some(extent)) = scan(bytes, ends, &limits) {
                assert_eq!(extent.end, input.len(), "{name}: the head ends where its bytes end");
            }
            outcome
        });
    }
}

#[test]
fn a_head_is_read_as_sent() {
    run(&[
        ("shortest", b"GET / HTTP/1.1\r\nHost: a\r\n\r\n", "GET / 1.1 [Host=a]"),
        ("no fields, HTTP/1.0", b"GET / HTTP/1.0\r\n\r\n", "GET / 1.0"),
        (
            "no fields, HTTP/1.1: Host is a matter of framing",
            b"GET / HTTP/1.1\r\n\r\n",
            "GET / 1.1",
        ),
        (
            "order and case stay",
            b"GET / HTTP/1.1\r\nB: 1\r\na: 2\r\nB: 3\r\n\r\n",
            "GET / 1.1 [B=1] [a=2] [B=3]",
        ),
        ("no space after the colon", b"GET / HTTP/1.1\r\nHost:a\r\n\r\n", "GET / 1.1 [Host=a]"),
        (
            "white space around a value",
            b"GET / HTTP/1.1\r\nHost: \t a \t \r\n\r\n",
            "GET / 1.1 [Host=a]",
        ),
        (
            "white space inside a value stays",
            b"GET / HTTP/1.1\r\nX: a \t b\r\n\r\n",
            "GET / 1.1 [X=a \\t b]",
        ),
        ("empty value", b"GET / HTTP/1.1\r\nX:\r\nY: \t\r\n\r\n", "GET / 1.1 [X=] [Y=]"),
        ("colons in a value", b"GET / HTTP/1.1\r\nX: a:b::c\r\n\r\n", "GET / 1.1 [X=a:b::c]"),
        (
            "a value is bytes, not UTF-8",
            b"GET / HTTP/1.1\r\nX: \xe9\x80\xff\r\n\r\n",
            "GET / 1.1 [X=\\xe9\\x80\\xff]",
        ),
        (
            "every tchar in a name",
            b"GET / HTTP/1.1\r\n!#$%&'*+-.^_`|~09azAZ: x\r\n\r\n",
            "GET / 1.1 [!#$%&\\'*+-.^_`|~09azAZ=x]",
        ),
        (
            "every tchar in a method",
            b"!#$%&'*+-.^_`|~09azAZ / HTTP/1.1\r\n\r\n",
            "!#$%&\\'*+-.^_`|~09azAZ / 1.1",
        ),
        ("an unknown method", b"BREW /pot HTTP/1.1\r\n\r\n", "BREW /pot 1.1"),
        (
            "methods are case-sensitive, so this is another one",
            b"get / HTTP/1.1\r\n\r\n",
            "get / 1.1",
        ),
        ("OPTIONS *", b"OPTIONS * HTTP/1.1\r\n\r\n", "OPTIONS * 1.1"),
        ("two slashes", b"GET //a HTTP/1.1\r\n\r\n", "GET //a 1.1"),
        (
            "nothing is decoded",
            b"GET /%2e%2e/%00?a=%20&b HTTP/1.1\r\n\r\n",
            "GET /%2e%2e/%00?a=%20&b 1.1",
        ),
        ("absolute form", b"GET http://h:1/p?q HTTP/1.1\r\n\r\n", "GET http://h:1/p?q 1.1"),
        ("minor version 2 is read as 1.1", b"GET / HTTP/1.2\r\n\r\n", "GET / 1.1"),
        ("minor version 9 is read as 1.1", b"GET / HTTP/1.9\r\n\r\n", "GET / 1.1"),
        ("one empty line before", b"\r\nGET / HTTP/1.1\r\n\r\n", "GET / 1.1"),
        ("two empty lines before", b"\r\n\r\nGET / HTTP/1.1\r\nA: b\r\n\r\n", "GET / 1.1 [A=b]"),
    ]);
}

#[test]
fn a_malformed_request_line_is_refused() {
    run(&[
        ("three empty lines before", b"\r\n\r\n\r\nGET / HTTP/1.1\r\n\r\n", "400 EmptyLines"),
        ("two spaces before the target", b"GET  / HTTP/1.1\r\n\r\n", "400"),
        ("two spaces before the version", b"GET /  HTTP/1.1\r\n\r\n", "400"),
        ("space at the end", b"GET / HTTP/1.1 \r\n\r\n", "400"),
        ("space at the begin", b" GET / HTTP/1.1\r\n\r\n", "400"),
        ("a space in the target", b"GET /a b HTTP/1.1\r\n\r\n", "400"),
        ("tabs between", b"GET\t/\tHTTP/1.1\r\n\r\n", "400"),
        ("a form feed between", b"GET\x0c/ HTTP/1.1\r\n\r\n", "400"),
        ("only a method", b"GET\r\n\r\n", "400"),
        ("no target", b"GET HTTP/1.1\r\n\r\n", "400"),
        ("an empty target", b"GET  HTTP/1.1\r\n\r\n", "400"),
        ("no method", b"/ HTTP/1.1\r\n\r\n", "400"),
        ("HTTP/0.9 has no version", b"GET /\r\n\r\n", "400"),
        ("a method that isn't a token", b"G(T / HTTP/1.1\r\n\r\n", "400 Method"),
        ("a colon in the method", b"GET: / HTTP/1.1\r\n\r\n", "400 Method"),
        ("a byte above ASCII in the method", b"G\xc9T / HTTP/1.1\r\n\r\n", "400 Method"),
        ("NUL in the method", b"G\0T / HTTP/1.1\r\n\r\n", "400 Method"),
        ("a byte order mark", b"\xef\xbb\xbfGET / HTTP/1.1\r\n\r\n", "400 Method"),
        ("a bare CR in the line", b"GET /\rHTTP/1.1\r\n\r\n", "400"),
        ("a bare CR before CR LF", b"GET / HTTP/1.1\r\r\n\r\n", "400"),
        ("a bare CR before all", b"\rGET / HTTP/1.1\r\n\r\n", "400"),
        ("a bare LF before all", b"\nGET / HTTP/1.1\r\n\r\n", "400 BareLineFeed"),
        ("a bare LF ends the line", b"GET / HTTP/1.1\nHost: a\r\n\r\n", "400 BareLineFeed"),
    ]);
}

#[test]
fn a_version_is_exact() {
    run(&[
        ("lower case", b"GET / http/1.1\r\n\r\n", "400 Version"),
        ("mixed case", b"GET / Http/1.1\r\n\r\n", "400 Version"),
        ("two digits", b"GET / HTTP/1.10\r\n\r\n", "400 Version"),
        ("leading zero", b"GET / HTTP/01.1\r\n\r\n", "400 Version"),
        ("no minor", b"GET / HTTP/1.\r\n\r\n", "400 Version"),
        ("no dot", b"GET / HTTP/11\r\n\r\n", "400 Version"),
        ("major only", b"GET / HTTP/2\r\n\r\n", "400 Version"),
        ("a comma", b"GET / HTTP/1,1\r\n\r\n", "400 Version"),
        ("a letter", b"GET / HTTP/1.x\r\n\r\n", "400 Version"),
        ("no slash", b"GET / HTTP1.1\r\n\r\n", "400 Version"),
        ("another protocol", b"GET / ICAP/1.0\r\n\r\n", "400 Version"),
        ("junk behind", b"GET / HTTP/1.1x\r\n\r\n", "400 Version"),
        ("2.0", b"GET / HTTP/2.0\r\n\r\n", "505 VersionNotSupported"),
        ("3.0", b"GET / HTTP/3.0\r\n\r\n", "505 VersionNotSupported"),
        ("9.9", b"GET / HTTP/9.9\r\n\r\n", "505 VersionNotSupported"),
        ("the preface of HTTP/2", b"PRI * HTTP/2.0\r\n\r\n", "505 VersionNotSupported"),
    ]);
}

#[test]
fn http_0_9_is_malformed_also_when_it_says_its_version() {
    run(&[("HTTP/0.9", b"GET / HTTP/0.9\r\n\r\n", "400")]);
}

#[test]
fn a_malformed_field_is_refused() {
    run(&[
        ("space before the colon", b"GET / HTTP/1.1\r\nHost : a\r\n\r\n", "400 Field"),
        ("tab before the colon", b"GET / HTTP/1.1\r\nHost\t: a\r\n\r\n", "400 Field"),
        ("space before the first name", b"GET / HTTP/1.1\r\n Host: a\r\n\r\n", "400 Field"),
        ("tab before the first name", b"GET / HTTP/1.1\r\n\tHost: a\r\n\r\n", "400 Field"),
        ("folded with a space", b"GET / HTTP/1.1\r\nX: a\r\n b\r\n\r\n", "400 Field"),
        ("folded with a tab", b"GET / HTTP/1.1\r\nX: a\r\n\tb\r\n\r\n", "400 Field"),
        ("folded to an empty line", b"GET / HTTP/1.1\r\nX: a\r\n \r\n\r\n", "400 Field"),
        ("folded with a colon", b"GET / HTTP/1.1\r\nX: a\r\n Y: b\r\n\r\n", "400 Field"),
        ("no colon", b"GET / HTTP/1.1\r\nHost\r\n\r\n", "400 Field"),
        ("no name", b"GET / HTTP/1.1\r\n: a\r\n\r\n", "400 Field"),
        ("a space in the name", b"GET / HTTP/1.1\r\nX Y: a\r\n\r\n", "400 Field"),
        ("a bracket in the name", b"GET / HTTP/1.1\r\nX[]: a\r\n\r\n", "400 Field"),
        ("a quote in the name", b"GET / HTTP/1.1\r\n\"X\": a\r\n\r\n", "400 Field"),
        ("a slash in the name", b"GET / HTTP/1.1\r\nX/Y: a\r\n\r\n", "400 Field"),
        ("a byte above ASCII in the name", b"GET / HTTP/1.1\r\nX\xe9: a\r\n\r\n", "400 Field"),
        ("NUL in the name", b"GET / HTTP/1.1\r\nX\0: a\r\n\r\n", "400 Field"),
        ("DEL in the name", b"GET / HTTP/1.1\r\nX\x7f: a\r\n\r\n", "400 Field"),
        ("NUL in the value", b"GET / HTTP/1.1\r\nX: a\0b\r\n\r\n", "400 Field"),
        ("a control byte in the value", b"GET / HTTP/1.1\r\nX: a\x01b\r\n\r\n", "400 Field"),
        ("ESC in the value", b"GET / HTTP/1.1\r\nX: \x1b[31m\r\n\r\n", "400 Field"),
        ("vertical tab after the value", b"GET / HTTP/1.1\r\nX: a\x0b\r\n\r\n", "400 Field"),
        ("DEL in the value", b"GET / HTTP/1.1\r\nX: a\x7f\r\n\r\n", "400 Field"),
        ("a bare CR in the value", b"GET / HTTP/1.1\r\nX: a\rb\r\n\r\n", "400"),
        ("a bare CR before CR LF", b"GET / HTTP/1.1\r\nX: a\r\r\n\r\n", "400"),
        ("a bare CR in the name", b"GET / HTTP/1.1\r\nX\rY: a\r\n\r\n", "400"),
        ("a bare CR begins a line", b"GET / HTTP/1.1\r\n\rX: a\r\n\r\n", "400"),
        ("a bare LF in the value", b"GET / HTTP/1.1\r\nX: a\nY: b\r\n\r\n", "400 BareLineFeed"),
        (
            "a bare LF as the empty line",
            b"GET / HTTP/1.1\r\nX: a\r\n\n\r\n\r\n",
            "400 BareLineFeed",
        ),
        ("LF CR", b"GET / HTTP/1.1\r\nX: a\n\rY: b\r\n\r\n", "400 BareLineFeed"),
    ]);
}

#[test]
fn a_target_has_no_forbidden_byte() {
    for byte in 0..=u8::MAX {
        let bytes = [b"GET /a".as_slice(), &[byte], b"b HTTP/1.1\r\n\r\n"].concat();
        let expected = match byte {
            b'\n' => "400 BareLineFeed".to_string(),
            b'#' | 0..=b' ' | 0x7f.. => "400".to_string(),
            _ => format!("GET /a{}b 1.1", text(&[byte])),
        };
        check("target", &bytes, &expected, |input, ends| {
            // What a target may be is judged with the framing; both count here.
            super::framing::outcome(input, ends)
                .err()
                .filter(|error| *error != Error::Host)
                .map_or_else(|| read(input, ends, &HeadLimits::default()), fault)
        });
    }
}

#[test]
fn a_field_value_takes_all_bytes_but_controls() {
    for byte in 0..=u8::MAX {
        let bytes = [b"GET / HTTP/1.1\r\nX: a".as_slice(), &[byte], b"b\r\n\r\n"].concat();
        let expected = match byte {
            b'\n' => "400 BareLineFeed".to_string(),
            b'\t' | b' '..=b'~' | 0x80.. => format!("GET / 1.1 [X=a{}b]", text(&[byte])),
            _ => "400".to_string(),
        };
        check("value", &bytes, &expected, |input, ends| read(input, ends, &HeadLimits::default()));
    }
}

#[test]
fn a_field_name_is_a_token() {
    for byte in 0..=u8::MAX {
        let bytes = [b"GET / HTTP/1.1\r\nx".as_slice(), &[byte], b"y: z\r\n\r\n"].concat();
        let expected = match byte {
            b'\n' => "400 BareLineFeed".to_string(),
            b':' => "GET / 1.1 [x=y: z]".to_string(),
            _ if byte.is_ascii_alphanumeric() || b"!#$%&'*+-.^_`|~".contains(&byte) => {
                format!("GET / 1.1 [x{}y=z]", text(&[byte]))
            }
            _ => "400".to_string(),
        };
        check("name", &bytes, &expected, |input, ends| read(input, ends, &HeadLimits::default()));
    }
}

#[test]
fn an_unfinished_head_is_partial_at_every_length() {
    let whole = b"\r\nPOST /a?b HTTP/1.1\r\nHost: a\r\nX: y\r\n\r\n";
    for length in 0..whole.len() {
        let mut scanner = Scanner::default();
        assert_eq!(
            scanner.scan(&whole[..length], &HeadLimits::default()),
            Ok(None),
            "{length} bytes"
        );
        // One byte, half an empty line, may count or not.
        if length != 1 {
            assert_eq!(scanner.has_begun(&whole[..length]), length > 2, "{length} bytes");
        }
    }
}

#[test]
fn a_request_line_has_a_limit() {
    let line = |length: usize| {
        let target = "a".repeat(length - "GET / HTTP/1.1".len());
        format!("GET /{target} HTTP/1.1\r\nHost: a\r\n\r\n").into_bytes()
    };
    let limits = HeadLimits { request_line: 100, ..HeadLimits::default() };
    check(
        "at the limit",
        &line(100),
        &read(&line(100), &[line(100).len()], &limits),
        |input, ends| {
            let outcome = read(input, ends, &limits);
            assert!(outcome.starts_with("GET /aaa"), "{outcome}");
            outcome
        },
    );
    check("one above", &line(101), "414 RequestLineTooLong", |input, ends| {
        read(input, ends, &limits)
    });
    check("far above", &line(5000), "414 RequestLineTooLong", |input, ends| {
        read(input, ends, &limits)
    });
    let default = HeadLimits::default();
    assert!(
        read(&line(limits::REQUEST_LINE), &[line(limits::REQUEST_LINE).len()], &default)
            .starts_with("GET")
    );
    check(
        "the default",
        &line(limits::REQUEST_LINE + 1),
        "414 RequestLineTooLong",
        |input, ends| read(input, ends, &default),
    );
    let endless = vec![b'A'; limits::REQUEST_LINE + 2];
    check("no end in sight", &endless, "414 RequestLineTooLong", |input, ends| {
        read(input, ends, &default)
    });
}

#[test]
fn a_field_section_has_a_limit() {
    let head = |length: usize| {
        let value = "v".repeat(length - "X: \r\n".len());
        format!("GET / HTTP/1.1\r\nX: {value}\r\n\r\n").into_bytes()
    };
    let limits = HeadLimits { size: 100, ..HeadLimits::default() };
    let good = read(&head(100), &[head(100).len()], &limits);
    assert!(good.starts_with("GET / 1.1 [X=vvv"), "{good}");
    check("at the limit", &head(100), &good, |input, ends| read(input, ends, &limits));
    check("above", &head(101), "431 FieldsTooLarge", |input, ends| read(input, ends, &limits));
    check("far above", &head(5000), "431 FieldsTooLarge", |input, ends| read(input, ends, &limits));
    let default = HeadLimits::default();
    check("the default", &head(limits::HEADER_SIZE + 1), "431 FieldsTooLarge", |input, ends| {
        read(input, ends, &default)
    });
    let endless =
        [b"GET / HTTP/1.1\r\nX: ".as_slice(), &vec![b'v'; limits::HEADER_SIZE + 2]].concat();
    check("no end in sight", &endless, "431 FieldsTooLarge", |input, ends| {
        read(input, ends, &default)
    });
}

#[test]
fn a_line_that_is_too_long_is_told_before_its_bare_line_feed() {
    let limits = HeadLimits { request_line: 100, size: 100, ..HeadLimits::default() };
    for (start, fault) in
        [("GET /", "414 RequestLineTooLong"), ("GET / HTTP/1.1\r\nX: ", "431 FieldsTooLarge")]
    {
        let input = format!("{start}{}\n", "a".repeat(200));
        check(start, input.as_bytes(), fault, |input, ends| read(input, ends, &limits));
    }
}

#[test]
fn field_lines_are_counted() {
    let head =
        |count: usize| format!("GET / HTTP/1.1\r\n{}\r\n", "a: b\r\n".repeat(count)).into_bytes();
    let limits = HeadLimits { fields: 3, ..HeadLimits::default() };
    check("at the limit", &head(3), "GET / 1.1 [a=b] [a=b] [a=b]", |input, ends| {
        read(input, ends, &limits)
    });
    check("one above", &head(4), "431 TooManyFields", |input, ends| read(input, ends, &limits));
    let default = HeadLimits::default();
    assert!(
        read(&head(limits::FIELDS), &[head(limits::FIELDS).len()], &default).starts_with("GET")
    );
    check("the default", &head(limits::FIELDS + 1), "431 TooManyFields", |input, ends| {
        read(input, ends, &default)
    });
}

#[test]
fn spans_can_be_used_again_for_the_next_head() {
    let mut spans = HeadSpans::default();
    for (raw, fields) in
        [("GET /a HTTP/1.1\r\nA: 1\r\nB: 2\r\n\r\n", 2), ("GET /b HTTP/1.0\r\n\r\n", 0)]
    {
        let extent = scan(raw.as_bytes(), &[raw.len()], &HeadLimits::default());
        let extent = extent.expect("well-formed").expect("complete");
        let head = Head::parse(raw.as_bytes(), extent, &mut spans).expect("well-formed");
        assert_eq!(head.fields().count(), fields);
        let copy = head.bytes().to_vec();
        let again = Head::of(&copy, &spans);
        assert_eq!(again.target(), &raw.as_bytes()[4..6]);
        assert_eq!(again.fields().count(), fields);
        assert_eq!(again.field("b"), (fields == 2).then_some(b"2".as_slice()));
    }
}
