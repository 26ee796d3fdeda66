//! A naive client: the output of a connection as a row of answers, or a panic.

use super::wire::Answered;

/// One final answer.
#[derive(Debug)]
pub(crate) struct Parsed {
    pub(crate) status: u16,
    pub(crate) fields: Vec<(String, String)>,
    /// What came of the body, out of its chunks.
    pub(crate) body: Vec<u8>,
    /// The fields behind the last chunk.
    pub(crate) trailers: Vec<(String, String)>,
    /// Whether its end was seen.
    pub(crate) is_complete: bool,
}

impl Parsed {
    pub(crate) fn field(&self, name: &str) -> Option<&str> {
        let mut values = self.fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name));
        let value = values.next().map(|(_, value)| value.as_str());
        assert!(values.next().is_none(), "{name} is there twice");
        value
    }
}

/// Parses all answers; interim ones are judged and left out. Only the last may lack its end.
pub(crate) fn parse(mut rest: &[u8], answered: &[Answered]) -> Vec<Parsed> {
    let mut all: Vec<Parsed> = Vec::new();
    while !rest.is_empty() {
        assert!(all.last().is_none_or(|last| last.is_complete), "bytes behind a cut");
        let mut parsed = head(&mut rest);
        if parsed.status < 200 {
            assert!(parsed.field("content-length").is_none());
            continue;
        }
        let of = answered.get(all.len()).expect("no answer without a request");
        parsed.is_complete = body(&mut parsed, of.is_head, &mut rest);
        all.push(parsed);
    }
    all
}

/// A line without its end, each byte a character.
fn line(rest: &mut &[u8]) -> Option<String> {
    let end = rest.windows(2).position(|pair| pair == b"\r\n")?;
    let text: String = rest[..end].iter().copied().map(char::from).collect();
    assert!(!text.contains(['\r', '\n', '\0']), "{text:?}");
    *rest = &rest[end + 2..];
    Some(text)
}

fn head(rest: &mut &[u8]) -> Parsed {
    let first = line(rest).expect("a head is never cut");
    let status = first.strip_prefix("HTTP/1.1 ").and_then(|text| text.get(..3));
    let status = status.and_then(|digits| digits.parse().ok()).expect("a status line");
    let (fields, body, trailers) = (fields(rest), Vec::new(), Vec::new());
    Parsed { status, fields, body, trailers, is_complete: true }
}

/// Field lines up to the empty one.
fn fields(rest: &mut &[u8]) -> Vec<(String, String)> {
    let mut fields = Vec::new();
    loop {
        let text = line(rest).expect("a field section is never cut");
        if text.is_empty() {
            return fields;
        }
        let (name, value) = text.split_once(": ").expect("a field line");
        fields.push((name.into(), value.into()));
    }
}

/// Takes the body; says whether it was complete.
fn body(parsed: &mut Parsed, is_head: bool, rest: &mut &[u8]) -> bool {
    let length = parsed.field("content-length").map(|text| text.parse::<usize>().expect("digits"));
    let coding = parsed.field("transfer-encoding");
    assert!(length.is_none() || coding.is_none(), "both framings");
    if is_head || matches!(parsed.status, 204 | 304) {
        return true;
    }
    if let Some(coding) = coding {
        assert_eq!(coding, "chunked");
        return chunks(parsed, rest);
    }
    if length.is_none() {
        assert_eq!(parsed.field("connection"), Some("close"), "a body without an end");
    }
    let (body, behind) = rest.split_at(length.unwrap_or(rest.len()).min(rest.len()));
    parsed.body.extend_from_slice(body);
    *rest = behind;
    length.is_none_or(|length| length == body.len())
}

fn chunks(parsed: &mut Parsed, rest: &mut &[u8]) -> bool {
    while let Some(size) = line(rest) {
        let size = usize::from_str_radix(&size, 16).expect("a chunk size");
        if size == 0 {
            parsed.trailers = fields(rest);
            return true;
        }
        assert_eq!(&rest[size..size + 2], b"\r\n", "a chunk is never cut");
        parsed.body.extend_from_slice(&rest[..size]);
        *rest = &rest[size + 2..];
    }
    assert!(rest.is_empty(), "a chunk is never cut");
    false
}
