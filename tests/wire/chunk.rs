//! The chunked coding, received: RFC 9112 §7.1 and the traps of its parsers.

use std::fmt::Write as _;

use barewire::limits;
use barewire::wire::chunk::{Decoder, Event};
use barewire::wire::fields::Trailers;

use super::ways::{check, fault, text};

/// Decodes pieces as they come: `data [Name=value]…`, the fault, or `partial data`. Stops at the
/// end and checks that all that follows was left alone.
pub(crate) fn read(input: &[u8], ends: &[usize], length: usize) -> String {
    let mut decoder = Decoder::new();
    let mut data = Vec::new();
    let mut at = 0;
    for &end in ends {
        while at < end {
            let piece = &input[at..end];
            let (used, event) = match decoder.next(piece) {
                Ok(found) => found,
                Err(error) => return fault(error),
            };
            assert!(used <= piece.len());
            at += used;
            match event {
                Event::Partial => assert_eq!(at, end, "partial means that all was used"),
                Event::Data { start, end: data_end } => {
                    assert!(start < data_end && data_end <= used, "data lies in the used bytes");
                    data.extend_from_slice(&piece[start..data_end]);
                }
                Event::End(trailers) => {
                    assert_eq!(at, length, "the body ends where its bytes end");
                    let mut out = format!("{:?}", text(&data));
                    for (name, value) in trailers.iter() {
                        write!(out, " [{}={}]", text(name), text(value))
                            .expect("a String takes every write");
                    }
                    assert_eq!(trailers.is_empty(), trailers.iter().count() == 0);
                    return out;
                }
            }
        }
    }
    format!("partial {:?}", text(&data))
}

fn run(rows: &[(&str, &[u8], &str)]) {
    for (name, input, expected) in rows {
        check(name, input, expected, |bytes, ends| read(bytes, ends, input.len()));
    }
}

#[test]
fn no_trailers_are_the_same_in_one_piece_and_in_two() {
    let body = b"0\r\n\r\n";
    for cut in 0..body.len() {
        let mut decoder = Decoder::new();
        decoder.next(&body[..cut]).expect("no fault");
        let end = decoder.next(&body[cut..]).expect("no fault");
        assert_eq!(end, (body.len() - cut, Event::End(Trailers::default())), "cut at {cut}");
    }
}

#[test]
fn a_chunked_body_is_read() {
    run(&[
        ("empty", b"0\r\n\r\n", "\"\""),
        ("one chunk", b"5\r\nhello\r\n0\r\n\r\n", "\"hello\""),
        ("several chunks", b"1\r\na\r\n2\r\nbc\r\n3\r\ndef\r\n0\r\n\r\n", "\"abcdef\""),
        ("hex in lower case", b"a\r\n0123456789\r\n0\r\n\r\n", "\"0123456789\""),
        ("hex in upper case", b"B\r\n0123456789x\r\n0\r\n\r\n", "\"0123456789x\""),
        ("two digits", b"10\r\n0123456789abcdef\r\n0\r\n\r\n", "\"0123456789abcdef\""),
        ("leading zeros", b"0005\r\nhello\r\n000\r\n\r\n", "\"hello\""),
        (
            "line ends and chunk headers as data",
            b"7\r\n\r\n0\r\n\r\n\r\n0\r\n\r\n",
            "\"\\\\r\\\\n0\\\\r\\\\n\\\\r\\\\n\"",
        ),
        ("any byte as data", b"3\r\n\x00\xff\n\r\n0\r\n\r\n", "\"\\\\x00\\\\xff\\\\n\""),
        ("an extension", b"5;a\r\nhello\r\n0\r\n\r\n", "\"hello\""),
        ("an extension with a value", b"5;a=b;c=d\r\nhello\r\n0;e=f\r\n\r\n", "\"hello\""),
        ("a quoted extension", b"5;a=\"b;c d\"\r\nhello\r\n0\r\n\r\n", "\"hello\""),
        ("spaces in an extension", b"5; a = b\r\nhello\r\n0\r\n\r\n", "\"hello\""),
        (
            "white space before an extension (RFC 9112 §7.1.1)",
            b"5 ;a=b\r\nhello\r\n0\t;e\r\n\r\n",
            "\"hello\"",
        ),
        ("a trailer field", b"0\r\nX: y\r\n\r\n", "\"\" [X=y]"),
        (
            "trailer fields",
            b"1\r\na\r\n0\r\nX: 1\r\nY:2\r\nX: \t3 \r\n\r\n",
            "\"a\" [X=1] [Y=2] [X=3]",
        ),
        ("an empty trailer value", b"0\r\nX:\r\n\r\n", "\"\" [X=]"),
        ("a trailer value is bytes", b"0\r\nX: \xe9\r\n\r\n", "\"\" [X=\\xe9]"),
    ]);
}

#[test]
fn a_malformed_chunk_size_is_refused() {
    for size in [
        "g",
        "G",
        "@",
        ":",
        "/",
        "`",
        "x",
        "z",
        " 5",
        "\t5",
        "+5",
        "-5",
        "0x5",
        "0X5",
        "5h",
        "5,",
        "5.",
        "5 ",
        "5\t",
        "5 5",
        "",
        "\r",
        "\u{0}",
        "\u{ff15}",
        "5_",
        "'5'",
        "\"5\"",
        "#5",
        "1\u{b}",
        "10000000000000000",
        "100000000000000005",
        "fffffffffffffffff",
        "ffffffffffffffffffffffffffffffff",
    ] {
        for rest in ["\r\nhello\r\n0\r\n\r\n", "\r\n", "\nhello\r\n0\r\n\r\n"] {
            let raw = format!("{size}{rest}");
            check("size", raw.as_bytes(), "400", |bytes, ends| read(bytes, ends, raw.len()));
            let second = format!("2\r\nab\r\n{raw}");
            check("later size", second.as_bytes(), "400", |bytes, ends| {
                read(bytes, ends, second.len())
            });
        }
    }
}

#[test]
fn a_malformed_chunk_is_refused() {
    run(&[
        ("bare LF after the size", b"5\nhello\r\n0\r\n\r\n", "400"),
        ("bare CR after the size", b"5\rhello\r\n0\r\n\r\n", "400"),
        ("two CR after the size", b"5\r\r\nhello\r\n0\r\n\r\n", "400"),
        ("bare LF after the last size", b"0\n\r\n", "400"),
        ("bare LF at the very end", b"0\r\n\n", "400"),
        ("bare CR at the very end", b"0\r\n\rx\r\n\r\n", "400"),
        ("bare LF after an extension", b"5;a\nhello\r\n0\r\n\r\n", "400"),
        ("bare CR in an extension", b"5;a\rb\r\nhello\r\n0\r\n\r\n", "400"),
        ("bare LF in a quoted extension", b"5;a=\"\n\"\r\nhello\r\n0\r\n\r\n", "400"),
        ("NUL in an extension", b"5;a\0\r\nhello\r\n0\r\n\r\n", "400"),
        ("a control byte in an extension", b"5;a\x01b\r\nhello\r\n0\r\n\r\n", "400"),
        ("no CR LF after data", b"5\r\nhello0\r\n\r\n", "400"),
        ("bare LF after data", b"5\r\nhello\n0\r\n\r\n", "400"),
        ("bare CR after data", b"5\r\nhello\r0\r\n\r\n", "400"),
        ("data longer than its size", b"4\r\nhello\r\n0\r\n\r\n", "400"),
        ("data shorter than its size", b"6\r\nhello\r\n0\r\n\r\n", "400"),
        ("an empty line before the size", b"\r\n5\r\nhello\r\n0\r\n\r\n", "400"),
        ("an empty line between", b"5\r\nhello\r\n\r\n0\r\n\r\n", "400"),
    ]);
}

#[test]
fn a_malformed_trailer_is_refused() {
    run(&[
        ("no colon", b"0\r\nX\r\n\r\n", "400"),
        ("no name", b"0\r\n: y\r\n\r\n", "400"),
        ("space before the colon", b"0\r\nX : y\r\n\r\n", "400"),
        ("space before the name", b"0\r\n X: y\r\n\r\n", "400"),
        ("folded", b"0\r\nX: y\r\n z\r\n\r\n", "400"),
        ("NUL in the value", b"0\r\nX: \0\r\n\r\n", "400"),
        ("a control byte in the value", b"0\r\nX: \x01\r\n\r\n", "400"),
        ("bare LF", b"0\r\nX: y\nZ: a\r\n\r\n", "400"),
        ("bare CR", b"0\r\nX: y\rZ: a\r\n\r\n", "400"),
        ("a name that isn't a token", b"0\r\nX(): y\r\n\r\n", "400"),
        ("a request instead of the empty line", b"0\r\nGET / HTTP/1.1\r\nHost: a\r\n\r\n", "400"),
    ]);
}

#[test]
fn a_chunk_size_goes_as_far_as_javascript_can_count() {
    assert_eq!(read(b"1fffffffffffff\r\nx", &[17], usize::MAX), "partial \"x\"");
    assert_eq!(read(b"20000000000000\r\nx", &[17], usize::MAX), "400 Chunk");
    let padded = b"0000000000000005\r\nhello\r\n0\r\n\r\n";
    assert_eq!(read(padded, &[padded.len()], padded.len()), "\"hello\"");
}

#[test]
fn trailer_lines_are_counted() {
    let many = |count: usize| "0\r\n".to_string() + &"X: y\r\n".repeat(count) + "\r\n";
    let good = many(limits::FIELDS);
    assert!(read(good.as_bytes(), &[good.len()], good.len()).ends_with(" [X=y]"));
    let bad = many(limits::FIELDS + 1);
    assert_eq!(read(bad.as_bytes(), &[bad.len()], bad.len())[..3], *"431");
}

#[test]
fn an_unfinished_body_is_partial_at_every_length() {
    let whole = b"5;x=y\r\nhello\r\n0\r\nA: b\r\n\r\n";
    for length in 1..whole.len() {
        let outcome = read(&whole[..length], &[length], whole.len());
        assert!(outcome.starts_with("partial \""), "{length} bytes: {outcome}");
    }
}

#[test]
fn data_is_handed_out_before_its_chunk_is_complete() {
    assert_eq!(read(b"5\r\nhel", &[6], usize::MAX), "partial \"hel\"");
    assert_eq!(read(b"ffffffff\r\nhello", &[12, 15], usize::MAX), "partial \"hello\"");
}

#[test]
fn extensions_are_limited_in_one_chunk_and_in_sum() {
    let one = |length: usize| format!("1;{}\r\na\r\n0\r\n\r\n", "x".repeat(length)).into_bytes();
    let good = one(limits::CHUNK_EXTENSIONS - 64);
    assert_eq!(read(&good, &[good.len()], good.len()), "\"a\"");
    for length in [limits::CHUNK_EXTENSIONS + 64, 1 << 20] {
        let bad = one(length);
        let expected = "400 ChunkExtensions";
        assert_eq!(read(&bad, &[bad.len()], bad.len()), expected);
        assert_eq!(read(&bad, &(1..=bad.len()).collect::<Vec<_>>(), bad.len()), expected);
    }
    // Without an end in sight, the limit strikes as well.
    let endless = [b"1;".as_slice(), &vec![b'x'; limits::CHUNK_EXTENSIONS + 64]].concat();
    assert_eq!(read(&endless, &[endless.len()], usize::MAX), "400 ChunkExtensions");
    let many = "1;xxxxxxx\r\na\r\n".repeat(limits::CHUNK_EXTENSIONS / 7 + 16) + "0\r\n\r\n";
    assert_eq!(read(many.as_bytes(), &[many.len()], many.len()), "400 ChunkExtensions");
}

#[test]
fn trailers_are_limited() {
    let one = |length: usize| format!("0\r\nX: {}\r\n\r\n", "x".repeat(length)).into_bytes();
    let good = one(limits::TRAILER_SIZE - 64);
    assert!(read(&good, &[good.len()], good.len()).starts_with("\"\" [X=xx"));
    for length in [limits::TRAILER_SIZE + 64, 1 << 20] {
        let bad = one(length);
        let expected = "431 TrailersTooLarge";
        assert_eq!(read(&bad, &[bad.len()], bad.len()), expected);
        assert_eq!(read(&bad, &(1..=bad.len()).collect::<Vec<_>>(), bad.len()), expected);
    }
    let many = "0\r\n".to_string() + &"X: y\r\n".repeat(200_000) + "\r\n";
    assert_eq!(read(many.as_bytes(), &[many.len()], many.len())[..3], *"431");
}
