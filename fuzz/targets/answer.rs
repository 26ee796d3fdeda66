//! What an upstream answers: however the bytes come, the same heads, data, trailers, end or fault; and
//! where the body ends is read again by the book, item by item.

use barewire::proto::client::{Broken, Client, Found};
use barewire::wire::head::{HeadLimits, Method, Version};
use barewire::wire::response::{ResponseBody, ResponseFraming, ResponseHead, ResponseSpans};

use super::PIECES;

/// The status and the fields of a head.
type Head = (u16, Vec<(Vec<u8>, Vec<u8>)>);

/// All that a client was told, and how many bytes led to it.
#[derive(Debug, Default, PartialEq, Eq)]
struct Told {
    heads: Vec<Head>,
    data: Vec<u8>,
    trailers: Option<Vec<(Vec<u8>, Vec<u8>)>>,
    used: usize,
    broken: Option<Broken>,
    is_reusable: bool,
}

/// The first byte chooses the method; the others are the connection's.
pub fn run(data: &[u8]) {
    let Some((&choice, input)) = data.split_first() else {
        return;
    };
    let method = [Method::Get, Method::Head, Method::Post][usize::from(choice) % 3];
    let whole = told(method, input, input.len().max(1));
    for piece in PIECES {
        assert_eq!(told(method, input, piece), whole, "in pieces of {piece}");
    }
}

fn told(method: Method, input: &[u8], piece: usize) -> Told {
    let mut client = Client::new();
    let mut spans = ResponseSpans::default();
    let mut told = Told::default();
    client.on_request(method);
    for end in (piece..input.len() + piece).step_by(piece) {
        let end = end.min(input.len());
        loop {
            let rest = &input[told.used..end];
            let (used, found) = match client.next(rest, &mut spans, &HeadLimits::default()) {
                Ok(found) => found,
                Err(broken) => {
                    // Where in its bytes a fault is noticed is nobody's business.
                    (told.broken, told.used) = (Some(broken), 0);
                    return told;
                }
            };
            assert!(used <= rest.len());
            told.used += used;
            match found {
                Found::NeedBytes => break,
                Found::Head { length, framing } => {
                    assert_eq!(used, length);
                    let head = ResponseHead::of(&rest[..length], &spans);
                    by_the_book(&head, method, framing);
                    told.heads.push((head.status(), owned(head.fields())));
                }
                Found::Data { start, end } => {
                    assert!(start < end && end <= used);
                    told.data.extend_from_slice(&rest[start..end]);
                }
                Found::End(trailers) => {
                    told.trailers = Some(owned(trailers.iter()));
                    told.is_reusable = client.is_reusable();
                    return told;
                }
            }
        }
    }
    // What has no end of its own ends with the connection, and nothing else does.
    let has_no_end = client.on_fin().is_ok();
    assert!(!has_no_end || told.heads.last().is_some_and(|(status, _)| *status >= 200));
    told
}

fn owned<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<(Vec<u8>, Vec<u8>)> {
    fields.map(|(name, value)| (name.to_vec(), value.to_vec())).collect()
}

/// RFC 9112 §6.3 and §9.3 over a head that was accepted.
fn by_the_book(head: &ResponseHead<'_>, method: Method, found: ResponseFraming) {
    let all = |wanted: &str| -> Vec<String> {
        let named = head.fields().filter(|(name, _)| name.eq_ignore_ascii_case(wanted.as_bytes()));
        named.map(|(_, value)| String::from_utf8_lossy(value).to_lowercase()).collect()
    };
    let (codings, lengths) = (all("transfer-encoding"), all("content-length"));
    let is_1_1 = head.version() == Version::Http11;
    assert!((100..600).contains(&head.status()));
    // §6.1, and items 3 and 5: what is ambiguous is never accepted.
    assert!(codings.is_empty() || (codings == ["chunked"] && lengths.is_empty() && is_1_1));
    assert!(lengths.len() <= 1);
    let length = lengths.first().map(|text| text.parse::<u64>().expect("a number"));
    assert_eq!(found.content_length, length);
    let body = match head.status() {
        100..=199 | 204 | 304 => ResponseBody::None,
        _ if method == Method::Head => ResponseBody::None,
        _ if !codings.is_empty() => ResponseBody::Chunked,
        _ => length.map_or(ResponseBody::UntilClose, ResponseBody::Length),
    };
    assert_eq!(found.body, body);
    let options = all("connection").join(",");
    let says =
        |option: &str| options.split(',').any(|said| said.trim_matches([' ', '\t']) == option);
    let persists = !says("close") && (is_1_1 || says("keep-alive"));
    assert_eq!(found.persistent, persists && body != ResponseBody::UntilClose);
}
