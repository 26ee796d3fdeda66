//! A request head by the book: RFC 9112 §2 to §6 and the tables of docs/protocol.md, read line by
//! line in the plainest way, and written without a look at the room that does it for real. Only
//! what is refused and what follows a head is told; the fuzz target `framing` compares the two.

use barewire::limits;
use barewire::wire::head::HeadLimits;

/// What the book says of the bytes at the beginning of a connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Reading {
    /// No head is complete yet, and nothing is wrong so far but maybe its size.
    Incomplete,
    /// This status.
    Refused(u16),
    /// A request.
    Request(Facts),
}

/// What a head says about its message and its connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Facts {
    /// Bytes from the beginning of the input to the end of the head.
    pub(crate) length: usize,
    pub(crate) body: Body,
    pub(crate) persistent: bool,
    pub(crate) expects_continue: bool,
    pub(crate) upgrade: bool,
}

/// The body that follows.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Body {
    None,
    Length(u64),
    Chunked,
}

type Field<'a> = (&'a str, &'a str);

/// Reads the head at the beginning of `input`.
pub(crate) fn read(input: &[u8], limits: &HeadLimits) -> Reading {
    match lines(input, limits) {
        Ok(Some((lines, length))) => match judge(&lines, length) {
            Ok(facts) => Reading::Request(facts),
            Err(status) => Reading::Refused(status),
        },
        Ok(None) => Reading::Incomplete,
        Err(status) => Reading::Refused(status),
    }
}

/// The lines of a head without their ends and without the empty ones, each byte a character, and
/// how many bytes they were.
fn lines(input: &[u8], limits: &HeadLimits) -> Result<Option<(Vec<String>, usize)>, u16> {
    let mut lines = Vec::new();
    let (mut empty, mut size, mut length) = (0, 0, 0);
    for line in input.split_inclusive(|&byte| byte == b'\n') {
        if !line.ends_with(b"\n") {
            return Ok(None);
        }
        length += line.len();
        // What is too long already without its end is refused before that end is looked at. A
        // section is judged with the empty line that must follow.
        let pending = line.len() - 1;
        match lines.is_empty() {
            true if pending > limits.request_line + 1 => return Err(414),
            false if size + pending > limits.size + 2 => return Err(431),
            _ => {}
        }
        let line = line.strip_suffix(b"\r\n").ok_or(400u16)?;
        if lines.is_empty() {
            if line.is_empty() {
                empty += 1;
                if empty > limits::EMPTY_LINES {
                    return Err(400);
                }
                continue;
            }
            if line.len() > limits.request_line {
                return Err(414);
            }
        } else {
            size += line.len() + 2;
            if size > limits.size + 2 {
                return Err(431);
            }
            if line.is_empty() {
                return Ok(Some((lines, length)));
            }
            if lines.len() > limits.fields {
                return Err(431);
            }
        }
        lines.push(line.iter().copied().map(char::from).collect());
    }
    Ok(None)
}

fn judge(lines: &[String], length: usize) -> Result<Facts, u16> {
    let (request_line, field_lines) = lines.split_first().expect("the request line is not empty");
    // §3: single spaces, so there are three parts and no more.
    let parts: Vec<&str> = request_line.split(' ').collect();
    let [method, target, version] = parts[..] else {
        return Err(400);
    };
    if !is_token(method) || target.is_empty() {
        return Err(400);
    }
    let is_http10 = minor_version(version)? == '0';
    let fields: Vec<Field> =
        field_lines.iter().map(|line| field(line)).collect::<Result<_, _>>()?;
    check_target(method, target)?;
    check_host(&values(&fields, "host"), is_http10)?;
    let body = body(&fields, is_http10)?;
    // Nobody waits before a body of no bytes.
    let has_content = !matches!(body, Body::None | Body::Length(0));
    let expects_continue = expectation(&fields, is_http10)? && has_content;
    let connection = options(&fields, "connection");
    let has = |name: &str| connection.iter().any(|option| option.eq_ignore_ascii_case(name));
    Ok(Facts {
        length,
        body,
        persistent: !has("close") && (!is_http10 || has("keep-alive")),
        expects_continue,
        upgrade: !is_http10 && has("upgrade") && !values(&fields, "upgrade").is_empty(),
    })
}

/// §2.3 and the table: major version 1 is served, 0 is malformed, any other is 505.
fn minor_version(version: &str) -> Result<char, u16> {
    let digits: Vec<char> = version.strip_prefix("HTTP/").ok_or(400u16)?.chars().collect();
    match digits[..] {
        [major, '.', minor] if major.is_ascii_digit() && minor.is_ascii_digit() => match major {
            '0' => Err(400),
            '1' => Ok(minor),
            _ => Err(505),
        },
        _ => Err(400),
    }
}

/// §5: `field-name ":" OWS field-value OWS`. A folded line begins with white space, so its name is
/// no token.
fn field(line: &str) -> Result<Field<'_>, u16> {
    let (name, value) = line.split_once(':').ok_or(400u16)?;
    let is_forbidden = |c: char| c.is_ascii_control() && c != '\t';
    if !is_token(name) || value.contains(is_forbidden) {
        return Err(400);
    }
    Ok((name, value.trim_matches([' ', '\t'])))
}

/// §3.2.
fn check_target(method: &str, target: &str) -> Result<(), u16> {
    let is_visible = |c: char| ('!'..='~').contains(&c) && c != '#';
    let is_good = target.chars().all(is_visible)
        && match method {
            "CONNECT" => {
                is_authority(target)
                    && target
                        .rsplit_once(':')
                        .is_some_and(|(_, port)| is_port(port) && !port.is_empty())
            }
            _ => {
                target.starts_with('/')
                    || (method == "OPTIONS" && target == "*")
                    || is_absolute(target)
            }
        };
    if is_good { Ok(()) } else { Err(400) }
}

/// RFC 9110 §4.2: an `http` or `https` URL with a host, without user information.
fn is_absolute(target: &str) -> bool {
    let Some((scheme, rest)) = target.split_once("://") else {
        return false;
    };
    let authority = rest.split(['/', '?']).next().unwrap_or_default();
    ["http", "https"].iter().any(|known| scheme.eq_ignore_ascii_case(known))
        && is_authority(authority)
}

/// §3.2: one line of it in HTTP/1.1, at most one in HTTP/1.0.
fn check_host(hosts: &[&str], is_http10: bool) -> Result<(), u16> {
    match hosts {
        [] if is_http10 => Ok(()),
        [host] if host.is_empty() || is_authority(host) => Ok(()),
        _ => Err(400),
    }
}

/// `uri-host [ ":" port ]` of RFC 3986 §3.2 with a host that isn't empty.
fn is_authority(text: &str) -> bool {
    let (host, port) = match text.rsplit_once(':') {
        // A colon inside of brackets belongs to the address.
        Some((host, port)) if !port.contains(']') => (host, port),
        _ => (text, ""),
    };
    let is_host = match host.strip_prefix('[') {
        Some(rest) => rest
            .strip_suffix(']')
            .is_some_and(|address| address.parse::<std::net::Ipv6Addr>().is_ok()),
        None => is_reg_name(host),
    };
    is_host && is_port(port)
}

fn is_port(port: &str) -> bool {
    port.chars().all(|c| c.is_ascii_digit())
        && (port.is_empty() || (port.len() <= 5 && port.parse::<u32>().is_ok_and(|n| n <= 65535)))
}

/// `1*( unreserved / pct-encoded / sub-delims )`.
fn is_reg_name(host: &str) -> bool {
    let mut pieces = host.split('%');
    let is_plain = |text: &str| {
        text.chars().all(|c| c.is_ascii_alphanumeric() || "-._~!$&'()*+,;=".contains(c))
    };
    !host.is_empty()
        && pieces.next().is_some_and(is_plain)
        && pieces.all(|piece| {
            piece.len() >= 2
                && piece.chars().take(2).all(|c| c.is_ascii_hexdigit())
                && is_plain(piece)
        })
}

/// §6.3, with the stricter choices of the table.
fn body(fields: &[Field<'_>], is_http10: bool) -> Result<Body, u16> {
    let codings = values(fields, "transfer-encoding");
    let lengths = values(fields, "content-length");
    if !codings.is_empty() {
        if !lengths.is_empty() || is_http10 {
            return Err(400);
        }
        return transfer_encoding(&codings.join(","));
    }
    match lengths[..] {
        [] => Ok(Body::None),
        [text] => {
            let is_plain = !text.is_empty()
                && text.chars().all(|c| c.is_ascii_digit())
                && (text == "0" || !text.starts_with('0'));
            let length = text.parse::<u64>().ok().filter(|_| is_plain);
            length.filter(|&n| n < 1 << 53).map(Body::Length).ok_or(400)
        }
        _ => Err(400),
    }
}

/// §6.1 and §7: names of codings, `chunked` last and once. Empty elements and parameters are
/// refused, which is stricter.
fn transfer_encoding(list: &str) -> Result<Body, u16> {
    let names: Vec<String> =
        list.split(',').map(|name| name.trim_matches([' ', '\t']).to_ascii_lowercase()).collect();
    let is_chunked = |name: &String| name == "chunked";
    let count = names.iter().filter(|name| is_chunked(name)).count();
    if !names.iter().all(|name| is_token(name)) || !names.last().is_some_and(is_chunked) {
        return Err(400);
    }
    match (count, names.len()) {
        (1, 1) => Ok(Body::Chunked),
        (1, _) => Err(501),
        _ => Err(400),
    }
}

/// RFC 9110 §10.1.1: whether 100 (Continue) is asked for. HTTP/1.0 has no expectations.
fn expectation(fields: &[Field<'_>], is_http10: bool) -> Result<bool, u16> {
    let expectations = options(fields, "expect");
    let is_met = expectations.iter().all(|text| text.eq_ignore_ascii_case("100-continue"));
    match (is_http10, is_met) {
        (true, _) => Ok(false),
        (false, true) => Ok(!expectations.is_empty()),
        (false, false) => Err(417),
    }
}

fn values<'a>(fields: &[Field<'a>], name: &str) -> Vec<&'a str> {
    fields.iter().filter(|(n, _)| n.eq_ignore_ascii_case(name)).map(|(_, value)| *value).collect()
}

/// The elements of a list, over all its lines (RFC 9110 §5.6.1); empty ones don't count.
fn options<'a>(fields: &[Field<'a>], name: &str) -> Vec<&'a str> {
    let elements = values(fields, name).into_iter().flat_map(|value| value.split(','));
    elements.map(|text| text.trim_matches([' ', '\t'])).filter(|text| !text.is_empty()).collect()
}

fn is_token(text: &str) -> bool {
    !text.is_empty()
        && text.chars().all(|c| c.is_ascii_alphanumeric() || "!#$%&'*+-.^_`|~".contains(c))
}
