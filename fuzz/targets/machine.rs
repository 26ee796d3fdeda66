//! The machine of a connection: any sequence of bytes, answers, misuse, time and ends, with the
//! invariants of `tests/proto/sequence.rs` after each step.

use arbitrary::Unstructured;

use super::sequence::{Choices, Sequence};

/// Each step parses all output so far.
const STEPS: usize = 80;

struct Data<'a>(Unstructured<'a>);

impl Choices for Data<'_> {
    fn below(&mut self, bound: u64) -> u64 {
        // It never fails: behind the end, everything is 0.
        self.0.int_in_range(0..=bound - 1).unwrap_or(0)
    }

    fn bytes(&mut self) -> Vec<u8> {
        let length = self.0.int_in_range(0..=255).unwrap_or(0).min(self.0.len());
        self.0.bytes(length).unwrap_or_default().to_vec()
    }
}

pub fn run(data: &[u8]) {
    let mut sequence = Sequence::new(Data(Unstructured::new(data)));
    for step in 0..STEPS {
        if sequence.choices.0.is_empty() {
            break;
        }
        let name = sequence.step();
        sequence.check(&format!("step {step}: {name}"));
    }
}
