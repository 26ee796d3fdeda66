//! Who may use whom, read from the sources as text: `wire` ← `proto` ← `net` ← `server` ← `node`,
//! `limits` for all; the system, the clock, Node and `unsafe` each in their own room; no file so
//! long that nobody reads it.
//!
//! Comments and literals don't count, so a document may name what its code must not.

use std::fs;
use std::path::{Path, PathBuf};

/// From the lowest to the highest; a room may use those before it.
const ROOMS: [&str; 5] = ["wire", "proto", "net", "server", "node"];
const LONGEST: usize = 700;

/// Paths that belong to one room, and which.
const OWNED: [(&str, &str); 12] = [
    ("mio", "net"),
    ("socket2", "net"),
    ("rustix", "net"),
    ("Instant::now", "net"),
    ("SystemTime::now", "net"),
    ("TcpStream", "net"),
    ("TcpListener", "net"),
    ("UnixStream", "net"),
    ("rustls", "proto"),
    ("napi", "node"),
    ("napi_sys", "node"),
    ("napi_derive", "node"),
];

#[test]
fn the_sources_keep_to_their_rooms() {
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut files = Vec::new();
    collect(&root, &mut files);
    assert!(files.len() > 20, "only {} files under {}", files.len(), root.display());
    let mut found = Vec::new();
    for path in files {
        let name = path.strip_prefix(&root).expect("it is under src").display().to_string();
        let text = fs::read_to_string(&path).expect("a readable file");
        found.extend(violations(&name, &text));
    }
    assert!(found.is_empty(), "\n{}", found.join("\n"));
}

#[test]
fn each_rule_strikes() {
    for (name, text, rule) in [
        ("wire/a.rs", "use crate::proto::Fault;", "uses crate::proto"),
        ("wire/a.rs", "use crate::{limits, net};", "uses crate::net"),
        ("proto/http1/a.rs", "fn f(io: &mut crate::net::Io) {}", "uses crate::net"),
        (
            "net/a.rs",
            "use crate::{\n    limits,\n    server::{Config, Server},\n};",
            "crate::server",
        ),
        ("server/a.rs", "use crate::node;", "uses crate::node"),
        ("limits.rs", "use crate::wire::Error;", "uses crate::wire"),
        ("proto/a.rs", "let t = Instant::now();", "`Instant::now` belongs to net"),
        ("proto/a.rs", "let t = std::time::SystemTime::now();", "`SystemTime::now` belongs"),
        ("server/a.rs", "use mio::Poll;", "`mio` belongs to net"),
        ("server/a.rs", "use rustix::fs::openat;", "`rustix` belongs to net"),
        ("server/a.rs", "use std::net::{SocketAddr, TcpStream};", "`TcpStream` belongs to net"),
        ("server/a.rs", "use napi::Env;", "`napi` belongs to node"),
        ("wire/a.rs", "unsafe { *p }", "`unsafe` outside"),
        ("net/slots.rs", "unsafe fn f() {}", "`unsafe` outside"),
    ] {
        let found = violations(name, text);
        assert!(found.len() == 1 && found[0].contains(rule), "{name}: {text}: {found:?}");
    }
    assert_eq!(violations("wire/a.rs", &"\n".repeat(LONGEST + 1)).len(), 1);
}

#[test]
fn what_is_allowed_passes() {
    for (name, text) in [
        ("net/a.rs", "use crate::{limits, proto::Fault, wire}; use mio::Poll; Instant::now();"),
        ("net/sys.rs", "unsafe { f() }"),
        ("node/env.rs", "unsafe { napi_sys::f() } use crate::server::Server;"),
        ("lib.rs", "#![deny(unsafe_code)]\n#[allow(unsafe_code)]\nmod node;"),
        ("wire/a.rs", "// use crate::net and unsafe mio\nlet s = \"unsafe crate::net // \"; 'a'"),
        ("wire/a.rs", "let q = '\"'; /* mio */ let r = r#\"napi \" unsafe\"#; fn f<'a>(x: &'a u8)"),
        ("server/a.rs", "let premio = napier; use std::time::Duration;"),
    ] {
        assert_eq!(violations(name, text), Vec::<String>::new(), "{name}: {text}");
    }
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("a readable folder") {
        let path = entry.expect("a readable entry").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
}

/// What is wrong with a file, one line each; `name` is its path under `src`.
fn violations(name: &str, text: &str) -> Vec<String> {
    let mut found = Vec::new();
    let lines = text.lines().count();
    if lines > LONGEST {
        found.push(format!("{name}: {lines} lines, above {LONGEST}"));
    }
    let code = without_comments_and_literals(text);
    let room = name.split('/').next().unwrap_or_default();
    let rank = ROOMS.iter().position(|&other| other == room);
    // The root of the crate sees every room; `limits` sees none; others are rooms.
    if name != "lib.rs" && name != "fuzzing.rs" {
        for used in crate_uses(&code) {
            let used_rank = ROOMS.iter().position(|&other| other == used);
            let is_upward = used_rank.is_some_and(|used| rank.is_none_or(|own| used > own));
            if is_upward {
                found.push(format!("{name}: uses crate::{used}, which is above it"));
            }
        }
    }
    for (path, owner) in OWNED {
        if room != owner && has_word(&code, path) {
            found.push(format!("{name}: `{path}` belongs to {owner}"));
        }
    }
    let may_be_unsafe = room == "node" || name == "net/sys.rs";
    if !may_be_unsafe && has_word(&code, "unsafe") {
        found.push(format!("{name}: `unsafe` outside node/ and net/sys.rs"));
    }
    found
}

/// The first names of every path that begins with `crate::`, also of those in braces.
fn crate_uses(code: &str) -> Vec<&str> {
    let mut uses = Vec::new();
    for (at, prefix) in code.match_indices("crate::") {
        let rest = &code[at + prefix.len()..];
        let Some(list) = rest.strip_prefix('{') else {
            uses.push(first_word(rest));
            continue;
        };
        let mut depth = 1;
        let mut is_item_start = true;
        for (at, character) in list.char_indices() {
            match character {
                '{' => depth += 1,
                '}' => depth -= 1,
                ',' if depth == 1 => is_item_start = true,
                _ if is_item_start && is_word(character) => {
                    uses.push(first_word(&list[at..]));
                    is_item_start = false;
                }
                _ => {}
            }
            if depth == 0 {
                break;
            }
        }
    }
    uses
}

fn first_word(text: &str) -> &str {
    text.split(|character| !is_word(character)).next().unwrap_or_default()
}

fn is_word(character: char) -> bool {
    character.is_alphanumeric() || character == '_'
}

fn has_word(code: &str, word: &str) -> bool {
    code.match_indices(word).any(|(at, _)| {
        let before = code[..at].chars().next_back();
        let after = code[at + word.len()..].chars().next();
        !before.is_some_and(is_word) && !after.is_some_and(is_word)
    })
}

/// The code alone: comments, strings and characters become spaces.
fn without_comments_and_literals(text: &str) -> String {
    let mut code = String::with_capacity(text.len());
    let mut rest = text;
    while let Some(first) = rest.chars().next() {
        let used = match first {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => rest.find("*/").map_or(rest.len(), |at| at + 2),
            'r' if rest.starts_with("r\"") || rest.starts_with("r#") => raw_string(rest),
            '"' => quoted(rest, '"'),
            // A lifetime has no quote behind its first character.
            '\'' if rest[1..].starts_with('\\') || rest.chars().nth(2) == Some('\'') => {
                quoted(rest, '\'')
            }
            _ => 0,
        };
        if used == 0 {
            code.push(first);
            rest = &rest[first.len_utf8()..];
        } else {
            code.push(' ');
            rest = &rest[used..];
        }
    }
    code
}

/// The length of a literal in quotes, with both.
fn quoted(text: &str, quote: char) -> usize {
    let mut is_escaped = false;
    for (at, character) in text.char_indices().skip(1) {
        match character {
            _ if is_escaped => is_escaped = false,
            '\\' => is_escaped = true,
            _ if character == quote => return at + 1,
            _ => {}
        }
    }
    text.len()
}

/// The length of `r"…"` or `r#"…"#`; 0 for a raw identifier.
fn raw_string(text: &str) -> usize {
    let hashes = text[1..].bytes().take_while(|&byte| byte == b'#').count();
    let Some(body) = text[1 + hashes..].strip_prefix('"') else {
        return 0;
    };
    let end = format!("\"{}", "#".repeat(hashes));
    body.find(&end).map_or(text.len(), |at| 1 + hashes + 1 + at + end.len())
}
