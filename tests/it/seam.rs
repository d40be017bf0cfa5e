//! The seam to the clouds: what decides about orders knows none of them.

use std::path::{Path, PathBuf};

use certorder::provider::{RequestKind, huawei, tencent};
use regex::Regex;
use strum::IntoEnumIterator;

/// The Rust files below a directory; not its tests, whose orders name a cloud as those of users do.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of_entry = |path: PathBuf| match path.extension().and_then(|extension| extension.to_str()) {
        _ if path.ends_with("tests") => Vec::new(),
        _ if path.is_dir() => sources(&path),
        Some("rs") => vec![path],
        _ => Vec::new(),
    };
    entries.flat_map(of_entry).collect()
}

#[test]
fn the_logic_of_orders_names_no_cloud_and_none_of_its_calls() {
    // What all calls of the one cloud are called, and those of the other that are no words of every day.
    let calls = RequestKind::iter().flat_map(|kind| [tencent::CALLS.name(kind), huawei::CALLS.name(kind)]);
    let calls = calls.flatten().filter(|call| call.chars().any(|c| c.is_uppercase() || c == '-'));
    let reads = [tencent::CALLS.observe, tencent::CALLS.download];
    let words = ["tencent", "huawei", "qcloud", r"\btke\b", r"\bscm\b", r"\bcce\b"];
    let all: Vec<&str> = words.into_iter().chain(calls).chain(reads).collect();
    let cloud = Regex::new(&format!("(?i){}", all.join("|"))).unwrap();
    let root = Path::new(env!("CARGO_MANIFEST_DIR")).join("src");
    let mut looked_at = 0;
    for file in ["order", "core"].iter().flat_map(|directory| sources(&root.join(directory))) {
        looked_at += 1;
        let text = std::fs::read_to_string(&file).unwrap();
        for (number, line) in (1..).zip(text.lines()) {
            assert!(!cloud.is_match(line), "{}:{number}: {line}", file.display());
        }
    }
    assert!(looked_at > 30, "only {looked_at} files");
}
