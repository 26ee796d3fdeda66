//! The response encoder: whatever status, fields, trailers and body a handler gives, a client reads
//! exactly one answer with just these, or one that is plainly cut, or nothing.

use arbitrary::{Result, Unstructured};
use barewire::proto::http1::{BodyLength, Context, Event, Http1, Settings};
use barewire::wire::block::{Block, fields_of_text, text_of_fields};
use barewire::wire::head::HeadSpans;

use super::parser::{Parsed, parse};
use super::wire::Answered;

const REQUESTS: [&[u8]; 6] = [
    b"GET / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"HEAD / HTTP/1.1\r\nHost: t\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: t\r\nConnection: close\r\n\r\n",
    b"GET / HTTP/1.0\r\n\r\n",
    b"GET / HTTP/1.0\r\nConnection: keep-alive\r\n\r\n",
    b"GET / HTTP/1.1\r\nHost: t\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
];

/// Fields that the server makes itself; a handler's are dropped.
const OURS: [&str; 9] = [
    "content-length",
    "connection",
    "keep-alive",
    "transfer-encoding",
    "proxy-connection",
    "trailer",
    "upgrade",
    "te",
    "",
];

type Fields = Vec<(Vec<u8>, Vec<u8>)>;

pub fn run(data: &[u8]) {
    // It never fails: behind the end, everything is 0 or empty.
    let _ = answer(&mut Unstructured::new(data));
}

fn answer(input: &mut Unstructured<'_>) -> Result<()> {
    let settings = Settings::default();
    let date = b"Date: Sun, 06 Nov 1994 08:49:37 GMT\r\n";
    let cx = Context { settings: &settings, now: 0, date, draining: input.ratio(1, 8)? };
    let request = *input.choose(&REQUESTS)?;
    let mut machine = Http1::new(&cx);
    let found = machine.next(request, &mut HeadSpans::default(), &cx);
    assert!(matches!(found, Ok((_, Event::Request { .. }))), "{found:?}");
    let answered = [Answered { is_head: request.starts_with(b"HEAD"), sequence: 1 }];

    let mut out = Vec::new();
    let status = input.int_in_range(0..=700)?;
    let given = fields(input)?;
    through_text(&given);
    let block = Block::parse(pairs(&given));
    assert_eq!(block.is_err(), given.iter().any(|field| is_ours(field).is_none()));
    let Ok(block) = block else {
        return Ok(());
    };
    match input.int_in_range(0..=7)? {
        0 => {
            let code = input.int_in_range(0..=255)?;
            let is_sent = machine.informational(&mut out, code, &block).is_ok();
            assert!(is_sent || out.is_empty(), "half an interim answer");
            assert!(parse(&out, &answered).is_empty(), "an interim answer is none");
        }
        1 => {
            let protocol = String::from_utf8_lossy(bytes(input)?).into_owned();
            let is_sent = machine.upgrade(&mut out, &protocol, &block).is_ok();
            assert!(is_sent || out.is_empty(), "half an upgrade");
            assert!(parse(&out, &answered).is_empty() && machine.owes_answer() != is_sent);
        }
        _ => {}
    }

    let body = bytes(input)?;
    let length = match input.int_in_range(0..=3)? {
        0 => BodyLength::Unknown,
        1 => BodyLength::Known(input.int_in_range(0..=300)?),
        _ => BodyLength::Known(body.len() as u64),
    };
    let before = out.len();
    let Ok(sending) = machine.head(&mut out, status, &block, length, &cx) else {
        assert_eq!(out.len(), before, "half a head");
        return Ok(());
    };
    // In place: the body is written first, and its length then.
    let is_amended = length == BodyLength::Known(0) && input.ratio(1, 2)?;
    let mut is_given = true;
    if is_amended {
        if sending.has_body {
            out.extend_from_slice(body);
        }
        machine.amend_length(&mut out, sending, body.len() as u64);
        is_given &= machine.body(body.len() as u64).is_ok();
    } else {
        let piece = input.int_in_range(1..=64)?;
        for part in body.chunks(piece) {
            is_given &= machine.chunk(&mut out, part).is_ok();
        }
    }
    let trailers = fields(input)?;
    let trailer_pairs: Vec<(&[u8], &[u8])> = pairs(&trailers).collect();
    let before = out.len();
    let is_finished = machine.finish(&mut out, &trailer_pairs, &cx).is_ok();
    assert!(is_finished || out.len() == before, "half an end");

    let answers = parse(&out, &answered);
    let [parsed] = answers.as_slice() else {
        panic!("{} answers: {}", answers.len(), out.escape_ascii());
    };
    assert_eq!(parsed.status, status);
    judge_fields(parsed, &given);
    assert!(parsed.is_complete || !is_finished, "{}", out.escape_ascii());
    if is_finished && is_given {
        assert!(parsed.body.is_empty() || parsed.body == body, "{}", out.escape_ascii());
        let kept: Vec<_> = trailers.iter().map(as_text).collect();
        assert!(parsed.trailers.is_empty() || parsed.trailers == kept);
    }
    if !is_finished && parsed.field("connection") != Some("close") {
        // Unless nothing was to come, its end can be told from a cut.
        let is_empty = parsed.body.is_empty() && body.is_empty();
        assert!(!parsed.is_complete || is_empty || !is_given, "{}", out.escape_ascii());
    }
    Ok(())
}

/// As fields come from JavaScript: one text, from which the same block is made.
fn through_text(given: &Fields) {
    if given.iter().any(|(name, value)| name.contains(&0) || value.contains(&0)) {
        return;
    }
    let text = text_of_fields(pairs(given));
    assert!(fields_of_text(&text).eq(pairs(given)));
    let mut block = Block::default();
    let is_valid = block.fill_text(&text).is_ok();
    assert_eq!(Block::parse(pairs(given)).ok(), is_valid.then_some(block));
}

/// The handler's fields are there in their order, and none that it didn't give but ours.
fn judge_fields(parsed: &Parsed, given: &Fields) {
    let kept: Vec<_> = given.iter().filter(|f| is_ours(f) == Some(false)).map(as_text).collect();
    let has_date = kept.iter().any(|(name, _)| name.eq_ignore_ascii_case("date"));
    let fields = if has_date { &parsed.fields[..] } else { &parsed.fields[1..] };
    assert!(fields.len() >= kept.len() && fields[..kept.len()] == kept, "{fields:?}");
    for (name, _) in &fields[kept.len()..] {
        assert!(OURS.contains(&name.to_ascii_lowercase().as_str()), "{name}");
    }
}

/// Whether a field is the server's; `None` if it can't be sent at all.
fn is_ours((name, value): &(Vec<u8>, Vec<u8>)) -> Option<bool> {
    let text: String = name.iter().copied().map(char::from).collect();
    if OURS[..8].contains(&text.to_ascii_lowercase().as_str()) {
        return Some(true);
    }
    let is_tchar = |c: char| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c);
    let is_value = |byte: &u8| *byte == b'\t' || (*byte >= b' ' && *byte != 0x7f);
    (!text.is_empty() && text.chars().all(is_tchar) && value.iter().all(is_value)).then_some(false)
}

fn as_text((name, value): &(Vec<u8>, Vec<u8>)) -> (String, String) {
    let text = |bytes: &[u8]| bytes.iter().copied().map(char::from).collect::<String>();
    (text(name), text(value).trim_matches([' ', '\t']).into())
}

fn pairs(fields: &Fields) -> impl Iterator<Item = (&[u8], &[u8])> {
    fields.iter().map(|(name, value)| (name.as_slice(), value.as_slice()))
}

/// Up to three fields, some with names that mean something.
fn fields(input: &mut Unstructured<'_>) -> Result<Fields> {
    let mut fields = Vec::new();
    for _ in 0..input.int_in_range(0..=3)? {
        let name = match input.int_in_range(0..=24)? {
            at @ 0..8 => OURS[at].as_bytes(),
            8 => b"Date",
            9 => b"X-A",
            _ => bytes(input)?,
        };
        fields.push((name.to_vec(), bytes(input)?.to_vec()));
    }
    Ok(fields)
}

fn bytes<'a>(input: &mut Unstructured<'a>) -> Result<&'a [u8]> {
    let length = input.int_in_range(0..=255)?.min(input.len());
    input.bytes(length)
}
