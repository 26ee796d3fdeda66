//! The paths whose instructions are counted: `instr CASE ROUNDS` sets one up and goes through it
//! so many times. Without arguments it lists the cases.
//!
//! The counting itself is done by `run.js`, which runs each case for N and for 2N rounds under
//! callgrind and takes the difference, so that nothing outside of the rounds counts. A set-up must
//! therefore cost the same for any number of rounds, and it warms up what a round finds warm.

mod machine;
mod messages;
mod reactor;
mod wire;

use std::process::ExitCode;

/// The most rounds that a case can be asked for; a set-up may prepare something for each.
const MOST_ROUNDS: usize = 2000;

/// A path: its name, what one round is, and the function that runs it.
type Case = (&'static str, &'static str, fn(usize));

const CASES: [Case; 20] = [
    ("head-small", "scan and parse the head of a GET with 3 fields", wire::head_small),
    ("head-browser", "scan and parse a browser's head with 12 fields", wire::head_browser),
    ("head-100", "scan and parse a head with 100 fields", wire::head_100),
    ("framing-get", "the framing decision for the browser's GET", wire::framing_get),
    ("framing-post", "the framing decision for a POST with a length", wire::framing_post),
    ("chunk-decode", "decode a chunked body of 16 chunks of 64 bytes", wire::chunk_decode),
    ("chunk-encode", "encode a chunk of 64 bytes", wire::chunk_encode),
    ("block-fill", "judge the 6 fields of an answer and put them into a block", wire::block_fill),
    ("percent-decode", "decode a path of 54 bytes with 6 triplets", wire::percent_decode),
    ("range-parse", "parse a Range field of 3 ranges", wire::range_parse),
    ("multipart-fields", "parse a form of 8 text fields", wire::multipart_fields),
    ("multipart-file", "parse a form with a file of 64 KiB", wire::multipart_file),
    ("answer-head", "encode the head of the JSON answer", machine::answer_head),
    ("keep-alive", "a GET and its JSON answer, in memory", machine::keep_alive),
    ("keep-alive-echo", "a POST of 1 KiB and its echo, in memory", machine::keep_alive_echo),
    ("keep-alive-stream", "a GET and an answer of 4 chunks, in memory", machine::keep_alive_stream),
    ("turn-hello", "a turn that serves one GET with JSON by a Rust handler", reactor::hello),
    ("turn-browser", "the same for the browser's GET", reactor::browser),
    ("turn-pipelined", "the same for 16 pipelined GETs", reactor::pipelined),
    ("turn-echo", "the same for a POST of 1 KiB that is echoed", reactor::echo),
];

fn main() -> ExitCode {
    // `cargo bench` adds an argument of its own.
    let arguments: Vec<String> = std::env::args().skip(1).filter(|it| it != "--bench").collect();
    let [name, rounds] = &arguments[..] else {
        for (name, what, _) in CASES {
            println!("{name}\t{what}");
        }
        return ExitCode::SUCCESS;
    };
    let case = CASES.iter().find(|(known, ..)| known == name);
    let rounds = rounds.parse().ok().filter(|&rounds| rounds <= MOST_ROUNDS);
    let (Some((_, _, run)), Some(rounds)) = (case, rounds) else {
        eprintln!("usage: instr CASE ROUNDS, at most {MOST_ROUNDS} rounds");
        return ExitCode::FAILURE;
    };
    run(rounds);
    ExitCode::SUCCESS
}
