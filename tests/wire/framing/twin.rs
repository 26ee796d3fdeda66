//! Heads put together at random from lines that mean something to framing, against the literal
//! reading in `tests/wire/reference.rs`.

use super::super::reference::{self, Body, Reading};
use super::super::ways::Random;
use super::outcome;
use barewire::wire::Error;
use barewire::wire::head::HeadLimits;

/// What the reference says, as `outcome` puts it.
fn decide(raw: &str) -> Result<String, u16> {
    match reference::read(raw.as_bytes(), &HeadLimits::default()) {
        Reading::Request(facts) => {
            let body = match facts.body {
                Body::None => "none".to_string(),
                Body::Length(length) => format!("length {length}"),
                Body::Chunked => "chunked".to_string(),
            };
            let persistent = if facts.persistent { " keep" } else { " close" };
            let expects = if facts.expects_continue { " continue" } else { "" };
            let upgrade = if facts.upgrade { " upgrade" } else { "" };
            Ok(format!("{body}{persistent}{expects}{upgrade}"))
        }
        Reading::Refused(status) => Err(status),
        Reading::Incomplete => panic!("{raw:?} is complete"),
    }
}

const LINES: &[(&str, &[&str])] = &[
    ("Host", &["a", "a:80", "a:x", "a b", "", "b.example", "a/b", "u@a", "a:1:2"]),
    ("host", &["a"]),
    (
        "Content-Length",
        &[
            "0",
            "5",
            "05",
            "+5",
            "",
            "5,5",
            "5 ",
            "\t7",
            "9007199254740991",
            "9007199254740992",
            "x",
        ],
    ),
    ("content-LENGTH", &["5", "00", "-0"]),
    (
        "Transfer-Encoding",
        &[
            "chunked",
            "Chunked",
            "gzip, chunked",
            "chunked, gzip",
            "identity",
            "",
            "chunked,chunked",
            "gzip",
            "chunked,",
            "xchunked",
        ],
    ),
    ("transfer-encoding", &["chunked", "\tchunked ", "gzip"]),
    (
        "Connection",
        &[
            "close",
            "keep-alive",
            "Close, x",
            "x,Keep-Alive",
            "closed",
            "",
            "upgrade",
            "keep-alive , upgrade",
            ",close",
        ],
    ),
    ("connection", &["keep-alive", "close", "x"]),
    ("Expect", &["100-continue", "100-Continue, 100-continue", "x", "", "100-continue, x"]),
    ("Upgrade", &["websocket", "h2c"]),
    ("X-Content-Length", &["5"]),
    ("Content-Length-X", &["5"]),
    ("TE", &["chunked", "trailers"]),
    ("Accept", &["*/*"]),
];

#[test]
fn the_decision_is_that_of_a_literal_reading() {
    let mut random = Random(0x5EED_BA4E);
    let mut accepted = 0;
    let mut refused = 0;
    for round in 0..20_000 {
        let version = random.pick(&["HTTP/1.1", "HTTP/1.1", "HTTP/1.0", "HTTP/1.2"]);
        let method = random.pick(&["GET", "POST", "PUT", "HEAD", "DELETE", "BREW"]);
        let mut fields = Vec::new();
        if random.below(8) > 0 {
            fields.push(("Host", "a"));
        }
        for _ in 0..random.below(5) {
            // Rarely another Host, or most heads would be refused for that alone.
            let lines = if random.below(10) == 0 { LINES } else { &LINES[2..] };
            let (name, values) = random.pick(lines);
            fields.insert(random.below(fields.len() + 1), (name, random.pick(values)));
        }
        let lines = fields.iter().map(|(name, value)| [name, ": ", value, "\r\n"].concat());
        let section = lines.collect::<String>();
        let raw = format!("{method} / {version}\r\n{section}\r\n");
        let decided = outcome(raw.as_bytes(), &[raw.len()]);
        let wanted = decide(&raw);
        let statuses = decided.clone().map_err(Error::status);
        assert_eq!(statuses, wanted, "round {round}\n{raw}decided {decided:?}");
        accepted += usize::from(decided.is_ok());
        refused += usize::from(decided.is_err());
    }
    assert!(accepted > 3000 && refused > 3000, "{accepted} accepted, {refused} refused");
}
