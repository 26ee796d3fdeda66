//! Request targets and percent-encoding: a target that is accepted is put together again from its
//! parts and holds nothing that a router could misread; decoding is that of a naive twin.

use barewire::wire::head::Method;
use barewire::wire::percent;
use barewire::wire::target::{self, Target};

pub fn run(data: &[u8]) {
    for method in [Method::Get, Method::Options, Method::Connect, Method::Other] {
        if let Ok(parsed) = Target::parse(method, data) {
            judge(method, parsed, data);
        }
    }
    if target::is_host(data) {
        let is_good = |byte: &u8| byte.is_ascii_graphic() && !b"/?#@\\\"<>{}|^`".contains(byte);
        assert!(data.iter().all(is_good), "{}", data.escape_ascii());
    }
    decode(data);
    encode(data);
}

fn judge(method: Method, parsed: Target<'_>, data: &[u8]) {
    assert!(data.iter().all(|&byte| byte.is_ascii_graphic() && byte != b'#'));
    match parsed {
        Target::Origin(path) => assert!(path == data && path.starts_with(b"/")),
        Target::Asterisk => assert!(method == Method::Options && data == b"*"),
        Target::Authority(authority) => {
            assert!(method == Method::Connect && authority == data && target::is_host(authority));
            assert!(data.iter().rev().take_while(|byte| byte.is_ascii_digit()).count() > 0);
        }
        Target::Absolute { authority, path } => {
            assert!(!authority.is_empty() && target::is_host(authority));
            assert!(path.is_empty() || path.starts_with(b"/") || path.starts_with(b"?"));
            let scheme = &data[..data.len() - authority.len() - path.len()];
            let scheme = scheme.to_ascii_lowercase();
            assert!([&b"http://"[..], b"https://"].contains(&scheme.as_slice()));
            assert!(data.ends_with(&[authority, path].concat()));
        }
    }
    assert_eq!(method == Method::Connect, matches!(parsed, Target::Authority(_)));
}

fn decode(data: &[u8]) {
    let mut out = b"kept".to_vec();
    let is_decoded = percent::decode(data, &mut out).is_ok();
    let wanted = naive(data);
    assert_eq!(is_decoded, wanted.is_some());
    if let Some(wanted) = wanted {
        assert_eq!(out, [b"kept", wanted.as_slice()].concat());
    }
}

/// Byte by byte, the digits read by the standard library.
fn naive(data: &[u8]) -> Option<Vec<u8>> {
    let mut out = Vec::new();
    let mut at = 0;
    while at < data.len() {
        if data[at] == b'%' {
            let digits = data.get(at + 1..at + 3)?;
            if !digits.iter().all(u8::is_ascii_hexdigit) {
                return None;
            }
            let digits = std::str::from_utf8(digits).expect("ASCII");
            out.push(u8::from_str_radix(digits, 16).expect("two digits"));
            at += 3;
        } else {
            out.push(data[at]);
            at += 1;
        }
    }
    Some(out)
}

fn encode(data: &[u8]) {
    let digit = |value: u8| char::from_digit(value.into(), 16).expect("below 16") as u8;
    let encoded: Vec<u8> =
        data.iter().flat_map(|byte| [b'%', digit(byte >> 4), digit(byte & 15)]).collect();
    let mut out = Vec::new();
    percent::decode(&encoded, &mut out).expect("well formed");
    assert_eq!(out, data);
}
