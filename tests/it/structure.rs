//! The structure of the sources: rooms import only those below them, no files import each other in a circle, and clouds are
//! named where they belong. Imports are read from the `use` declarations and the paths in the code; tests are left out.

use std::collections::{BTreeMap, BTreeSet};
use std::fmt::Write as _;
use std::path::{Path, PathBuf};
use std::sync::LazyLock;

use certorder::provider::{RequestKind, huawei, tencent};
use regex::Regex;
use strum::IntoEnumIterator;

/// The rooms of `src/`, from the bottom. A room imports itself and those before it in this list; rooms of one line do not
/// import each other.
const ROOMS: [&[&str]; 7] =
    [&["api"], &["core"], &["cluster", "provider"], &["controller"], &["profile"], &["order"], &["process"]];

/// A module, as the segments of its path below the crate.
type Module = Vec<String>;

/// One import: its place, and the imported module.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Arrow {
    to: Module,
    file: PathBuf,
    line: usize,
}

/// A pattern that is compiled once.
macro_rules! pattern {
    ($pattern:expr) => {
        LazyLock::new(|| Regex::new($pattern).unwrap())
    };
}

/// The modules of one crate and what they import of each other.
struct Structure {
    /// Each module that has code of its own, with its imports. A module that only declares and re-exports is left out, and
    /// an import through it counts for the module that defines the name.
    arrows: BTreeMap<Module, BTreeSet<Arrow>>,
}

static COMMENT_OR_TEXT: LazyLock<Regex> =
    pattern!(r##"(?s)//[^\n]*|/\*.*?\*/|r#".*?"#|"(?:\\.|[^"\\])*"|'(?:\\.|[^'\\])'"##);
static TESTS: LazyLock<Regex> = pattern!(r"(?m)^#\[cfg\(test\)\]\s*(?:pub\(crate\)\s+)?mod\s+\w+\s*\{");
static USE: LazyLock<Regex> = pattern!(r"\buse\s+((?:crate|self|super)\b[^;]*);");
static PATH: LazyLock<Regex> = pattern!(r"\b(?:crate|super)(?:::\w+)+");
static ATTRIBUTE: LazyLock<Regex> = pattern!(r"(?s)#!?\[[^\]]*\]");
static DECLARATION: LazyLock<Regex> = pattern!(r"(?:pub(?:\([^)]*\))?\s+)?(?:mod\s+\w+|use\s+[^;]*)\s*;");
static MODULE: LazyLock<Regex> = pattern!(r"(?m)^\s*(?:pub(?:\([^)]*\))?\s+)?mod\s+(\w+)\s*;");
static REEXPORT: LazyLock<Regex> = pattern!(r"\bpub(?:\([^)]*\))?\s+use\s+([^;]*);");

/// A source file without comments, text in quotes and tests; lines stay where they are.
fn code(text: &str) -> String {
    let blank = |found: &regex::Captures<'_>| {
        found[0].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>()
    };
    COMMENT_OR_TEXT.replace_all(&without_tests(text), blank).into_owned()
}

/// A source file without its tests, which are at its end.
fn without_tests(text: &str) -> String {
    TESTS.find(text).map_or(text, |tests| &text[..tests.start()]).to_owned()
}

/// The Rust files below a directory, without tests.
fn sources(directory: &Path) -> Vec<PathBuf> {
    let mut found = Vec::new();
    for entry in std::fs::read_dir(directory).unwrap() {
        let path = entry.unwrap().path();
        let name = path.file_name().unwrap().to_str().unwrap().to_owned();
        if path.is_dir() && name != "tests" {
            found.extend(sources(&path));
        } else if path.extension().is_some_and(|extension| extension == "rs")
            && !["tests.rs", "fixtures.rs", "main.rs"].contains(&name.as_str())
        {
            found.push(path);
        }
    }
    found
}

/// The module of a file, given the directory of its crate.
fn module(root: &Path, file: &Path) -> Module {
    let path = file.strip_prefix(root).unwrap().with_extension("");
    let mut segments: Module = path.iter().map(|part| part.to_str().unwrap().to_owned()).collect();
    if segments.last().is_some_and(|last| last == "mod" || last == "lib") {
        segments.pop();
    }
    segments
}

/// The paths of a tree of imports: `a::{b, c::{self, d}}` has three.
fn leaves(prefix: &str, tree: &str) -> Vec<String> {
    let tree = tree.trim();
    let Some(open) = tree.find('{') else {
        let name = tree.split(" as ").next().unwrap_or_default().trim();
        return vec![format!("{prefix}{name}")];
    };
    let (head, body) = (&tree[..open], &tree[open + 1..tree.rfind('}').unwrap()]);
    let (mut depth, mut start, mut parts) = (0, 0, Vec::new());
    for (at, c) in body.char_indices() {
        match c {
            '{' => depth += 1,
            '}' => depth -= 1,
            ',' if depth == 0 => {
                parts.push(&body[start..at]);
                start = at + 1;
            }
            _ => {}
        }
    }
    parts.push(&body[start..]);
    let parts = parts.into_iter().filter(|part| !part.trim().is_empty());
    parts.flat_map(|part| leaves(&format!("{prefix}{head}"), part)).collect()
}

/// Every path into the crate in a piece of code, with its line: those of `use`, and those written out.
fn paths(code: &str) -> Vec<(usize, String)> {
    let line = |at: usize| code[..at].matches('\n').count() + 1;
    let mut found = Vec::new();
    for part in USE.captures_iter(code) {
        let tree = &part[1];
        found.extend(leaves("", tree).into_iter().map(|path| (line(part.get(0).unwrap().start()), path)));
    }
    let rest = USE.replace_all(code, |part: &regex::Captures<'_>| {
        part[0].chars().map(|c| if c == '\n' { '\n' } else { ' ' }).collect::<String>()
    });
    found.extend(PATH.find_iter(&rest).map(|path| (line(path.start()), path.as_str().to_owned())));
    found.into_iter().map(|(line, path)| (line, path.split_whitespace().collect())).collect()
}

/// Whether a file only declares modules and re-exports.
fn only_declares(code: &str) -> bool {
    let rest = ATTRIBUTE.replace_all(code, "");
    DECLARATION.replace_all(&rest, "").trim().is_empty()
}

impl Structure {
    fn read(root: &Path) -> Self {
        let files = sources(root);
        assert!(files.len() > 50, "only {} files below {}", files.len(), root.display());
        Self::of(files, root)
    }

    fn of(files: Vec<PathBuf>, root: &Path) -> Self {
        let all: BTreeMap<Module, (PathBuf, String)> = files
            .into_iter()
            .map(|file| (module(root, &file), (file.clone(), code(&std::fs::read_to_string(&file).unwrap()))))
            .collect();
        let declaring: BTreeSet<&Module> =
            all.iter().filter(|(_, (_, code))| only_declares(code)).map(|(module, _)| module).collect();
        let reexports: BTreeMap<&Module, Vec<Module>> =
            declaring.iter().map(|module| (*module, paths_of_reexports(&all[*module].1, module))).collect();
        let mut arrows = BTreeMap::new();
        for (from, (file, code)) in &all {
            if declaring.contains(from) {
                continue;
            }
            let mut found = BTreeSet::new();
            for (line, path) in paths(code) {
                let Some(full) = absolute(&path, from) else { continue };
                let to = defining(&full, &all, &reexports);
                if to != *from && !declaring.contains(&to) {
                    found.insert(Arrow { to, file: file.clone(), line });
                }
            }
            // A module that declares another one and has code of its own depends on it.
            for (line, child) in declared(code) {
                let to: Module = from.iter().cloned().chain([child]).collect();
                if all.contains_key(&to) && !declaring.contains(&to) {
                    found.insert(Arrow { to, file: file.clone(), line });
                }
            }
            arrows.insert(from.clone(), found);
        }
        Self { arrows }
    }

    /// The groups of modules that import each other in a circle.
    fn circles(&self) -> Vec<BTreeSet<Module>> {
        let reached: BTreeMap<&Module, BTreeSet<Module>> =
            self.arrows.keys().map(|module| (module, self.reached(module))).collect();
        let mut left: BTreeSet<&Module> = self.arrows.keys().collect();
        let mut circles = Vec::new();
        while let Some(module) = left.pop_first() {
            let is_behind = |other: &&Module| reached.get(other).is_some_and(|ahead| ahead.contains(module));
            let circle: BTreeSet<Module> = reached[module].iter().filter(is_behind).cloned().collect();
            left.retain(|other| !circle.contains(*other));
            if circle.len() > 1 {
                circles.push(circle);
            }
        }
        circles
    }

    fn reached(&self, from: &Module) -> BTreeSet<Module> {
        let mut reached = BTreeSet::new();
        let mut next = vec![from.clone()];
        while let Some(module) = next.pop() {
            for arrow in self.arrows.get(&module).into_iter().flatten() {
                if reached.insert(arrow.to.clone()) {
                    next.push(arrow.to.clone());
                }
            }
        }
        reached
    }

    /// The imports of a circle.
    fn describe(&self, circle: &BTreeSet<Module>) -> String {
        let mut text = String::new();
        for module in circle {
            for arrow in self.arrows[module].iter().filter(|arrow| circle.contains(&arrow.to)) {
                let Arrow { to, file, line } = arrow;
                writeln!(text, "{}:{line}: imports {}", file.display(), to.join("::")).unwrap();
            }
        }
        text
    }
}

/// The modules that a piece of code declares, with their lines.
fn declared(code: &str) -> Vec<(usize, String)> {
    MODULE
        .captures_iter(code)
        .map(|found| (code[..found.get(1).unwrap().start()].matches('\n').count() + 1, found[1].to_owned()))
        .filter(|(_, name)| name != "tests" && name != "fixtures")
        .collect()
}

/// The paths that a module re-exports, from the root of the crate. Those by the name of a child count as `self::child`.
fn paths_of_reexports(code: &str, module: &Module) -> Vec<Module> {
    let trees = REEXPORT.captures_iter(code).flat_map(|found| leaves("", &found[1]));
    let path = |path: String| {
        let path: String = path.split_whitespace().collect();
        absolute(&path, module)
            .unwrap_or_else(|| module.iter().cloned().chain(path.split("::").map(str::to_owned)).collect())
    };
    trees.map(path).collect()
}

/// A path from the root of the crate; `None` if it leads out of it.
fn absolute(path: &str, from: &Module) -> Option<Module> {
    let mut segments = path.split("::").peekable();
    let mut full = match *segments.peek()? {
        "crate" => Vec::new(),
        "self" | "super" => from.clone(),
        _ => return None,
    };
    for segment in segments {
        match segment {
            "crate" | "self" => {}
            "super" => drop(full.pop()),
            name => full.push(name.to_owned()),
        }
    }
    Some(full)
}

/// The module that defines what a path names: the longest module path that it begins with, or the origin of that module's
/// re-export.
fn defining(
    path: &Module,
    all: &BTreeMap<Module, (PathBuf, String)>,
    reexports: &BTreeMap<&Module, Vec<Module>>,
) -> Module {
    let mut path = path.clone();
    // A re-export of a re-export is followed, too.
    for _ in 0..5 {
        let length = (0..=path.len()).rev().find(|length| all.contains_key(&path[..*length])).unwrap_or(0);
        let (module, rest) = (path[..length].to_vec(), &path[length..]);
        let from = reexports.get(&module).into_iter().flatten();
        let Some(origin) = rest.first().and_then(|name| from.clone().find(|path| path.last() == Some(name)))
        else {
            return module;
        };
        path = origin.iter().chain(&rest[1..]).cloned().collect();
    }
    path
}

fn root(directory: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(directory)
}

/// The index of a room in the list, from the bottom.
fn floor(room: &str) -> usize {
    let floor = ROOMS.iter().position(|rooms| rooms.contains(&room));
    floor.unwrap_or_else(|| panic!("src/{room} is no room: a file of src/ belongs into one of {ROOMS:?}"))
}

#[test]
fn an_arrow_runs_only_down() {
    let structure = Structure::read(&root("src"));
    let mut rooms = BTreeSet::new();
    for (from, arrows) in structure.arrows.iter().filter(|(from, _)| !from.is_empty()) {
        for Arrow { to, file, line } in arrows.iter().filter(|arrow| arrow.to.first() != from.first()) {
            let (here, there) = (&from[0], to.first().map_or("lib", String::as_str));
            assert!(
                floor(there) < floor(here),
                "{}:{line}: {here} imports {}; rooms import only those below them: {ROOMS:?}",
                file.display(),
                to.join("::")
            );
            rooms.insert((here.clone(), there.to_owned()));
        }
    }
    assert!(rooms.len() > 20, "only {} arrows between rooms are seen: {rooms:?}", rooms.len());
}

#[test]
fn no_files_import_each_other_in_a_circle() {
    for directory in ["src", "sim/src"] {
        let structure = Structure::read(&root(directory));
        let arrows: usize = structure.arrows.values().map(BTreeSet::len).sum();
        assert!(arrows > 300, "only {arrows} arrows between files of {directory} are seen");
        let circles = structure.circles();
        let described: String = circles.iter().map(|circle| structure.describe(circle) + "\n").collect();
        assert!(circles.is_empty(), "{} circles in {directory}:\n{described}", circles.len());
    }
}

#[test]
fn the_reader_of_imports_sees_circles_re_exports_and_paths_in_the_code() {
    let directory = tempfile();
    let files = [
        ("lib.rs", "pub mod a; pub mod b; pub mod c;"),
        ("a.rs", "use crate::b::{self as other, deep::{Thing as T, B}};\n// use crate::c::Not;\nfn f() {}"),
        ("b/mod.rs", "pub mod deep;\npub use deep::Thing;"),
        ("b/deep.rs", "pub struct Thing;\nfn f() { super::super::c::g(\"crate::a::Text\") }"),
        (
            "c.rs",
            "pub fn g(_: &str) -> crate::b::Thing { todo!() }\n#[cfg(test)]\nmod tests { use crate::a::X; }",
        ),
    ];
    for (name, text) in files {
        let file = directory.join(name);
        std::fs::create_dir_all(file.parent().unwrap()).unwrap();
        std::fs::write(file, text).unwrap();
    }
    let structure = Structure::of(sources(&directory), &directory);
    std::fs::remove_dir_all(&directory).unwrap();
    let to = |module: &str| -> Vec<(String, usize)> {
        let module: Module = module.split("::").map(str::to_owned).collect();
        structure.arrows[&module].iter().map(|arrow| (arrow.to.join("::"), arrow.line)).collect()
    };
    let at = |to: &str, line| (to.to_owned(), line);
    assert_eq!(to("a"), [at("b::deep", 1)]);
    assert_eq!(to("b::deep"), [at("c", 2)]);
    assert_eq!(to("c"), [at("b::deep", 1)]);
    let circle: BTreeSet<Module> = [vec!["b".into(), "deep".into()], vec!["c".into()]].into();
    assert_eq!(structure.circles(), [circle]);
}

/// A directory of this test's own.
fn tempfile() -> PathBuf {
    let directory = std::env::temp_dir().join(format!("certorder-structure-{}", std::process::id()));
    std::fs::create_dir_all(&directory).unwrap();
    directory
}

/// The names of the clouds, of their products and of their calls, except for everyday words.
fn cloud_words() -> Regex {
    let calls = RequestKind::iter().flat_map(|kind| [tencent::CALLS.name(kind), huawei::CALLS.name(kind)]);
    let calls = calls.flatten().filter(|call| call.chars().any(|c| c.is_uppercase() || c == '-'));
    let reads = [tencent::CALLS.observe, tencent::CALLS.download];
    let words = ["tencent", "huawei", "qcloud", r"\btke\b", r"\bscm\b", r"\bcce\b"];
    let all: Vec<&str> = words.into_iter().chain(calls).chain(reads).collect();
    Regex::new(&format!("(?i){}", all.join("|"))).unwrap()
}

#[test]
fn what_decides_about_orders_names_no_cloud_and_none_of_its_calls() {
    let cloud = cloud_words();
    let mut files = 0;
    for room in ["order", "controller", "cluster", "core"] {
        for file in sources(&root("src").join(room)) {
            files += 1;
            let text = without_tests(&std::fs::read_to_string(&file).unwrap());
            for (number, line) in (1..).zip(text.lines()) {
                assert!(!cloud.is_match(line), "{}:{number}: {line}", file.display());
            }
        }
    }
    assert!(files > 60, "only {files} files");
}

#[test]
fn the_api_and_the_process_name_clouds_in_fields_and_flags_alone() {
    let cloud = cloud_words();
    // A field or a type of the API, a flag, or the module that parses its value.
    let name = Regex::new(
        r"(?x)\b(?: (?:tencent|huawei)_(?:cloud|endpoint|rate_limit|reissue_bar)(?:_\w+)? | (?:Tencent|Huawei)(?:Cloud\w*|Site)
          | huawei::region::Template )\b",
    )
    .unwrap();
    for room in ["api", "process"] {
        for file in sources(&root("src").join(room)) {
            let code = code(&std::fs::read_to_string(&file).unwrap());
            let rest = name.replace_all(&code, "");
            for (number, line) in (1..).zip(rest.lines()) {
                assert!(!cloud.is_match(line), "{}:{number}: {line}", file.display());
            }
        }
    }
}

/// Saved profiles are a matter of one cloud today, and its console is explained in their messages. Another cloud that saves
/// profiles would move these lines behind the provider; until then they do not grow.
#[test]
fn the_controller_of_profiles_names_no_more_clouds_than_it_did() {
    let cloud = cloud_words();
    let lines = sources(&root("src/profile")).into_iter().map(|file| {
        let text = without_tests(&std::fs::read_to_string(file).unwrap());
        text.lines().filter(|line| cloud.is_match(line)).count()
    });
    assert!(lines.sum::<usize>() <= 51);
}

/// Readers of libraries pass over what they do not understand, so that a chain is cut without a word (see `core::pem`), and
/// whoever trims an entry of a Secret by itself lets a mark or a second line through (see `core::text`).
#[test]
fn there_is_one_reader_for_pem_and_one_for_entries_of_one_line() {
    let other_pem = Regex::new(
        r"(?x)\bpem::(?:parse|parse_many|EncodeConfig|Pem)\b | \bparse_x509_pem\b | \bPemObject\b | \brustls_pemfile\b
          | \bfrom_pem_(?:slice|file|reader)\b",
    )
    .unwrap();
    let lines =
        Regex::new(r"\btext::(?:\{[^}]*\b(?:line|trimmed_line)\b[^}]*\}|line\b|trimmed_line\b)").unwrap();
    let mut readers = Vec::new();
    for file in sources(&root("src")) {
        let code = code(&std::fs::read_to_string(&file).unwrap());
        let name = file.strip_prefix(root("src")).unwrap().to_str().unwrap().to_owned();
        let is_reader = name == "core/pem/mod.rs";
        assert_eq!(other_pem.is_match(&code), is_reader, "{name} reads or writes PEM by itself");
        if lines.is_match(&code) {
            readers.push(name);
        }
    }
    readers.sort();
    // Credentials, the data of contacts, and everything that an order or a profile selects.
    assert_eq!(readers, ["cluster/namespace.rs", "profile/resolve.rs", "provider/credentials.rs"]);
}
