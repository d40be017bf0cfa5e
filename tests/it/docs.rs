//! The pages: that of states has every phase, condition and reason of the status, and no others; what a page, a manifest
//! or a message refers to is there.

use std::collections::BTreeSet;
use std::path::{Path, PathBuf};

use certorder::api::v1alpha1::{Class, ConditionType, Reason};
use certorder::core::annotations::{CONFIRM_REVOKE, RECONCILE_AT, RESUBMIT_AT, WITHDRAW};
use certorder::order::renewal::metrics::PHASES;
use regex::Regex;
use strum::IntoEnumIterator;

/// The words in code style at the beginning of the rows of one section of the page of states.
fn rows(section: &str) -> BTreeSet<String> {
    rows_of(&page(), section)
}

/// The same of another page.
fn rows_of(page: &str, section: &str) -> BTreeSet<String> {
    let title = format!("\n## {section}\n");
    let (_, after) = page.split_once(&title).unwrap_or_else(|| panic!("no section {section}"));
    let section = after.split("\n## ").next().unwrap();
    let words = section.lines().filter_map(|line| line.strip_prefix("| `")?.split('`').next());
    words.map(str::to_owned).collect()
}

fn page() -> String {
    std::fs::read_to_string(root().join("docs/states.md")).unwrap()
}

fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The Rust files below a directory, without tests.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of_entry = |path: PathBuf| match path.file_name().unwrap().to_str().unwrap() {
        "tests" => Vec::new(),
        _ if path.is_dir() => sources(&path),
        name if Path::new(name).extension().is_some_and(|extension| extension == "rs") => vec![path],
        _ => Vec::new(),
    };
    entries.flat_map(of_entry).collect()
}

fn text(directory: &str) -> String {
    let files = sources(&root().join(directory));
    files.iter().map(|file| std::fs::read_to_string(file).unwrap()).collect()
}

fn words<T: IntoEnumIterator + ToString>() -> BTreeSet<String> {
    T::iter().map(|word| word.to_string()).collect()
}

/// The phases that the code assigns: in the table of stages as a call's first argument, elsewhere by name.
fn phases() -> BTreeSet<String> {
    let code = text("src/order");
    let word = Regex::new(r#""([A-Z][A-Za-z]+)""#).unwrap();
    let assigned = Regex::new(r"\bphase(?: =|:) Some\([^;]*").unwrap();
    let of_stage = Regex::new(r#"\b(?:working|stopped|over)\(\s*"[A-Z][A-Za-z]+""#).unwrap();
    let places = assigned.find_iter(&code).map(|found| found.as_str().lines().next().unwrap());
    let places = places.chain(of_stage.find_iter(&code).map(|found| found.as_str()));
    places.flat_map(|place| word.captures_iter(place)).map(|found| found[1].to_owned()).collect()
}

#[test]
fn every_phase_and_condition_is_in_the_page_of_states() {
    assert_eq!(rows("Phases"), phases());
    assert_eq!(rows("Conditions"), words::<ConditionType>());
}

#[test]
fn every_reason_is_in_the_page_of_states_in_the_section_of_its_class() {
    let sections = [
        ("Reasons that wait (Reconciling)", Class::Waiting),
        ("Reasons that stop (Stalled)", Class::Stopped),
        ("Reasons of results", Class::Result),
    ];
    for (section, class) in sections {
        let of_class =
            Reason::iter().filter(|reason| reason.class() == class).map(|reason| reason.to_string());
        assert_eq!(rows(section), of_class.collect(), "{section}");
    }
}

#[test]
fn every_phase_of_a_renewal_is_in_the_page_of_renewal() {
    let page = std::fs::read_to_string(root().join("docs/renewal.md")).unwrap();
    assert_eq!(rows_of(&page, "What happens when"), PHASES.map(str::to_owned).into());
}

#[test]
fn every_condition_and_reason_that_a_page_names_is_one() {
    let named = [
        (Regex::new(r"\breasons?\s+`([A-Z][A-Za-z]+)`").unwrap(), words::<Reason>()),
        (Regex::new(r"\bcondition\s+`([A-Z][A-Za-z]+)`").unwrap(), words::<ConditionType>()),
    ];
    for (place, known) in named {
        let mut count = 0;
        for page in pages() {
            let text = std::fs::read_to_string(&page).unwrap();
            for found in place.captures_iter(&text) {
                assert!(known.contains(&found[1]), "{}: {}", page.display(), &found[0]);
                count += 1;
            }
        }
        assert!(count >= 5, "{count} places of {place}");
    }
}

#[test]
fn every_state_of_the_diagram_is_a_phase() {
    let page = page();
    let diagram = page.split("```mermaid\n").nth(1).unwrap().split("```").next().unwrap();
    let arrow = Regex::new(r"(?m)^    (\S+) --> ([^\s:]+)").unwrap();
    let drawn: BTreeSet<String> = arrow
        .captures_iter(diagram)
        .flat_map(|found| [found[1].to_owned(), found[2].to_owned()])
        .filter(|state| state != "[*]")
        .collect();
    assert!(drawn.is_subset(&phases()), "{:?}", drawn.difference(&phases()));
}

#[test]
fn every_annotation_that_asks_for_something_is_in_the_page_of_states() {
    let known = [RECONCILE_AT, RESUBMIT_AT, WITHDRAW, CONFIRM_REVOKE];
    assert_eq!(rows("Annotations"), known.map(str::to_owned).into());
}

/// The Markdown files of the repository's root, of docs/ and of the chart.
fn pages() -> Vec<PathBuf> {
    let folders = ["", "docs", "docs/gitops", "charts/certorder"];
    let files = folders.iter().flat_map(|folder| std::fs::read_dir(root().join(folder)).unwrap());
    let pages = files.map(|file| file.unwrap().path());
    pages.filter(|path| path.extension().is_some_and(|extension| extension == "md")).collect()
}

/// The titles of a page's sections.
fn titles(page: &Path) -> Vec<String> {
    let text = std::fs::read_to_string(page).unwrap();
    // In a block of code, a line that begins like this is a comment.
    let prose: String = text.split("```").step_by(2).collect();
    let title = Regex::new(r"(?m)^#+ (.+)$").unwrap();
    title.captures_iter(&prose).map(|found| found[1].to_owned()).collect()
}

/// The anchor that GitHub makes of a title.
fn anchor(title: &str) -> String {
    let kept = title.to_lowercase().replace(' ', "-");
    kept.chars().filter(|letter| letter.is_alphanumeric() || matches!(letter, '-' | '_')).collect()
}

#[test]
fn every_link_of_the_documentation_leads_to_a_file_and_to_a_section_of_it() {
    let link = Regex::new(r"\]\(([^)#:]*)(?:#([^)]*))?\)").unwrap();
    let (mut links, mut sections) = (0, 0);
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for found in link.captures_iter(&text) {
            let name = page.display();
            let target =
                if found[1].is_empty() { page.clone() } else { page.parent().unwrap().join(&found[1]) };
            assert!(target.exists(), "{name}: {}", &found[1]);
            links += 1;
            if let Some(section) = found.get(2) {
                let found = titles(&target).iter().any(|title| anchor(title) == section.as_str());
                assert!(found, "{name}: {} has no section {}", target.display(), section.as_str());
                sections += 1;
            }
        }
    }
    assert!(links > 20 && sections > 5, "{links}, {sections}");
}

#[test]
fn every_section_that_a_message_names_is_there() {
    let named = Regex::new(r"(docs/[a-z]+\.md), ([A-Z][a-z]+)").unwrap();
    let code = text("src");
    let found: BTreeSet<_> =
        named.captures_iter(&code).map(|found| (found[1].to_owned(), found[2].to_owned())).collect();
    assert!(found.len() >= 2, "{found:?}");
    for (page, section) in found {
        assert!(titles(&root().join(&page)).contains(&section), "{page} has no section {section}");
    }
}

/// The files below a directory.
fn files(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    entries.flat_map(|path| if path.is_dir() { files(&path) } else { vec![path] }).collect()
}

#[test]
fn every_source_file_that_a_page_or_a_manifest_names_is_there() {
    let named = Regex::new(r"\b(?:src|tests)/[a-z0-9_/]+\.rs\b").unwrap();
    let manifests = ["charts/certorder/templates", "deploy", "docs/gitops", "examples/manifests"];
    let manifests = manifests.iter().flat_map(|directory| files(&root().join(directory)));
    let mut count = 0;
    for file in pages().into_iter().chain(manifests) {
        let text = std::fs::read_to_string(&file).unwrap();
        for found in named.find_iter(&text) {
            assert!(root().join(found.as_str()).exists(), "{}: {}", file.display(), found.as_str());
            count += 1;
        }
    }
    assert!(count > 10, "{count}");
}

/// The names of all fields of the providers' blocks.
fn fields_of_providers() -> BTreeSet<String> {
    let crds = certorder::api::crds();
    let order = crds.iter().find(|crd| crd.spec.names.kind == "CertificateOrder").unwrap();
    let schema = order.spec.versions[0].schema.as_ref().unwrap().open_api_v3_schema.as_ref().unwrap();
    let schema = serde_json::to_value(schema).unwrap();
    let blocks =
        schema["properties"]["spec"]["properties"]["provider"]["properties"].as_object().unwrap().clone();
    assert_eq!(blocks.len(), 2, "a cloud was added");
    let of_block = |block: serde_json::Value| {
        block["properties"].as_object().unwrap().keys().cloned().collect::<Vec<_>>()
    };
    blocks.into_iter().flat_map(|(_, block)| of_block(block)).collect()
}

#[test]
fn every_field_of_a_provider_is_in_the_page_of_providers() {
    let page = std::fs::read_to_string(root().join("docs/providers.md")).unwrap();
    for field in fields_of_providers() {
        let word = Regex::new(&format!(r"[.`]{field}`")).unwrap();
        assert!(word.is_match(&page), "{field}");
    }
    for kind in certorder::provider::RequestKind::iter() {
        for calls in [certorder::provider::tencent::CALLS, certorder::provider::huawei::CALLS] {
            assert!(calls.name(kind).is_none_or(|call| page.contains(&format!("`{call}`"))), "{kind:?}");
        }
    }
}

#[test]
fn every_test_that_the_page_on_security_names_is_there() {
    let page = std::fs::read_to_string(root().join("docs/security.md")).unwrap();
    let named = Regex::new(r"`([a-z0-9]+(?:_[a-z0-9]+){3,})`").unwrap();
    let named: BTreeSet<&str> =
        named.captures_iter(&page).map(|found| found.get(1).unwrap().as_str()).collect();
    let test = Regex::new(r"fn ([a-z0-9_]+)\(").unwrap();
    let mut tests = BTreeSet::new();
    for directory in ["src", "tests", "sim/src"] {
        for file in every_source(&root().join(directory)) {
            let code = std::fs::read_to_string(&file).unwrap();
            tests.extend(test.captures_iter(&code).map(|found| found[1].to_owned()));
        }
    }
    assert!(named.len() > 30, "only {} tests are named", named.len());
    for name in named {
        assert!(tests.contains(name), "no test is called {name}");
    }
}

/// Every Rust file below a directory.
fn every_source(directory: &Path) -> Vec<PathBuf> {
    let entries = std::fs::read_dir(directory).unwrap().map(|entry| entry.unwrap().path());
    let of_entry = |path: PathBuf| match path.extension() {
        _ if path.is_dir() => every_source(&path),
        Some(extension) if extension == "rs" => vec![path],
        _ => Vec::new(),
    };
    entries.flat_map(of_entry).collect()
}
