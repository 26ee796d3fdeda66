//! A slow and literal reading of RFC 9112 §6.3 and the protocol table, to compare decisions with.
//!
//! The twin works on text it was given line by line and shares nothing with the crate. Where a
//! head breaks several rules it names all the statuses that may be answered; which one is sent is
//! not laid down.

use super::super::ways::Random;
use super::outcome;

/// The decision as text, or every status that one of the faults asks for.
fn decide(version: &str, fields: &[(&str, &str)]) -> Result<String, Vec<u16>> {
    let mut faults = Vec::new();
    let is_1_0 = version == "HTTP/1.0";
    let values = |name: &str| -> Vec<String> {
        let same = fields.iter().filter(|(field, _)| field.eq_ignore_ascii_case(name));
        same.map(|(_, value)| value.trim_matches([' ', '\t']).to_string()).collect()
    };
    let elements = |name: &str| -> Vec<String> {
        let joined = values(name).join(",");
        let trimmed = joined.split(',').map(|part| part.trim_matches([' ', '\t']));
        trimmed.filter(|part| !part.is_empty()).map(str::to_ascii_lowercase).collect()
    };

    // RFC 9112 §3.2: a request of HTTP/1.1 without Host, with two, or with a bad one.
    let hosts = values("host");
    if hosts.len() > 1 || (hosts.is_empty() && !is_1_0) {
        faults.push(400);
    }
    for host in &hosts {
        let (name, port) = host.split_once(':').unwrap_or((host, ""));
        let letters = |byte: u8| byte.is_ascii_alphanumeric() || b".-".contains(&byte);
        let is_name = name.bytes().all(letters) && (!name.is_empty() || host.is_empty());
        if !is_name || !port.bytes().all(|byte| byte.is_ascii_digit()) {
            faults.push(400);
        }
    }

    // §6.3, 1: answers to HEAD and such concern clients. 2: likewise.
    // §6.3, 3: both fields "ought to be handled as an error".
    let encodings = values("transfer-encoding");
    let lengths = values("content-length");
    if !encodings.is_empty() && !lengths.is_empty() {
        faults.push(400);
    }
    // §6.1: a request of HTTP/1.0 with Transfer-Encoding has faulty framing.
    if !encodings.is_empty() && is_1_0 {
        faults.push(400);
    }
    // §6.3, 4: chunked must be the final coding, and (§6.1, §7) stand there once.
    if !encodings.is_empty() {
        let codings = elements("transfer-encoding");
        let count = codings.iter().filter(|coding| *coding == "chunked").count();
        let has_empty =
            encodings.join(",").split(',').any(|part| part.trim_matches([' ', '\t']).is_empty());
        if codings.last().is_none_or(|last| last != "chunked") || count != 1 || has_empty {
            faults.push(400);
        } else if codings.len() > 1 {
            faults.push(501);
        }
    }
    // §6.3, 5: a Content-Length that isn't valid; the table knows one form and no repetition.
    if lengths.len() > 1 {
        faults.push(400);
    }
    for length in &lengths {
        let number = length.parse::<u64>();
        if number
            .as_ref()
            .map_or(true, |number| *number > (1 << 53) - 1 || number.to_string() != *length)
        {
            faults.push(400);
        }
    }
    // RFC 9110 §10.1.1: one expectation is known; HTTP/1.0 has none.
    let expectations = elements("expect");
    if !is_1_0 && expectations.iter().any(|expectation| expectation != "100-continue") {
        faults.push(417);
    }
    if !faults.is_empty() {
        return Err(faults);
    }

    // §6.3, 6 and 7.
    let body = match lengths.first() {
        _ if !encodings.is_empty() => "chunked".to_string(),
        Some(length) => format!("length {length}"),
        None => "none".to_string(),
    };
    // §9.3, in its order: close, then 1.1, then keep-alive, else close.
    let options = elements("connection");
    let has = |wanted: &str| options.iter().any(|option| option == wanted);
    let is_persistent = !has("close") && (!is_1_0 || has("keep-alive"));
    let has_body = body != "none" && body != "length 0";
    let expects = !is_1_0 && has_body && !expectations.is_empty();
    let upgrade = !is_1_0 && has("upgrade") && !values("upgrade").is_empty();
    Ok(format!(
        "{body} {}{}{}",
        if is_persistent { "keep" } else { "close" },
        if expects { " continue" } else { "" },
        if upgrade { " upgrade" } else { "" },
    ))
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
        let wanted = decide(version, &fields);
        let agree = match (&decided, &wanted) {
            (Ok(decided), Ok(wanted)) => normal(decided) == *wanted,
            (Err(error), Err(statuses)) => statuses.contains(&error.status()),
            _ => false,
        };
        assert!(agree, "round {round}\n{raw}decided {decided:?}\ntwin    {wanted:?}");
        accepted += usize::from(decided.is_ok());
        refused += usize::from(decided.is_err());
    }
    assert!(accepted > 3000 && refused > 3000, "{accepted} accepted, {refused} refused");
}

/// Whether a client that announces no content waits for 100 (Continue) is without meaning.
fn normal(decided: &str) -> String {
    let is_empty = decided.starts_with("none ") || decided.starts_with("length 0 ");
    if is_empty { decided.replace(" continue", "") } else { decided.to_string() }
}
