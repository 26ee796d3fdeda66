//! The fuzz targets of `fuzz/` over what is kept of their runs: the minimised corpus, seeds, and
//! each input that once showed a fault. Needs neither the nightly toolchain nor cargo-fuzz.

use std::fs;
use std::panic::catch_unwind;
use std::path::{Path, PathBuf};

// `record` shares a file of the binding, which finds these rooms at the crate's root.
use barewire::{server, wire};

#[allow(unreachable_pub)] // as the package there wants its items
#[path = "../fuzz/targets/mod.rs"]
mod targets;

/// A test for each target, and their names.
macro_rules! targets {
    ($($name:ident)*) => {
        const NAMES: &[&str] = &[$(stringify!($name)),*];

        mod holds_over_its_corpus {
            $(
                #[test]
                fn $name() {
                    super::replay(stringify!($name), super::targets::$name::run);
                }
            )*
        }
    };
}

targets! { answer chunked encode framing head machine multipart range record target }

/// Runs every committed input of a target.
fn replay(name: &str, run: fn(&[u8])) {
    let inputs = inputs(name);
    assert!(inputs.len() > 10, "{name} has {} inputs", inputs.len());
    for path in inputs {
        let data = fs::read(&path).expect("a readable file");
        assert!(catch_unwind(|| run(&data)).is_ok(), "{name} fails: {}", path.display());
    }
}

#[test]
fn each_target_has_a_program_a_dictionary_and_a_corpus() {
    for (folder, ending) in [("mains", ".rs"), ("dictionaries", ".dict"), ("corpus", "")] {
        let mut found: Vec<String> = files(&fuzz().join(folder))
            .iter()
            .map(|path| path.file_name().expect("a name").to_string_lossy().replace(ending, ""))
            .collect();
        found.sort();
        assert_eq!(found, NAMES, "{folder}");
    }
}

fn inputs(name: &str) -> Vec<PathBuf> {
    let folders = ["corpus", "seeds", "regressions"].map(|folder| fuzz().join(folder).join(name));
    folders.iter().filter(|folder| folder.exists()).flat_map(|folder| files(folder)).collect()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries =
        fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    entries.map(|entry| entry.expect("an entry").path()).collect()
}

fn fuzz() -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz")
}
