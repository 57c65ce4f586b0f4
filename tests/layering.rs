//! Who may import whom: the source, read as text, keeps to the table of layers.
//!
//! A new arrow is a change of `LAYERS` or `OWNERS`, in a commit of its own that says why.

use std::collections::BTreeSet;
use std::fs;
use std::path::{Path, PathBuf};

/// Each module of `src/`, and the modules it may name. Whatever may use everything is left out of the check.
const LAYERS: &[(&str, &[&str])] = &[
    ("model", &[]),
    ("port", &["model"]),
    ("config", &["model"]),
    // The core.
    ("sync", &["model", "port", "config"]),
    // Events lead to runs.
    ("inbox", &["model", "port", "config", "sync"]),
    // The adapters: never each other, never the core.
    ("host", &["model", "port", "config"]),
    ("mapping", &["model", "port", "config"]),
    ("state", &["model", "port", "config"]),
    ("archive", &["model", "port", "config"]),
    ("target", &["model", "port", "config"]),
    ("api", &["model", "port", "config", "sync", "inbox"]),
    ("reload", &["model", "port", "config", "host", "mapping"]),
    // Puts a component to the test: sets it up as `app` does, and judges its listings as `sync` does.
    ("kit", &["model", "port", "host", "sync"]),
];

/// Where everything meets.
const TOP: &[&str] = &["app", "cli", "main", "lib"];

/// Crates that stay in the places that own them.
const OWNERS: &[(&str, &[&str])] = &[
    ("wasmtime", &["src/host/"]),
    // Making a component of a compiled guest is a verb of the command, not the host's work.
    ("wit_component", &["src/host/", "src/cli/plugin_build.rs"]),
    ("rhai", &["src/mapping/"]),
    ("phonenumber", &["src/mapping/"]),
    // How Chinese characters are read.
    ("pinyin", &["src/mapping/"]),
    ("sled", &["src/state/"]),
    ("rusqlite", &["src/target/"]),
    // The only HTTP that rollcall sends is that of plugins, and the host sends it: the EHR is a file, written by `target`.
    ("reqwest", &["src/host/", "simulator/"]),
    ("rustls", &["src/host/"]),
    // Long connections: rollcall keeps them, the simulator is their other end.
    ("tokio_tungstenite", &["src/host/net/", "src/host/stream/", "simulator/"]),
    ("prost", &["src/host/stream/", "simulator/"]),
    ("axum", &["src/api/", "src/kit/canned/server.rs", "simulator/"]),
    ("serde_yaml", &["src/config/yaml/tree.rs", "src/mapping/yaml.rs", "src/kit/canned/yaml.rs"]),
    ("boon", &["src/kit/checks/target.rs"]),
    ("croner", &["src/config/"]),
    ("notify", &["src/reload/"]),
    ("arc_swap", &["src/reload/"]),
    ("clap", &["src/cli/", "simulator/"]),
    ("tower_lsp_server", &["src/cli/mapping/lsp/"]),
    ("indicatif", &["src/cli/"]),
    ("tracing_subscriber", &["src/cli/"]),
    ("simulator", &["src/cli/demo", "src/kit/simulated.rs", "simulator/"]),
];

/// What the core reaches only through `port`.
const OUTSIDE: &[&str] = &[
    "std::fs",
    "std::env",
    "std::net",
    "std::process",
    "std::time::SystemTime",
    "tokio::fs",
    "tokio::net",
];
const CORE: &[&str] = &["model", "port", "sync", "inbox"];

#[test]
fn every_module_has_its_layer() {
    let known: BTreeSet<&str> =
        LAYERS.iter().map(|(name, _)| *name).chain(TOP.iter().copied()).collect();
    let found: BTreeSet<String> = sources("src").iter().map(Source::module).collect();
    let unknown: Vec<_> = found.iter().filter(|name| !known.contains(name.as_str())).collect();
    assert!(
        unknown.is_empty(),
        "modules without a layer: {unknown:?}; give them a row in `LAYERS`"
    );
}

#[test]
fn modules_name_only_what_lies_below_them() {
    let faults: Vec<String> = sources("src").iter().flat_map(wrong_arrows).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn crates_stay_in_the_places_that_own_them() {
    let all = ["src", "simulator/src"].into_iter().flat_map(sources);
    let faults: Vec<String> = all.flat_map(|source| strays(&source)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

#[test]
fn the_core_reaches_the_outside_through_ports_alone() {
    let core = sources("src").into_iter().filter(|source| CORE.contains(&source.module().as_str()));
    let faults: Vec<String> = core.flat_map(|source| reaches(&source)).collect();
    assert!(faults.is_empty(), "{}", faults.join("\n"));
}

/// A file, and its code without comments and texts.
struct Source {
    path: String,
    code: String,
}

impl Source {
    fn new(path: &str, text: &str) -> Self {
        Self { path: path.to_owned(), code: code_of(text) }
    }

    /// The module of `src/` that it belongs to.
    fn module(&self) -> String {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.split(['/', '.']).next().unwrap_or_default().to_owned()
    }

    /// How many `super::` lead from the file's module to the root.
    fn depth(&self) -> usize {
        let inside = self.path.strip_prefix("src/").unwrap_or(&self.path);
        inside.trim_end_matches("/mod.rs").split('/').count()
    }
}

fn sources(folder: &str) -> Vec<Source> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let mut files = Vec::new();
    collect(&root.join(folder), &mut files);
    assert!(!files.is_empty(), "no source in `{folder}`");
    let read = |path: &PathBuf| {
        let name = path
            .strip_prefix(root)
            .expect("it was found below the root")
            .to_string_lossy()
            .replace('\\', "/");
        Source::new(&name, &fs::read_to_string(path).expect("source is readable text"))
    };
    files.iter().map(read).collect()
}

fn collect(folder: &Path, files: &mut Vec<PathBuf>) {
    for entry in fs::read_dir(folder).expect("source folders are readable") {
        let path = entry.expect("source folders are readable").path();
        if path.is_dir() {
            collect(&path, files);
        } else if path.extension().is_some_and(|end| end == "rs") {
            files.push(path);
        }
    }
}

fn wrong_arrows(source: &Source) -> Vec<String> {
    let module = source.module();
    let Some((_, allowed)) = LAYERS.iter().find(|(name, _)| *name == module) else {
        return Vec::new();
    };
    let mut named = after(&source.code, "crate::");
    named.extend(beyond_root(source));
    named
        .into_iter()
        .filter(|name| *name != module && !allowed.contains(&name.as_str()))
        .map(|name| format!("{}: `{module}` may not name `{name}`", source.path))
        .collect()
}

/// Modules reached by `super::super::..` up to the root.
fn beyond_root(source: &Source) -> BTreeSet<String> {
    let path = "super::".repeat(source.depth());
    let known = |name: &String| {
        LAYERS.iter().any(|(known, _)| known == name) || TOP.contains(&name.as_str())
    };
    after(&source.code, &path).into_iter().filter(known).collect()
}

fn strays(source: &Source) -> Vec<String> {
    OWNERS
        .iter()
        .filter(|(name, places)| {
            names(&source.code, name) && !places.iter().any(|place| source.path.starts_with(place))
        })
        .map(|(name, places)| format!("{}: `{name}` stays in {}", source.path, places.join(", ")))
        .collect()
}

fn reaches(source: &Source) -> Vec<String> {
    // Tests of the core may keep their files where they like.
    if source.path.contains("test") {
        return Vec::new();
    }
    let code = source.code.split("#[cfg(test)]").next().unwrap_or_default();
    let found = OUTSIDE.iter().filter(|path| !starts(code, path).is_empty());
    found
        .map(|path| format!("{}: the core reaches `{path}` only through a port", source.path))
        .collect()
}

/// The names that follow a path, also in braces: `crate::{a::b, c}` gives `a` and `c`.
fn after(code: &str, path: &str) -> BTreeSet<String> {
    let mut names = BTreeSet::new();
    for at in starts(code, path) {
        let rest = &code[at + path.len()..];
        match rest.strip_prefix('{') {
            Some(group) => names.extend(heads(group)),
            None => names.extend(identifier(rest)),
        }
    }
    names
}

/// The first names of the parts of a group, up to its closing brace.
fn heads(group: &str) -> Vec<String> {
    let (mut depth, mut heads, mut fresh) = (0_usize, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && !c.is_whitespace() => {
                heads.extend(identifier(&group[at..]));
                fresh = false;
            }
            _ => {}
        }
    }
    heads
}

fn identifier(text: &str) -> Option<String> {
    let name: String = text.chars().take_while(|c| c.is_alphanumeric() || *c == '_').collect();
    (!name.is_empty()).then_some(name)
}

/// Whether a crate is named: `name::..`, or `use name;`.
fn names(code: &str, name: &str) -> bool {
    starts(code, &format!("{name}::"))
        .iter()
        .any(|&at| !code[..at].ends_with("::") || code[..at].ends_with(" ::"))
        || code.contains(&format!("use {name};"))
        || code.contains(&format!("use {name} as"))
}

/// Where a path begins, and no longer name ends.
fn starts(code: &str, path: &str) -> Vec<usize> {
    let whole = |at: &usize| !code[..*at].ends_with(|c: char| c.is_alphanumeric() || c == '_');
    code.match_indices(path).map(|(at, _)| at).filter(whole).collect()
}

/// The text without comments and without the content of string and character literals.
fn code_of(text: &str) -> String {
    let (mut code, mut rest) = (String::new(), text);
    while let Some(c) = rest.chars().next() {
        let skip = match c {
            '/' if rest.starts_with("//") => rest.find('\n').unwrap_or(rest.len()),
            '/' if rest.starts_with("/*") => comment(rest),
            '"' => string(rest),
            'r' | 'b' if !code.ends_with(|c: char| c.is_alphanumeric() || c == '_') => {
                raw_string(rest)
            }
            '\'' => character(rest),
            _ => 0,
        };
        if skip == 0 {
            code.push(c);
        }
        rest = &rest[if skip == 0 { c.len_utf8() } else { skip }..];
    }
    code
}

fn comment(text: &str) -> usize {
    let mut depth = 0_usize;
    let mut at = 0;
    while at < text.len() {
        if text[at..].starts_with("/*") {
            depth += 1;
            at += 2;
        } else if text[at..].starts_with("*/") {
            depth -= 1;
            at += 2;
            if depth == 0 {
                return at;
            }
        } else {
            at += text[at..].chars().next().map_or(1, char::len_utf8);
        }
    }
    text.len()
}

fn string(text: &str) -> usize {
    let mut escaped = false;
    for (at, c) in text.char_indices().skip(1) {
        match c {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return at + 1,
            _ => {}
        }
    }
    text.len()
}

fn raw_string(text: &str) -> usize {
    let prefix = text.len() - text.trim_start_matches(['b', 'r']).len();
    let hashes = text[prefix..].len() - text[prefix..].trim_start_matches('#').len();
    let open = prefix + hashes;
    if !text[open..].starts_with('"') || !text[..prefix].contains('r') {
        return 0;
    }
    let close = format!("\"{}", "#".repeat(hashes));
    text[open + 1..].find(&close).map_or(text.len(), |at| open + 1 + at + close.len())
}

/// A character literal; a lifetime is none.
fn character(text: &str) -> usize {
    let mut chars = text.char_indices().skip(1);
    match chars.next() {
        Some((_, '\\')) => text[3..].find('\'').map_or(0, |at| at + 4),
        Some((_, _)) => chars.next().filter(|(_, c)| *c == '\'').map_or(0, |(at, _)| at + 1),
        None => 0,
    }
}

mod the_check_itself {
    use super::*;

    fn arrows(path: &str, text: &str) -> Vec<String> {
        wrong_arrows(&Source::new(path, text))
    }

    #[test]
    fn finds_a_forbidden_arrow_however_it_is_written() {
        let found = ["src/host/a.rs: `host` may not name `sync`"];
        assert_eq!(arrows("src/host/a.rs", "use crate::sync::Syncer;"), found);
        assert_eq!(arrows("src/host/a.rs", "fn f() { crate::sync::run() }"), found);
        assert_eq!(arrows("src/host/a.rs", "use crate::{model::ids, sync::{plan, run}};"), found);
        assert_eq!(arrows("src/host/a.rs", "use super::super::sync::run;"), found);
        assert_eq!(arrows("src/host/mod.rs", "use super::sync::run;").len(), 1);
    }

    #[test]
    fn lets_allowed_arrows_pass() {
        assert!(arrows("src/host/a.rs", "use crate::{model::{ids, hash}, port};").is_empty());
        assert!(
            arrows(
                "src/host/a.rs",
                "use crate::host::b; use super::c; mod t { use super::super::d; }"
            )
            .is_empty()
        );
        assert!(
            arrows("src/app/mod.rs", "use crate::sync::run; use crate::host::load;").is_empty()
        );
    }

    #[test]
    fn reads_code_and_neither_comments_nor_texts() {
        let text = "// crate::sync\n/* crate::sync /* */ crate::sync */ let s = \"crate::sync \\\" crate::sync\";\n\
            let r = r#\"crate::sync \"\"#; let c = '\"'; let l: &'a str = b\"crate::sync\"; let q = '\\'';";
        assert!(arrows("src/host/a.rs", text).is_empty(), "{}", code_of(text));
        assert_eq!(arrows("src/host/a.rs", &(text.to_owned() + "crate::sync::x")).len(), 1);
    }

    #[test]
    fn finds_a_stray_crate() {
        let stray = |path, text| strays(&Source::new(path, text)).len();
        assert_eq!(stray("src/sync/a.rs", "use rhai::Engine;"), 1);
        assert_eq!(stray("src/sync/a.rs", "fn f(db: sled::Db) {}"), 1);
        assert_eq!(stray("src/state/a.rs", "fn f(db: sled::Db) {}"), 0);
        assert_eq!(
            stray("src/sync/a.rs", "use crate::state::sled::x; use unsled::y; // sled::Db"),
            0
        );
    }

    #[test]
    fn finds_a_core_that_reads_files() {
        let reach = |text| reaches(&Source::new("src/sync/a.rs", text)).len();
        assert_eq!(reach("fn f() { std::fs::read(p) }"), 1);
        assert_eq!(reach("#[cfg(test)] mod tests { use std::fs; }"), 0);
    }
}
