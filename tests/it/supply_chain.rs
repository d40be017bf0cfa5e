//! What a build takes from elsewhere is pinned, and what is not released yet has a reason.

use std::collections::{BTreeMap, BTreeSet};
use std::path::Path;

use regex::Regex;

fn read(path: &str) -> String {
    std::fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join(path)).unwrap()
}

fn workflows() -> Vec<String> {
    let directory = Path::new(env!("CARGO_MANIFEST_DIR")).join(".github/workflows");
    let files = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    files.map(|path| std::fs::read_to_string(path).unwrap()).collect()
}

/// All that a pattern's first group finds.
fn all(pattern: &str, text: &str) -> Vec<String> {
    Regex::new(pattern).unwrap().captures_iter(text).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_base_image_is_pinned_by_its_digest() {
    let dockerfile = read("Dockerfile");
    let stages = all(r"(?mi)^FROM\s.*\sAS\s+(\S+)", &dockerfile);
    let mut images = all(r"(?mi)^FROM\s+(?:--\S+\s+)*(\S+)", &dockerfile);
    images.extend(all(r"(?mi)^(?:COPY|ADD)\s+--from=(\S+)", &dockerfile));
    images.extend(all(r"(?mi)^#\s*syntax\s*=\s*(\S+)", &dockerfile));
    images.retain(|image| image != "scratch" && !stages.contains(image));
    images.extend(workflows().iter().flat_map(|text| all(r"(?m)^\s*- (\S+/\S+:v\S+)$", text)));
    assert!(images.len() >= 3, "{images:?}");
    let digest = Regex::new("@sha256:[0-9a-f]{64}$").unwrap();
    for image in images {
        assert!(digest.is_match(&image), "{image}");
    }
}

#[test]
fn every_action_is_pinned_by_its_commit() {
    let actions: Vec<_> = workflows().iter().flat_map(|text| all(r"(?m)\buses:\s*(\S+)", text)).collect();
    assert!(!actions.is_empty());
    let commit = Regex::new("@[0-9a-f]{40}$").unwrap();
    for action in actions {
        assert!(commit.is_match(&action), "{action}");
    }
}

/// The versions before a release in a lock file. What stands after a `+` is no part of a version.
fn before_a_release(lock: &str) -> BTreeSet<(String, String)> {
    let package = Regex::new("name = \"([^\"]+)\"\nversion = \"([^\"]+)\"\n").unwrap();
    let all = package.captures_iter(lock).map(|found| (found[1].to_owned(), found[2].to_owned()));
    all.filter(|(_, version)| version.split('+').next().unwrap().contains('-')).collect()
}

/// The reasons of deny.toml.
fn reasons(policy: &str) -> BTreeMap<(String, String), String> {
    let line = Regex::new(r"(?m)^# pre-release (\S+) (\S+): (\S.*)$").unwrap();
    let all = line.captures_iter(policy);
    all.map(|found| ((found[1].to_owned(), found[2].to_owned()), found[3].to_owned())).collect()
}

#[test]
fn a_version_before_a_release_is_named_in_the_policy_with_its_reason() {
    let reasoned: BTreeSet<_> = reasons(&read("deny.toml")).into_keys().collect();
    assert_eq!(before_a_release(&read("Cargo.lock")), reasoned, "the lock file, and deny.toml");
    let lock = "[[package]]\nname = \"a\"\nversion = \"1.0.0-rc.1\"\n\n[[package]]\nname = \"b\"\nversion = \"1.0.0+x-y\"\n";
    assert_eq!(before_a_release(lock), [("a".to_owned(), "1.0.0-rc.1".to_owned())].into());
}

#[test]
fn the_policy_is_checked_with_every_change_and_advisories_before_a_release() {
    assert!(read(".ci/run").contains("\nstep .ci/deny bans licenses sources\n"));
    let release = read(".github/workflows/release.yml");
    let checks = &release[..release.find("\n  image:").unwrap()];
    assert!(checks.contains("- run: .ci/deny advisories\n"), "nothing is published before it: {checks}");
    let scheduled = read(".github/workflows/advisories.yml");
    assert!(scheduled.contains("schedule:") && scheduled.contains("- run: .ci/deny advisories\n"));
}
