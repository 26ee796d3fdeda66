//! The verdicts of `tests/golden/smuggling/` over the machine: each row whole, cut at each offset and
//! byte by byte, alone and with a request behind it, which is served exactly when the row says so.
//!
//! The size of a body is limited above the machine; where that is the verdict (413), it waits. CONNECT
//! with a good target is refused above it, too (501): those rows are left to the live server.

use super::case::{deliveries, ok};
use super::verdicts::{Outcome, Row, Then, load};
use super::wire::{When, Wire};

const NEXT: &[u8] = b"GET /next HTTP/1.1\r\nHost: next\r\n\r\n";

/// What came of a row in one delivery.
#[derive(Clone, Debug, PartialEq, Eq)]
struct Found {
    outcome: Outcome,
    /// Requests that became whole, or heads alone where the handler answers those.
    seen: Vec<String>,
}

#[test]
fn there_are_hundreds_of_verdicts() {
    let count = rows().len();
    assert!(count >= 500, "{count} rows");
}

#[test]
fn each_request_gets_its_verdict_in_every_delivery() {
    let mut wrong = Vec::new();
    for row in rows() {
        let whole = run(&row.bytes, &[row.bytes.len()]);
        let Some(expected) = expectation(&row, &whole) else {
            let (outcome, seen) = (&row.outcomes, &row.seen);
            wrong.push(format!("{}: {whole:?} isn't {outcome:?} {seen:?}", row.id));
            continue;
        };
        let mut cases = vec![(row.bytes.clone(), expected.clone())];
        if expected.outcome.then != Then::Waits {
            cases.push(([&row.bytes, NEXT].concat(), with_next(expected)));
        }
        for (bytes, expected) in cases {
            for ends in deliveries(bytes.len()) {
                let found = run(&bytes, &ends);
                if !is_same(&found, &expected) {
                    wrong.push(format!("{}: {found:?}, not {expected:?}, cut at {ends:?}", row.id));
                    break;
                }
            }
        }
    }
    assert!(wrong.is_empty(), "{} wrong:\n{}", wrong.len(), wrong.join("\n"));
}

/// An answer may be given at the head; where the next request begins doesn't depend on it.
#[test]
fn a_body_that_nobody_reads_is_no_request() {
    for row in rows() {
        let is = |then| row.outcomes.iter().any(|outcome| outcome.then == then);
        let is_open = is(Then::Open);
        let tail = if is(Then::Waits) { b"" } else { NEXT };
        let bytes = [&row.bytes, tail].concat();
        for ends in deliveries(bytes.len()) {
            let mut wire = deliver(When::Head, &bytes, &ends);
            let heads = heads(&wire);
            let is_seen = |path: &str| heads.iter().any(|head| head.ends_with(path));
            let (id, closing) = (&row.id, wire.closing());
            if !row.seen.iter().any(|seen| seen == "GET /hidden") {
                assert!(!is_seen(" /hidden"), "{id}: {heads:?}, cut at {ends:?}");
            }
            assert!(is_open || !is_seen(" /next"), "{id}: {heads:?}, cut at {ends:?}");
            if is_open && closing.is_none() {
                assert_eq!(heads.last().map(String::as_str), Some("GET /next"), "{id}: {ends:?}");
            }
            wire.fin();
            assert!(wire.closing().is_some(), "{id}: cut at {ends:?}");
        }
    }
}

fn rows() -> Vec<Row> {
    let mut rows = load();
    rows.retain(|row| !row.bytes.starts_with(b"CONNECT ") || row.outcomes[0].statuses != [501]);
    rows
}

/// Which of the row's outcomes it is, with what the handler gets in that.
fn expectation(row: &Row, found: &Found) -> Option<Found> {
    let mut outcomes = row.outcomes.iter().map(|outcome| match outcome.statuses[..] {
        [413] => Outcome { statuses: Vec::new(), then: Then::Waits },
        _ => outcome.clone(),
    });
    let outcome = outcomes.find(|outcome| *outcome == found.outcome)?;
    let served = outcome.statuses.iter().filter(|&&status| status == 200).count();
    let expected = Found { outcome, seen: row.seen.iter().take(served).cloned().collect() };
    is_same(found, &expected).then_some(expected)
}

/// What must come of the row with a request behind it.
fn with_next(mut expected: Found) -> Found {
    if expected.outcome.then == Then::Open {
        expected.outcome.statuses.push(200);
        expected.seen.push("GET /next".into());
    }
    expected
}

/// Whether all is equal but trailer fields, which the record has behind a body.
fn is_same(found: &Found, expected: &Found) -> bool {
    let is_same_request = |found: &String, expected: &String| {
        found
            .strip_prefix(expected.as_str())
            .is_some_and(|rest| rest.is_empty() || (rest.starts_with(" [") && rest.ends_with(']')))
    };
    found.outcome == expected.outcome
        && found.seen.len() == expected.seen.len()
        && found.seen.iter().zip(&expected.seen).all(|(a, b)| is_same_request(a, b))
}

/// The client's end tells what is whole from what isn't: the latter is refused with 400.
fn run(bytes: &[u8], ends: &[usize]) -> Found {
    let mut wire = deliver(When::End, bytes, ends);
    let statuses_before = statuses(&wire);
    let is_closing = wire.closing().is_some();
    wire.fin();
    assert!(wire.closing().is_some(), "it ends when the client ends");
    let then = match statuses(&wire).strip_prefix(&statuses_before[..]) {
        Some([]) if is_closing => Then::Closes,
        Some([]) => Then::Open,
        Some([400]) if !is_closing => Then::Waits,
        other => panic!("{statuses_before:?}, then {other:?}"),
    };
    Found { outcome: Outcome { statuses: statuses_before, then }, seen: requests(&wire) }
}

fn deliver(when: When, bytes: &[u8], ends: &[usize]) -> Wire {
    let mut wire = Wire::new(when, ok);
    let mut start = 0;
    for &end in ends {
        wire.receive(&bytes[start..end]);
        start = end;
    }
    wire
}

fn statuses(wire: &Wire) -> Vec<u16> {
    let output = wire.output();
    let behind = output.split("HTTP/1.1 ").skip(1);
    behind.filter_map(|text| text.get(..4)?.strip_suffix(' ')?.parse().ok()).collect()
}

/// Method and target of each head in the record, and whether a body follows.
fn record(line: &str) -> Option<(String, bool)> {
    let words: Vec<&str> = line.split(' ').collect();
    let is_other = matches!(words[0], "fault" | "body" | "dropped");
    (!is_other).then(|| (format!("{} {}", words[0], words[1]), words.len() > 2))
}

fn heads(wire: &Wire) -> Vec<String> {
    wire.log.iter().filter_map(|line| record(line)).map(|(head, _)| head).collect()
}

fn requests(wire: &Wire) -> Vec<String> {
    let mut seen = Vec::new();
    let mut pending = String::new();
    for line in &wire.log {
        if let Some((head, has_body)) = record(line) {
            if has_body {
                pending = head;
            } else {
                seen.push(head);
            }
        } else if let Some(body) = line.strip_prefix("body ") {
            let separator = if body.is_empty() { "" } else { " " };
            seen.push(format!("{pending}{separator}{body}"));
        }
    }
    seen
}
