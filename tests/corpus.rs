//! Every input of the committed corpus goes through the check of its fuzz target. What a fuzzer once found stays found,
//! on any machine and without the fuzzer.

#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::panic,
    clippy::indexing_slicing,
    reason = "clippy allows these in functions marked as tests only"
)]

use std::fs;
use std::path::{Path, PathBuf};

#[path = "../fuzz/src/checks/mod.rs"]
mod checks;

fn files(folder: &Path) -> Vec<PathBuf> {
    let entries = fs::read_dir(folder).unwrap_or_else(|error| panic!("{}: {error}", folder.display()));
    let mut files: Vec<_> = entries.map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

#[test]
fn no_input_of_the_corpus_breaks_what_must_hold() {
    for (target, check) in checks::ALL {
        let corpus = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/corpus").join(target));
        assert!(!corpus.is_empty(), "{target} has no corpus");
        for file in corpus {
            println!("{}", file.display());
            check(&fs::read(&file).unwrap());
        }
    }
}

#[test]
fn every_check_has_its_fuzz_target() {
    let targets = files(&Path::new(env!("CARGO_MANIFEST_DIR")).join("fuzz/fuzz_targets"));
    let targets: Vec<_> = targets.iter().map(|file| file.file_stem().unwrap().to_str().unwrap()).collect();
    let checks: Vec<_> = checks::ALL.iter().map(|(name, _)| *name).collect();
    assert_eq!(targets, checks);
}
