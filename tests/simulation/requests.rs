//! The requests that clients send: methods, bodies and their framing, and what they ask the handler
//! for. It must not know when they are sent.

use super::random::Random;
use super::wish::{Kind, Wish, pattern};

/// Which clients a world has.
#[derive(Clone, Copy, Debug)]
pub(super) struct Manners {
    /// They do nothing wrong, and ask for nothing that goes wrong.
    pub(super) is_calm: bool,
    /// Largest body.
    pub(super) most: usize,
    /// Longest delay of a handler in microseconds.
    pub(super) delay: u64,
}

/// One request as it is sent.
#[derive(Debug)]
pub(super) struct Planned {
    pub(super) wish: Wish,
    pub(super) is_head: bool,
    /// Where its head ends in all that is sent, and where the request does.
    pub(super) head_end: usize,
    pub(super) end: usize,
    /// It waits for 100 (Continue) before its body.
    pub(super) expects: bool,
}

/// Writes a request behind those before.
pub(super) fn write(
    out: &mut Vec<u8>,
    link: usize,
    number: usize,
    is_last: bool,
    random: &mut Random,
    manners: Manners,
) -> Planned {
    let kinds = [Kind::Now, Kind::Later, Kind::Remote, Kind::Stream, Kind::Sized];
    let kind = if manners.is_calm || random.chance(900) {
        random.pick(&kinds)
    } else {
        random.pick(&[Kind::Abort, Kind::Fail, Kind::Never])
    };
    let has_body = random.chance(500);
    let wish = Wish {
        link,
        number,
        kind,
        length: random.size(manners.most as u64),
        delay: random.within(0..manners.delay + 1),
        body: if has_body { random.size(manners.most as u64) } else { 0 },
    };
    let is_head = !has_body && random.chance(150);
    let is_old = is_last && random.chance(150);
    let is_chunked = has_body && !is_old && random.chance(500);
    let expects = has_body && !is_old && wish.body > 0 && random.chance(200);
    let method = if is_head { "HEAD" } else { random.pick(&["GET", "POST", "PUT"]) };
    let version = if is_old { "1.0" } else { "1.1" };
    let mut head = format!("{method} {} HTTP/{version}\r\nHost: t\r\n", wish.target());
    if is_last && random.chance(300) {
        head += "Connection: close\r\n";
    }
    if is_chunked {
        head += "Transfer-Encoding: chunked\r\n";
    } else if has_body {
        head = format!("{head}Content-Length: {}\r\n", wish.body);
    }
    if expects {
        head += "Expect: 100-continue\r\n";
    }
    head += "\r\n";
    out.extend_from_slice(head.as_bytes());
    let head_end = out.len();
    let body = pattern(link, number, 0..wish.body);
    if is_chunked {
        let size = 1 + random.size(wish.body as u64).max(wish.body / 20);
        for chunk in body.chunks(size) {
            out.extend_from_slice(format!("{:x}\r\n", chunk.len()).as_bytes());
            out.extend_from_slice(chunk);
            out.extend_from_slice(b"\r\n");
        }
        out.extend_from_slice(random.pick(&[&b"0\r\n\r\n"[..], b"0;a=b\r\nX-Sum: 1\r\n\r\n"]));
    } else {
        out.extend_from_slice(&body);
    }
    Planned { wish, is_head, head_end, end: out.len(), expects }
}
