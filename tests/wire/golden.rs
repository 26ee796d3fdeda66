//! Whole connections as readable text: `tests/golden/messages.md` holds request bytes and the events
//! that they lead to, several requests in a row where that matters.
//!
//! In a `request` block each line ends with CR LF, and `\r`, `\n`, `\t`, `\0`, `\xNN`, `\\` stand
//! for bytes; a line that ends with `\` has no line end. An `events` block has one event a line.

use barewire::wire::Error;
use barewire::wire::chunk::{Decoder, Event};
use barewire::wire::framing::{BodyKind, Framing};
use barewire::wire::head::{Extent, Head, HeadLimits, HeadSpans, Scanner};

use super::ways::{deliveries, fault, text};

#[test]
fn golden_requests_lead_to_their_events_in_every_delivery() {
    let path = format!("{}/tests/golden/messages.md", env!("CARGO_MANIFEST_DIR"));
    let document = std::fs::read_to_string(&path).expect("the golden file is there");
    let cases = load(&document);
    assert!(cases.len() > 5, "{path} has {} cases", cases.len());
    for (name, bytes, events) in cases {
        for ends in deliveries(bytes.len()) {
            assert_eq!(read(&bytes, &ends), events, "{name}, pieces end at {ends:?}");
        }
    }
}

/// The cases of a document: heading, request bytes, expected events.
fn load(document: &str) -> Vec<(String, Vec<u8>, String)> {
    let mut cases = Vec::new();
    for section in document.split("\n## ").skip(1) {
        let block = |kind: &str| {
            let (_, rest) =
                section.split_once(&format!("```{kind}\n")).expect("both blocks are there");
            rest.split_once("```").expect("the block ends").0
        };
        let name = section.lines().next().unwrap_or_default().to_string();
        let bytes = block("request").lines().flat_map(line).collect();
        cases.push((name, bytes, block("events").trim_end().to_string()));
    }
    cases
}

/// The bytes of one line of a request block.
fn line(text: &str) -> Vec<u8> {
    let (text, end) = match text.strip_suffix('\\') {
        Some(text) => (text, "".as_bytes()),
        None => (text, b"\r\n".as_slice()),
    };
    let mut bytes = Vec::new();
    let mut rest = text.as_bytes();
    while let Some((&first, after)) = rest.split_first() {
        let (byte, used) = match (first, after.first()) {
            (b'\\', Some(b'r')) => (b'\r', 2),
            (b'\\', Some(b'n')) => (b'\n', 2),
            (b'\\', Some(b't')) => (b'\t', 2),
            (b'\\', Some(b'0')) => (0, 2),
            (b'\\', Some(b'\\')) => (b'\\', 2),
            (b'\\', Some(b'x')) => {
                let digits = std::str::from_utf8(&rest[2..4]).expect("hex digits");
                (u8::from_str_radix(digits, 16).expect("hex digits"), 4)
            }
            _ => (first, 1),
        };
        bytes.push(byte);
        rest = &rest[used..];
    }
    bytes.extend_from_slice(end);
    bytes
}

/// Where the reading of a connection stands; a body is collected as it comes.
enum State {
    Head(Scanner),
    Length(u64, Vec<u8>),
    Chunked(Decoder, Vec<u8>),
    Refused,
}

/// Reads message after message as a connection would, and says what happens.
fn read(input: &[u8], ends: &[usize]) -> String {
    let mut events = Vec::new();
    let mut state = State::Head(Scanner::default());
    let mut at = 0;
    for &end in ends {
        loop {
            match step(&mut state, &input[at..end], &mut events) {
                Ok(Some(used)) => at += used,
                Ok(None) => break,
                Err(error) => {
                    events.push(format!("refused {}", fault(error)));
                    state = State::Refused;
                }
            }
        }
    }
    match state {
        State::Head(scanner) if scanner.has_begun(&input[at..]) => {
            events.push("unfinished head".into());
        }
        State::Length(..) | State::Chunked(..) => events.push("unfinished body".into()),
        _ => {}
    }
    events.join("\n")
}

/// Goes on by one head or one piece of a body; `None` asks for more bytes.
fn step(state: &mut State, input: &[u8], events: &mut Vec<String>) -> Result<Option<usize>, Error> {
    match state {
        State::Head(scanner) => {
            let Some(extent) = scanner.scan(input, &HeadLimits::default())? else {
                return Ok(None);
            };
            *state = head(input, extent, events)?;
            Ok(Some(extent.end))
        }
        State::Length(0, body) => {
            events.push(format!("body \"{}\"", text(body)));
            *state = State::Head(Scanner::default());
            Ok(Some(0))
        }
        State::Length(missing, body) => {
            let used = input.len().min(*missing as usize);
            body.extend_from_slice(&input[..used]);
            *missing -= used as u64;
            Ok((used > 0).then_some(used))
        }
        State::Chunked(decoder, body) => {
            if input.is_empty() {
                return Ok(None);
            }
            let (used, event) = decoder.next(input)?;
            match event {
                Event::Partial => {}
                Event::Data { start, end } => body.extend_from_slice(&input[start..end]),
                Event::End(trailers) => {
                    let fields = trailers.iter().map(|(name, value)| pair(name, value));
                    events.push(format!("body \"{}\"{}", text(body), fields.collect::<String>()));
                    *state = State::Head(Scanner::default());
                }
            }
            Ok(Some(used))
        }
        State::Refused => Ok(None),
    }
}

/// One head as an event, and what follows it.
fn head(input: &[u8], extent: Extent, events: &mut Vec<String>) -> Result<State, Error> {
    let mut spans = HeadSpans::default();
    let head = Head::parse(input, extent, &mut spans)?;
    let framing = Framing::decide(&head)?;
    let fields: String = head.fields().map(|(name, value)| pair(name, value)).collect();
    let persistence = if framing.persistent { "keep" } else { "close" };
    let waits = if framing.expects_continue { ", waits for 100" } else { "" };
    events.push(format!(
        "request {} {}{fields}, {persistence}{waits}",
        text(head.method_bytes()),
        text(head.target()),
    ));
    Ok(match framing.body {
        BodyKind::None => State::Head(Scanner::default()),
        BodyKind::Length(length) => State::Length(length, Vec::new()),
        BodyKind::Chunked => State::Chunked(Decoder::new(), Vec::new()),
    })
}

fn pair(name: &[u8], value: &[u8]) -> String {
    format!(" [{}={}]", text(name), text(value))
}
