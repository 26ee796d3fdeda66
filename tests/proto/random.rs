//! Random sequences of everything that can happen to a machine. A failure names its seed; [`ONLY`]
//! runs it alone.

use super::sequence::{Choices, Sequence};

/// A seed to run alone.
const ONLY: Option<u64> = None;
const SEEDS: u64 = 2000;
const STEPS: usize = 60;

/// xorshift64*
struct Random(u64);

impl Choices for Random {
    fn below(&mut self, bound: u64) -> u64 {
        self.0 ^= self.0 >> 12;
        self.0 ^= self.0 << 25;
        self.0 ^= self.0 >> 27;
        (self.0.wrapping_mul(0x2545_f491_4f6c_dd1d) >> 32) % bound
    }

    fn bytes(&mut self) -> Vec<u8> {
        (0..self.below(20)).map(|_| self.pick(b"GET /0\r\n: \x00\xff")).collect()
    }
}

#[test]
fn whatever_happens_every_request_has_one_answer_in_order_or_the_connection_closes() {
    let mut answers = 0;
    let mut closings = 0;
    for seed in 1..=SEEDS {
        if ONLY.is_some_and(|only| only != seed) {
            continue;
        }
        let random = Random(seed.wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let mut sequence = Sequence::new(random);
        for step in 0..STEPS {
            let name = sequence.step();
            sequence.check(&format!("seed {seed}, step {step}: {name}"));
        }
        answers += sequence.wire.heads.len();
        closings += usize::from(sequence.closing.is_some());
    }
    if ONLY.is_none() {
        assert!(answers > SEEDS as usize, "the sequences reach something: {answers}");
        assert!(closings > SEEDS as usize / 4, "{closings}");
    }
}
