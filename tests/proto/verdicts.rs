//! Reads the tables of `tests/golden/smuggling/`; its README has the notation. Knows nothing of the
//! machine. `tests/js/verdicts.js` is the same for JavaScript.

use std::collections::HashSet;

/// What becomes of the connection.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Then {
    /// The next request is served.
    Open,
    /// Nothing more is read.
    Closes,
    /// More bytes have to come first.
    Waits,
}

/// One right outcome.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Outcome {
    pub(crate) statuses: Vec<u16>,
    pub(crate) then: Then,
}

/// A row of a table.
pub(crate) struct Row {
    pub(crate) id: String,
    pub(crate) bytes: Vec<u8>,
    pub(crate) outcomes: Vec<Outcome>,
    /// Method, target and body of each request that becomes whole, as `escape_ascii` writes them.
    pub(crate) seen: Vec<String>,
}

/// All rows of all tables.
pub(crate) fn load() -> Vec<Row> {
    let folder = format!("{}/tests/golden/smuggling", env!("CARGO_MANIFEST_DIR"));
    let mut rows = Vec::new();
    for entry in std::fs::read_dir(folder).expect("the folder is there") {
        let path = entry.expect("a readable entry").path();
        if !path.ends_with("README.md") {
            let text = std::fs::read_to_string(&path).expect("a readable file");
            rows.extend(tables(&text));
        }
    }
    let ids: HashSet<&str> = rows.iter().map(|row| row.id.as_str()).collect();
    assert_eq!(ids.len(), rows.len(), "each id is there once");
    rows
}

/// The rows of a document, each in the frame that stands before its table.
fn tables(text: &str) -> Vec<Row> {
    let mut rows = Vec::new();
    for section in text.split("\n```request\n").skip(1) {
        let (frame, table) = section.split_once("\n```\n").expect("a frame ends");
        let frame = frame.replace('\n', "");
        let (before, behind) = frame.split_once("{}").expect("a frame has a place");
        let lines = table.lines().filter(|line| line.starts_with('|')).skip(2);
        rows.extend(lines.map(|line| row(line, before, behind)));
    }
    rows
}

fn row(line: &str, before: &str, behind: &str) -> Row {
    let cells: Vec<&str> = line.trim_matches('|').split('|').map(str::trim).collect();
    let [id, bytes, answers, seen, section, why] = cells[..] else {
        panic!("six cells: {line}");
    };
    assert!(section.contains(" §") && !why.is_empty(), "a section and a reason: {line}");
    let bytes = match bytes {
        "–" => "",
        code => code.trim_matches('`'),
    };
    Row {
        id: id.to_string(),
        bytes: unescape(&format!("{before}{bytes}{behind}")),
        outcomes: answers.split(" or ").map(outcome).collect(),
        seen: requests(seen).map(|code| unescape(code).escape_ascii().to_string()).collect(),
    }
}

/// What stands in backticks, but for the URLs behind arrows.
fn requests(cell: &str) -> impl Iterator<Item = &str> {
    let parts: Vec<&str> = cell.split('`').collect();
    let codes = (1..parts.len()).step_by(2).filter(|&at| !parts[at - 1].ends_with("→ "));
    codes.map(|at| parts[at]).collect::<Vec<_>>().into_iter()
}

/// `200 400 closes`, for example.
fn outcome(text: &str) -> Outcome {
    let mut words: Vec<&str> = text.split(' ').collect();
    let then = match words.pop() {
        Some("open") => Then::Open,
        Some("closes") => Then::Closes,
        Some("waits") => Then::Waits,
        _ => panic!("{text:?} doesn't say what becomes of the connection"),
    };
    let statuses = words.iter().map(|word| word.parse().expect("a status")).collect();
    Outcome { statuses, then }
}

/// The bytes that an escaped text stands for.
fn unescape(text: &str) -> Vec<u8> {
    let mut bytes = Vec::new();
    let mut rest = text;
    while let Some(at) = rest.find('\\') {
        bytes.extend_from_slice(&rest.as_bytes()[..at]);
        let (escape, after) = rest[at + 1..].split_at(1);
        rest = after;
        match escape {
            "r" => bytes.push(b'\r'),
            "n" => bytes.push(b'\n'),
            "t" => bytes.push(b'\t'),
            "\\" => bytes.push(b'\\'),
            "x" => {
                bytes.push(u8::from_str_radix(&rest[..2], 16).expect("hex digits"));
                rest = &rest[2..];
            }
            "{" => {
                let (repeated, after) = rest.split_once('}').expect("a repetition ends");
                let (unit, times) = repeated.rsplit_once('*').expect("a repetition has a number");
                bytes.extend(unescape(unit).repeat(times.parse().expect("a number")));
                rest = after;
            }
            _ => panic!("no such escape: \\{escape}"),
        }
    }
    bytes.extend_from_slice(rest.as_bytes());
    bytes
}
