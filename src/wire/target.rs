//! The request target and the Host field: RFC 9112 §3.2 and RFC 3986 §3.2.
//!
//! The target is judged and split, never decoded and never resolved: what a path means is for the
//! rooms above. A byte outside visible ASCII, or a fragment, makes it malformed.

use super::{Error, ascii};
use crate::wire::head::Method;

/// The four forms of a request target (RFC 9112 §3.2).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Target<'a> {
    /// `/path?query`, the usual form.
    Origin(&'a [u8]),
    /// `http://authority/path?query`: its authority replaces Host (§3.2.2).
    Absolute {
        /// `host [ ":" port ]` of the target, never empty, without user information.
        authority: &'a [u8],
        /// Path and query as sent; may be empty or begin with `?`.
        path: &'a [u8],
    },
    /// `host:port`, for CONNECT only (§3.2.3).
    Authority(&'a [u8]),
    /// `*`, for OPTIONS only (§3.2.4).
    Asterisk,
}

impl<'a> Target<'a> {
    /// Judges a target by the method that it came with.
    pub fn parse(method: Method, target: &'a [u8]) -> Result<Self, Error> {
        if !ascii::is_target(target) {
            return Err(Error::Target);
        }
        match (method, target) {
            (Method::Connect, _) => {
                // authority-form asks for a port, unlike Host.
                let host = split_port(target).filter(|(host, port)| {
                    !host.is_empty() && port.is_some_and(|port| !port.is_empty())
                });
                match host {
                    Some(_) if is_authority(target) => Ok(Target::Authority(target)),
                    _ => Err(Error::Target),
                }
            }
            (_, [b'/', ..]) => Ok(Target::Origin(target)),
            (Method::Options, b"*") => Ok(Target::Asterisk),
            _ => absolute(target).ok_or(Error::Target),
        }
    }
}

/// absolute-form: `http` or `https`, an authority without user information, a path.
///
/// User information is refused as RFC 9110 §4.2.4 advises for a target from an untrusted source;
/// other schemes aren't ours to answer.
fn absolute(target: &[u8]) -> Option<Target<'_>> {
    let colon = memchr::memchr(b':', target)?;
    let (scheme, rest) = target.split_at(colon);
    if !scheme.eq_ignore_ascii_case(b"http") && !scheme.eq_ignore_ascii_case(b"https") {
        return None;
    }
    let rest = rest.strip_prefix(b"://")?;
    let end = rest.iter().position(|b| matches!(b, b'/' | b'?')).unwrap_or(rest.len());
    let (authority, path) = rest.split_at(end);
    let has_host = split_port(authority).is_some_and(|(host, _)| !host.is_empty());
    (has_host && is_authority(authority)).then_some(Target::Absolute { authority, path })
}

/// Whether a Host field value is `uri-host [ ":" port ]` (RFC 9110 §7.2).
///
/// An empty value is allowed there: it says that the target has no authority.
pub fn is_host(value: &[u8]) -> bool {
    value.is_empty() || is_authority(value)
}

fn is_authority(value: &[u8]) -> bool {
    let Some((host, port)) = split_port(value) else {
        return false;
    };
    let port_ok = match port {
        None => true,
        // An empty port is legal (RFC 3986 §3.2.3); 65535 is what TCP has.
        Some(port) => {
            port.len() <= 5
                && port.iter().all(u8::is_ascii_digit)
                && port.iter().fold(0u32, |n, b| n * 10 + u32::from(b - b'0')) <= 65535
        }
    };
    let host_ok = match host {
        [b'[', inner @ .., b']'] => is_ipv6(inner),
        [] => false,
        _ => ascii::is_reg_name(host) && percent_is_well_formed(host),
    };
    port_ok && host_ok
}

/// Splits host and port; `None` for brackets or colons in impossible places.
fn split_port(value: &[u8]) -> Option<(&[u8], Option<&[u8]>)> {
    if value.first() == Some(&b'[') {
        let close = memchr::memchr(b']', value)?;
        let (host, rest) = value.split_at(close + 1);
        return match rest {
            [] => Some((host, None)),
            [b':', port @ ..] => Some((host, Some(port))),
            _ => None,
        };
    }
    let mut parts = value.splitn(2, |&byte| byte == b':');
    Some((parts.next()?, parts.next()))
}

fn is_ipv6(inner: &[u8]) -> bool {
    // The standard library's parser is strict and takes no zone; IPvFuture has no users.
    std::str::from_utf8(inner).is_ok_and(|text| text.parse::<std::net::Ipv6Addr>().is_ok())
}

fn percent_is_well_formed(host: &[u8]) -> bool {
    let mut rest = host;
    while let Some(at) = memchr::memchr(b'%', rest) {
        match rest.split_at(at).1 {
            [_, high, low, behind @ ..] if high.is_ascii_hexdigit() && low.is_ascii_hexdigit() => {
                rest = behind;
            }
            _ => return false,
        }
    }
    true
}
