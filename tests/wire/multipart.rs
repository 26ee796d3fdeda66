//! Forms in parts: RFC 7578, RFC 2046 §5.1, and where parsers of it differ.

use std::fmt::Write as _;

use barewire::limits;
use barewire::wire::multipart::{Error, Event, Parser, Part};

use super::ways::{Random, check, deliveries, text};

/// Parses pieces as they come, keeping what isn't used: each part as `name filename=… {fields} data`,
/// then `end`, or the fault.
fn read(boundary: &[u8], input: &[u8], ends: &[usize]) -> String {
    let mut out = String::new();
    let mut parser = match Parser::new(boundary) {
        Ok(parser) => parser,
        Err(error) => return fault(error),
    };
    let mut data: Option<Vec<u8>> = None;
    let mut at = 0;
    for &end in ends {
        loop {
            let piece = &input[at..end];
            let (used, event) = match parser.next(piece) {
                Ok(found) => found,
                Err(error) => return out + &fault(error),
            };
            assert!(used <= piece.len());
            at += used;
            match event {
                Event::Partial => {
                    assert!(end - at < limits::PART_HEADER_SIZE, "little is left unused");
                    break;
                }
                Event::PartBegin(part) => {
                    assert!(used > 0 && data.is_none(), "a part begins behind the one before");
                    describe(&part, piece, &mut out);
                    data = Some(Vec::new());
                }
                Event::Data => {
                    assert!(used > 0, "data is not empty");
                    let data = data.as_mut().expect("data lies in a part");
                    data.extend_from_slice(&piece[..used]);
                }
                Event::PartEnd => {
                    assert!(used > 0);
                    let data = data.take().expect("a part that ends has begun");
                    write!(out, "{:?} ", text(&data)).expect("a String takes every write");
                }
            }
        }
    }
    out + &parser.finish().map_or_else(fault, |()| "end".to_owned())
}

fn describe(part: &Part, piece: &[u8], out: &mut String) {
    let Part { name, filename, fields } = part;
    write!(out, "{name:?}").expect("a String takes every write");
    if let Some(filename) = filename {
        write!(out, " filename={filename:?}").expect("a String takes every write");
    }
    for field in fields {
        let (name, value) = (text(field.name(piece)), text(field.value(piece)));
        if !name.eq_ignore_ascii_case("content-disposition") {
            write!(out, " [{name}={value}]").expect("a String takes every write");
        }
    }
    out.push(' ');
}

fn fault(error: Error) -> String {
    assert!(error.reason().ends_with('.') && error.to_string() == error.reason());
    format!("{} {error:?}", error.status())
}

/// Each row with the boundary `b`, in every way, with bytes behind it.
fn run(rows: &[(&str, &str, &str)]) {
    for (name, input, expected) in rows {
        check(name, input.as_bytes(), expected, |bytes, ends| read(b"b", bytes, ends));
    }
}

/// Each row in every way, with nothing behind it: the body ends here.
fn run_to_the_end(rows: &[(&str, &str, &str)]) {
    for (name, input, expected) in rows {
        for ends in deliveries(input.len()) {
            assert_eq!(read(b"b", input.as_bytes(), &ends), *expected, "{name}: {ends:?}");
        }
    }
}

/// A body of one part with this Content-Disposition.
fn with_disposition(value: &str) -> String {
    format!("--b\r\nContent-Disposition: {value}\r\n\r\nx\r\n--b--\r\n")
}

const FIELD: &str = "--b\r\nContent-Disposition: form-data; name=\"a\"\r\n\r\n";

#[test]
fn a_form_is_read() {
    run(&[
        ("no part", "--b--\r\n", "end"),
        ("no part and no line end", "--b--", "end"),
        ("a field", &format!("{FIELD}1\r\n--b--\r\n"), "\"a\" \"1\" end"),
        ("an empty field", &format!("{FIELD}\r\n--b--\r\n"), "\"a\" \"\" end"),
        (
            "no data and not even its line end (RFC 2046 §5.1.1)",
            &format!("{FIELD}--b--\r\n"),
            "\"a\" \"\" end",
        ),
        (
            "two fields of one name",
            &format!("{FIELD}1\r\n{FIELD}2\r\n--b--\r\n"),
            "\"a\" \"1\" \"a\" \"2\" end",
        ),
        (
            "a file",
            "--b\r\nContent-Disposition: form-data; name=\"f\"; filename=\"x.txt\"\r\n\
             Content-Type: text/plain\r\nX-A:  1 \r\n\r\ndata\r\n--b--\r\n",
            "\"f\" filename=\"x.txt\" [Content-Type=text/plain] [X-A=1] \"data\" end",
        ),
        (
            "a file without a name, as of an empty file input",
            "--b\r\ncontent-disposition:form-data;name=f;filename=\"\"\r\n\r\n\r\n--b--\r\n",
            "\"f\" filename=\"\" \"\" end",
        ),
        (
            "line ends, dashes and almost a boundary as data",
            &format!("{FIELD}\r\n\r\n-\r\n--\r\n--a\r\r\n--\r\n\r\n--b--\r\n"),
            "\"a\" \"\\\\r\\\\n\\\\r\\\\n-\\\\r\\\\n--\\\\r\\\\n--a\\\\r\\\\r\\\\n--\\\\r\\\\n\" end",
        ),
        (
            "a boundary that doesn't begin a line is data",
            &format!("{FIELD}x--b\r\n \n--b--\r\n--b--\r\n"),
            "\"a\" \"x--b\\\\r\\\\n \\\\n--b--\" end",
        ),
        ("a preamble", "Some words.\r\n\r\n--b--\r\n", "end"),
        ("a preamble with dashes", "-\r\n--\r\r\n--a\r\n--b--\r\n", "end"),
        ("an empty line as preamble", "\r\n--b--\r\n", "end"),
        ("an epilogue", "--b--\r\nSome words.\r\n--b\r\n", "end"),
        ("an epilogue without a line end before it", "--b--x", "end"),
        (
            "white space behind a boundary (RFC 2046 §5.1.1)",
            "--b \t \r\nContent-Disposition: form-data; name=a\r\n\r\nx\r\n--b--",
            "\"a\" \"x\" end",
        ),
    ]);
}

#[test]
fn a_disposition_is_read() {
    for (value, expected) in [
        ("form-data; name=\"a\"", "\"a\""),
        ("form-data; name=a", "\"a\""),
        ("Form-Data ; NAME=\"a\" ", "\"a\""),
        ("form-data;name=\"a\";", "\"a\""),
        ("form-data; name=\"\"", "\"\""),
        ("form-data; name=\"a b;c=d\"", "\"a b;c=d\""),
        ("form-data; name=\"ä€😀\"", "\"ä€😀\""),
        ("form-data; name=\"%0a%0D%0d%0A%22%41%\"", "\"\\n\\r\\r\\n\\\"%41%\""),
        ("form-data; name=a%22", "\"a%22\""),
        ("form-data; name=\"a\"; filename=\"C:\\dir\\x\"", "\"a\" filename=\"C:\\\\dir\\\\x\""),
        ("form-data; filename=x.txt; name=a", "\"a\" filename=\"x.txt\""),
        ("form-data; name=a; size=3; x=\"y;z\"", "\"a\""),
        ("form-data; name=a; filename=x; filename*=utf-8''%C3%A4", "\"a\" filename=\"ä\""),
        ("form-data; name=a; filename*=UTF-8'de'%C3%A4; filename=x", "\"a\" filename=\"ä\""),
        ("form-data; name=a; filename*=utf-8''", "\"a\" filename=\"\""),
    ] {
        let expected = format!("{expected} \"x\" end");
        run(&[(value, &with_disposition(value), &expected)]);
    }
}

#[test]
fn a_name_that_is_no_utf_8_is_read_as_far_as_it_is() {
    let input = b"--b\r\nContent-Disposition: form-data; name=\"\xe4\xe2\x82x\"\r\n\r\n\r\n--b--";
    check("latin1", input, "\"\u{fffd}\u{fffd}x\" \"\" end", |bytes, ends| read(b"b", bytes, ends));
}

#[test]
fn a_malformed_disposition_is_refused() {
    for value in [
        "",
        "form-data",
        "form-data; filename=\"a\"",
        "attachment; name=\"a\"",
        "file; name=\"a\"",
        "form-data name=\"a\"",
        "form-data; name",
        "form-data; name=",
        "form-data; =a",
        "form-data; name =a",
        "form-data; name= a",
        "form-data; name=\"a",
        "form-data; name=\"a\\\"b\"",
        "form-data; name=\"a\" filename=\"b\"",
        "form-data; name=ä",
        "form-data; name=\"a\"; name=\"b\"",
        "form-data; name=\"a\"; filename=b; FileName=c",
        "form-data; name=\"a\"; filename*=b",
        "form-data; name=\"a\"; filename*=\"utf-8''b\"",
        "form-data; name=\"a\"; filename*=latin1''%E4",
        "form-data; name=\"a\"; filename*=utf-8''%E4",
        "form-data; name=\"a\"; filename*=utf-8''%4",
        "form-data; name=\"a\"; filename*=utf-8''%+4",
        "form-data; name=\"a\"; filename*=utf-8''a; filename*=utf-8''b",
        "form-data;; name=\"a\"",
    ] {
        run(&[(value, &with_disposition(value), "400 Disposition")]);
    }
    run(&[
        ("none", "--b\r\nX: y\r\n\r\nx\r\n--b--\r\n", "400 Disposition"),
        ("no field at all", "--b\r\n\r\nx\r\n--b--\r\n", "400 Disposition"),
        (
            "two",
            "--b\r\nContent-Disposition: form-data; name=a\r\n\
             content-disposition: form-data; name=a\r\n\r\nx\r\n--b--\r\n",
            "400 Disposition",
        ),
    ]);
}

#[test]
fn a_malformed_body_is_refused() {
    run(&[
        ("the first boundary inside of a line", "x--b\r\n--b--\r\n", "400 BoundaryLine"),
        ("the first boundary behind LF", "x\n--b--\r\n", "400 BoundaryLine"),
        ("the first boundary behind CR", "\r--b--\r\n", "400 BoundaryLine"),
        ("more behind the boundary", "--bb\r\n", "400 BoundaryLine"),
        ("one dash behind the boundary", "--b-\r\n", "400 BoundaryLine"),
        ("a CR alone behind the boundary", "--b\rx", "400 BoundaryLine"),
        ("a LF alone behind the boundary", "--b\nContent", "400 BoundaryLine"),
        ("dashes behind white space", "--b --\r\n", "400 BoundaryLine"),
        ("a longer boundary as data", &format!("{FIELD}\r\n--bb"), "\"a\" \"\" 400 BoundaryLine"),
        ("a header that ends in LF", "--b\r\nX: y\n\r\n", "400 Field"),
        ("a header of LF alone", "--b\r\n\n", "400 Field"),
        ("a line without a colon", "--b\r\nX\r\n\r\n", "400 Field"),
        ("a space before the colon", "--b\r\nX : y\r\n\r\n", "400 Field"),
        ("a folded line", "--b\r\nX: y\r\n z\r\n\r\n", "400 Field"),
        ("a CR in a line", "--b\r\nX: y\rz\r\n\r\n", "400 Field"),
        ("NUL in a line", "--b\r\nX: y\0\r\n\r\n", "400 Field"),
        ("an empty name", "--b\r\n: y\r\n\r\n", "400 Field"),
    ]);
}

#[test]
fn a_body_that_ends_early_is_refused() {
    let whole = format!("pre\r\n{FIELD}1\r\n{FIELD}\r\n--b--");
    let first = whole.find("--b--").expect("it ends");
    for end in 0..first + 4 {
        let input = &whole[..end];
        for ends in deliveries(input.len().max(1)) {
            // An empty body has one way to arrive.
            let ends = if input.is_empty() { &[0][..] } else { &ends };
            let outcome = read(b"b", input.as_bytes(), ends);
            assert!(outcome.ends_with("400 Truncated"), "{input:?}: {outcome}");
        }
    }
    run_to_the_end(&[
        ("another boundary", "--c\r\n\r\n--c--\r\n", "400 Truncated"),
        ("lines that end in LF", &format!("{FIELD}1\n--b--\n"), "\"a\" 400 Truncated"),
    ]);
}

#[test]
fn a_boundary_is_1_to_70_bchars() {
    let longest = "x".repeat(limits::BOUNDARY);
    for boundary in [&longest, "b", "'()+_,-./:=?", "a b", "--", "----WebKitFormBoundaryAbc"] {
        let body = format!("--{boundary}\r\nContent-Disposition: form-data; name=a\r\n\r\n");
        let body = format!("{body}-\r\n--\r\n--{boundary}--\r\n");
        check(boundary, body.as_bytes(), "\"a\" \"-\\\\r\\\\n--\" end", |bytes, ends| {
            read(boundary.as_bytes(), bytes, ends)
        });
    }
    for boundary in ["", &"x".repeat(limits::BOUNDARY + 1), "b ", " ", "a\"", "a\r\n", "ä", "a*b"]
    {
        assert_eq!(Parser::new(boundary.as_bytes()).err(), Some(Error::Boundary), "{boundary:?}");
    }
}

#[test]
fn what_is_around_the_parts_has_a_limit() {
    let most = limits::OUTSIDE_PARTS;
    let line = "\r\n--b--";
    for (bytes, expected) in [(most, "end"), (most + 1, "413 OutsideTooLarge")] {
        let padding = "x".repeat(bytes);
        run_to_the_end(&[
            ("preamble", &format!("{}{line}", &padding[2..]), expected),
            ("epilogue", &format!("--b--{padding}"), expected),
            ("both", &format!("{}{line}{}", &padding[..98], &padding[100..]), expected),
        ]);
        let spaces = format!("--b{}\r\n", " ".repeat(bytes));
        let expected = if bytes > most { expected } else { "\"a\" \"\" end" };
        let input = FIELD.replace("--b\r\n", &spaces) + "\r\n--b--";
        run_to_the_end(&[("white space behind a boundary", &input, expected)]);
    }
}

#[test]
fn the_header_of_a_part_has_limits() {
    let most =
        limits::PART_HEADER_SIZE - "Content-Disposition: form-data; name=a\r\nX: \r\n\r\n".len();
    for (bytes, is_refused) in [(most, false), (most + 1, true)] {
        let value = "y".repeat(bytes);
        let header = format!("Content-Disposition: form-data; name=a\r\nX: {value}\r\n\r\n");
        let expected = format!("\"a\" [X={value}] \"\" end");
        let expected = if is_refused { "413 FieldsTooLarge" } else { &expected };
        run_to_the_end(&[("size", &format!("--b\r\n{header}\r\n--b--"), expected)]);
    }
    let endless = format!("--b\r\n{}", "x".repeat(limits::PART_HEADER_SIZE));
    run_to_the_end(&[("a line without an end", &endless, "413 FieldsTooLarge")]);
    for (lines, is_refused) in [(limits::PART_FIELDS - 1, false), (limits::PART_FIELDS, true)] {
        let others = "X: y\r\n".repeat(lines);
        let header = format!("Content-Disposition: form-data; name=a\r\n{others}\r\n");
        let expected = format!("\"a\"{} \"\" end", " [X=y]".repeat(lines));
        let expected = if is_refused { "413 FieldsTooLarge" } else { &expected };
        run_to_the_end(&[("number", &format!("--b\r\n{header}\r\n--b--"), expected)]);
    }
}

/// Bytes that look like a form in most places, at random: cut anywhere, they give the same.
#[test]
fn random_bodies_are_the_same_however_they_come() {
    const PIECES: [&str; 20] = [
        "--b\r\n",
        "\r\n--b\r\n",
        "\r\n--b--",
        "--b--\r\n",
        "\r\n",
        "\r",
        "\n",
        "-",
        "--",
        "b",
        " ",
        "\r\n--",
        "Content-Disposition: form-data; name=\"a\"\r\n",
        "Content-Disposition: form-data; name=\"a\"\r\n\r\n",
        "Content-Disposition: form-data; name=a; filename=\"%22\"\r\n\r\n",
        "Content-Type: text/plain\r\n",
        ": \"",
        "data",
        "\u{0}",
        "ä",
    ];
    let mut random = Random(7);
    let mut complete = 0;
    for round in 0..4000 {
        let mut body = if round % 4 == 0 { String::new() } else { FIELD.to_owned() };
        for _ in 0..random.below(8) {
            body.push_str(random.pick(&PIECES));
        }
        if round % 2 == 0 {
            body.push_str("\r\n--b--");
        }
        let whole = read(b"b", body.as_bytes(), &[body.len()]);
        complete += usize::from(whole.ends_with("end"));
        for ends in deliveries(body.len()) {
            assert_eq!(read(b"b", body.as_bytes(), &ends), whole, "{body:?}: {ends:?}");
        }
    }
    assert!(complete > 500, "only {complete} of them were whole");
}
