//! What a proxy passes on, and what it adds: RFC 9110 §7.6, RFC 7239.
//!
//! Fields of one hop end here, with those that Connection names. Framing isn't copied but said anew,
//! from what was understood of the message. Via and the Forwarded fields are added.

use std::io::Write as _;
use std::net::IpAddr;

use barewire::net::Peer;
use barewire::wire::ascii;
use barewire::wire::block::Block;
use barewire::wire::encode::{self, InvalidField};
use barewire::wire::fields::Trailers;
use barewire::wire::framing::BodyKind;
use barewire::wire::head::{Head, Method, Version};
use barewire::wire::response::ResponseHead;
use barewire::wire::target::Target;

/// What is said of a request beside its own head.
pub(crate) struct Hop<'a> {
    pub(crate) peer: Option<Peer>,
    pub(crate) body: BodyKind,
    pub(crate) expects_continue: bool,
    /// The client's Forwarded fields are kept.
    pub(crate) trusts_forwarded: bool,
    /// Host where the client, of HTTP/1.0, gave none.
    pub(crate) upstream: &'a str,
}

/// Appends the head of a request as the upstream gets it.
pub(crate) fn request(out: &mut Vec<u8>, head: &Head<'_>, hop: &Hop<'_>) {
    let named = named_by_connection(head.fields());
    let (host, path) = destination(head, hop.upstream);
    out.extend_from_slice(head.method_bytes());
    out.push(b' ');
    if path.first() == Some(&b'?') {
        out.push(b'/');
    }
    out.extend_from_slice(path);
    out.extend_from_slice(b" HTTP/1.1\r\nHost: ");
    out.extend_from_slice(host);
    out.extend_from_slice(b"\r\n");
    for (name, value) in head.fields() {
        let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
        if is("host") || is("content-length") || is("expect") || is_of_one_hop(name, &named) {
            continue;
        }
        if is_forwarded(name) && !hop.trusts_forwarded {
            continue;
        }
        if is("max-forwards")
            && let Some(left) = max_forwards(head)
        {
            line(out, name, left.saturating_sub(1).to_string().as_bytes());
            continue;
        }
        line(out, name, value);
    }
    match hop.body {
        BodyKind::None => {}
        BodyKind::Length(length) => encode::content_length(out, length),
        BodyKind::Chunked => line(out, b"Transfer-Encoding", b"chunked"),
    }
    if hop.expects_continue {
        line(out, b"Expect", b"100-continue");
    }
    forwarded(out, head, hop, host);
    line(out, b"Via", via(head.version()));
    out.extend_from_slice(b"\r\n");
}

/// Host and target for the upstream. An absolute target's authority replaces Host (RFC 9112 §3.2.2),
/// and an origin server gets the rest of it alone.
fn destination<'a>(head: &Head<'a>, upstream: &'a str) -> (&'a [u8], &'a [u8]) {
    let host = head.field("host").unwrap_or(upstream.as_bytes());
    match Target::parse(head.method(), head.target()) {
        Ok(Target::Absolute { authority, path: b"" }) if head.method() == Method::Options => {
            (authority, b"*")
        }
        Ok(Target::Absolute { authority, path: b"" }) => (authority, b"/"),
        Ok(Target::Absolute { authority, path }) => (authority, path),
        _ => (host, head.target()),
    }
}

/// Forwarded (RFC 7239) and its older siblings.
fn forwarded(out: &mut Vec<u8>, head: &Head<'_>, hop: &Hop<'_>, host: &[u8]) {
    // A vector takes every write.
    let _ = match hop.peer {
        Some(Peer::Inet(address)) => match address.ip().to_canonical() {
            IpAddr::V4(ip) => write!(out, "X-Forwarded-For: {ip}\r\nForwarded: for={ip}"),
            IpAddr::V6(ip) => write!(out, "X-Forwarded-For: {ip}\r\nForwarded: for=\"[{ip}]\""),
        },
        Some(Peer::Unix) | None => write!(out, "Forwarded: for=unknown"),
    };
    out.extend_from_slice(b";host=\"");
    out.extend_from_slice(host);
    out.extend_from_slice(b"\";proto=http\r\n");
    // The first proxy has seen what the client wrote.
    let has = |name| hop.trusts_forwarded && head.field(name).is_some();
    if !has("x-forwarded-host") {
        line(out, b"X-Forwarded-Host", host);
    }
    if !has("x-forwarded-proto") {
        line(out, b"X-Forwarded-Proto", b"http");
    }
}

/// How often a TRACE or OPTIONS request may still be forwarded (RFC 9110 §7.6.2).
pub(crate) fn max_forwards(head: &Head<'_>) -> Option<u64> {
    match head.method() {
        Method::Trace | Method::Options => {
            ascii::decimal(head.field("max-forwards")?, u64::from(u32::MAX))
        }
        _ => None,
    }
}

/// The fields of an answer as the client gets them. The block itself takes out those of one hop.
pub(crate) fn response(block: &mut Block, head: &ResponseHead<'_>) -> Result<(), InvalidField> {
    let named = named_by_connection(head.fields());
    let passed = head
        .fields()
        .filter(|(name, _)| !name.eq_ignore_ascii_case(b"connection") && !is_named(name, &named));
    block.fill(passed)?;
    block.push_valid("Via", |value| value.extend_from_slice(via(head.version())));
    Ok(())
}

/// The trailer fields that may be passed on (RFC 9110 §6.5.1).
pub(crate) fn trailers(trailers: &Trailers) -> Vec<(&[u8], &[u8])> {
    let allowed = |name: &[u8]| encode::last_chunk(&mut Vec::new(), &[(name, b"")]).is_ok();
    trailers.iter().filter(|(name, _)| allowed(name)).collect()
}

/// What Connection names beside its own words.
fn named_by_connection<'a>(fields: impl Iterator<Item = (&'a [u8], &'a [u8])>) -> Vec<&'a [u8]> {
    let mut named = Vec::new();
    for (name, value) in fields {
        if name.eq_ignore_ascii_case(b"connection") {
            named.extend(ascii::list(value).filter(|option| {
                !option.eq_ignore_ascii_case(b"keep-alive")
                    && !option.eq_ignore_ascii_case(b"close")
            }));
        }
    }
    named
}

fn is_named(name: &[u8], named: &[&[u8]]) -> bool {
    named.iter().any(|other| other.eq_ignore_ascii_case(name))
}

/// RFC 9110 §7.6.1.
fn is_of_one_hop(name: &[u8], named: &[&[u8]]) -> bool {
    let is = |other: &str| name.eq_ignore_ascii_case(other.as_bytes());
    let known = match name.len() {
        2 => is("te"),
        7 => is("upgrade"),
        10 => is("connection") || is("keep-alive"),
        16 => is("proxy-connection"),
        17 => is("transfer-encoding"),
        _ => false,
    };
    known || is_named(name, named)
}

fn is_forwarded(name: &[u8]) -> bool {
    name.eq_ignore_ascii_case(b"forwarded")
        || name.get(..12).is_some_and(|start| start.eq_ignore_ascii_case(b"x-forwarded-"))
}

/// `received-protocol received-by` (RFC 9110 §7.6.3); the name of HTTP itself may be left out.
fn via(version: Version) -> &'static [u8] {
    match version {
        Version::Http10 => b"1.0 barewire",
        Version::Http11 => b"1.1 barewire",
    }
}

/// Appends a line that needs no judging: it is ours, or the parser has judged it.
fn line(out: &mut Vec<u8>, name: &[u8], value: &[u8]) {
    out.extend_from_slice(name);
    out.extend_from_slice(b": ");
    out.extend_from_slice(value);
    out.extend_from_slice(b"\r\n");
}
