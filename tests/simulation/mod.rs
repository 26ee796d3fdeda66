//! The server over a network that exists in memory alone, on a clock of its own: its reactor, its
//! policies and its machines as they are, against clients and handlers that do what they like.
//!
//! A world grows from its seed: the limits and clocks of the server, the network and its faults, the
//! clients, what they ask for and what they do wrong. It runs until everybody has left and the
//! server is closed, mostly minutes of its time in a few milliseconds of ours. After each turn, and
//! at the end, `check.rs` looks for what must not be.
//!
//! ```text
//! cargo test --lib simulation                                        the usual seeds
//! SEED=123 cargo test --lib simulation::one -- --nocapture           one of them, with a trace
//! SEEDS=100000 cargo test --lib simulation::many -- --nocapture      many; FIRST=5000 begins there
//! ```

mod answers;
mod check;
mod client;
mod drive;
mod handler;
mod random;
mod requests;
mod seed;
mod wish;
mod world;
mod worlds;

use std::panic::{AssertUnwindSafe, catch_unwind};
use std::time::Instant;

use drive::Sums;

/// Worlds of a usual run.
const SEEDS: u64 = 400;

#[test]
fn many_worlds_keep_every_promise() {
    let (count, first) = (number_from("SEEDS"), number_from("FIRST").unwrap_or(1));
    let (count, is_long) = (count.unwrap_or(SEEDS), count.is_some());
    let begun = Instant::now();
    let mut sums = Sums::default();
    let mut broken = Vec::new();
    for seed in first..first + count {
        match run(seed, false) {
            Ok(one) => sums.add(&one),
            Err(fault) => {
                if is_long {
                    println!("{fault}\n");
                }
                broken.push(fault);
            }
        }
    }
    let took = begun.elapsed();
    let a_minute = count as f64 / took.as_secs_f64() * 60.0;
    println!("{count} worlds in {took:.1?}, {a_minute:.0} a minute: {sums:?}");
    if let Some(fault) = broken.first() {
        panic!("{} of {count} worlds break a promise.\n{fault}", broken.len());
    }
    let is_lively = sums.answers > count && sums.refusals > count / 4 && sums.resets > count / 20;
    assert!(is_lively || count < SEEDS, "the worlds are too quiet: {sums:?}");
}

/// The world of one seed, told step by step.
#[test]
fn one_world_is_told() {
    let seed = number_from("SEED");
    if let Err(fault) = run(seed.unwrap_or(1), seed.is_some()) {
        panic!("{fault}");
    }
}

/// A seed says everything: the same one gives the same world, step for step.
#[test]
fn a_world_repeats_itself() {
    for seed in 1..20 {
        assert_eq!(run(seed, false), run(seed, false), "seed {seed}");
    }
}

fn number_from(variable: &str) -> Option<u64> {
    std::env::var(variable).ok()?.parse().ok()
}

/// Runs a world to its end. What went wrong is told with the way to see it again.
fn run(seed: u64, is_traced: bool) -> Result<Sums, String> {
    let told = catch_unwind(AssertUnwindSafe(|| seed::grow(seed, is_traced).run()));
    let fault = match told {
        Ok(Ok(sums)) => return Ok(sums),
        Ok(Err(fault)) => fault,
        Err(panic) => {
            let text = panic.downcast_ref::<String>().map(String::as_str);
            let text = text.or_else(|| panic.downcast_ref::<&str>().copied());
            format!("a panic: {}", text.unwrap_or_default())
        }
    };
    Err(format!(
        "seed {seed}: {fault}\nreplay: SEED={seed} cargo test --lib simulation::one -- --nocapture"
    ))
}
