//! One file of the configuration: its text, its tree, and the faults found in it.

use std::fs::File;
use std::io::Read;
use std::path::Path;

use crate::model::schema::nearest;

use super::fault::{ConfigFault, Spot};
use super::secret::Reference;
use super::yaml::{self, Malformed, Problem, Side, Step, Tree, Wrong};

/// The largest file that is read.
const LIMIT_BYTES: u64 = 1 << 20;
/// The longest line that a report shows whole.
const LINE_CHARS: usize = 160;
const HIDDEN: &str = "(hidden)";

/// A file and what is wrong with it so far.
pub(super) struct Source {
    name: String,
    text: String,
    tree: Tree,
    inline: Vec<String>,
    faults: Vec<ConfigFault>,
    /// The nodes that faults are about.
    spoiled: Vec<yaml::Path>,
}

impl Source {
    /// Reads and parses a file.
    pub(super) fn load(path: &Path, name: String, absent: &str) -> Result<Self, ConfigFault> {
        let text = slurp(path, absent).map_err(|(code, message)| whole(&name, code, message))?;
        let tree = Tree::parse(&text).map_err(|malformed| no_yaml(&name, &text, &malformed))?;
        let mut inline = Vec::new();
        collect_inline(&tree, false, &mut inline);
        Ok(Self { name, text, tree, inline, faults: Vec::new(), spoiled: Vec::new() })
    }

    /// Reads the file's value; keys that are wrong are left at their defaults and noted.
    pub(super) fn read<T: serde::de::DeserializeOwned + Default>(&mut self) -> T {
        let (value, wrongs) = yaml::read(&self.tree);
        for Wrong { path, side, problem } in wrongs {
            let (code, message) = describe(problem);
            self.push(&path, side, code, message);
        }
        value
    }

    /// Notes a fault of the value that `keys` lead to, or of the nearest key above it that is there.
    pub(super) fn fault(&mut self, keys: &[&str], code: &'static str, message: String) {
        match (1..=keys.len()).rev().find_map(|some| Some((some, self.tree.find(&keys[..some])?.0)))
        {
            Some((depth, path)) if depth == keys.len() => {
                self.push(&path, Side::Value, code, message);
            }
            Some((_, path)) => self.push(&path, Side::Key, code, message),
            None => self.whole(code, message),
        }
    }

    /// Notes a fault of the last of `keys` itself.
    pub(super) fn key_fault(&mut self, keys: &[&str], code: &'static str, message: String) {
        match self.tree.find(keys) {
            Some((path, _)) => self.push(&path, Side::Key, code, message),
            None => self.whole(code, message),
        }
    }

    /// Whether a fault was noted of what `keys` lead to, or of anything in it.
    pub(super) fn has_fault_in(&self, keys: &[&str]) -> bool {
        self.tree
            .find(keys)
            .is_some_and(|(path, _)| self.spoiled.iter().any(|spoiled| spoiled.starts_with(&path)))
    }

    /// Notes a fault of the file as a whole.
    pub(super) fn whole(&mut self, code: &'static str, message: String) {
        self.faults.push(whole(&self.name, code, message));
    }

    /// Every fault noted.
    pub(super) fn into_faults(self) -> Vec<ConfigFault> {
        self.faults
    }

    fn push(&mut self, path: &[Step], side: Side, code: &'static str, message: String) {
        let spot = yaml::locate(&self.text, path, side).map(|(line, column)| {
            let hide = side == Side::Value && self.is_secret(path);
            let text = excerpt(&self.text, line, hide.then_some(column));
            let text = self.inline.iter().fold(text, |text, secret| text.replace(secret, HIDDEN));
            Spot { line, column, text }
        });
        self.spoiled.push(path.to_vec());
        self.faults.push(ConfigFault { file: self.name.clone(), spot, code, message });
    }

    /// Whether a node stands where a secret belongs and is no reference.
    fn is_secret(&self, path: &[Step]) -> bool {
        let (mut node, mut below) = (&self.tree, false);
        for &step in path {
            let Some((key, child)) = node.child(step) else { return below };
            below |= key == Some("secrets");
            node = child;
        }
        below && !matches!(node, Tree::Text(text) if Reference::looks_like(text))
    }
}

/// A fault of a file as a whole.
pub(super) fn whole(name: &str, code: &'static str, message: String) -> ConfigFault {
    ConfigFault { file: name.to_owned(), spot: None, code, message }
}

fn slurp(path: &Path, absent: &str) -> Result<String, (&'static str, String)> {
    let bytes = match read_bounded(path, LIMIT_BYTES) {
        Ok(Some(bytes)) => bytes,
        Ok(None) => {
            let message =
                format!("the file has more than {LIMIT_BYTES} bytes; is this the right file?");
            return Err(("config::too_large", message));
        }
        Err(error) if error.kind() == std::io::ErrorKind::NotFound => {
            return Err(("config::missing_file", format!("there is no such file; {absent}")));
        }
        Err(error) => {
            let message = format!("the file cannot be read: {error}; mend its permissions");
            return Err(("config::unreadable", message));
        }
    };
    String::from_utf8(bytes).map_err(|_| {
        ("config::encoding", "the file is not UTF-8 text; save it as UTF-8".to_owned())
    })
}

/// Reads a file that has at most `limit` bytes; `None` when it has more.
pub(super) fn read_bounded(path: &Path, limit: u64) -> std::io::Result<Option<Vec<u8>>> {
    let mut bytes = Vec::new();
    File::open(path)?.take(limit + 1).read_to_end(&mut bytes)?;
    Ok((bytes.len() as u64 <= limit).then_some(bytes))
}

fn no_yaml(name: &str, text: &str, malformed: &Malformed) -> ConfigFault {
    let spot = malformed.at.map(|(line, column)| {
        let shown = excerpt(text, line, None);
        let text =
            if follows_secrets(text, line) { hide_value(&shown) } else { hide_by_key(&shown) };
        Spot { line, column, text }
    });
    let reason = &malformed.reason;
    let message = format!(
        "this is no YAML: {reason}; look at this line and the one before it: indent with spaces, write a space \
         after each colon, put text that holds `: `, `#` or a quote in quotes"
    );
    ConfigFault { file: name.to_owned(), spot, code: "config::yaml", message }
}

/// One line, cut where a secret begins.
fn excerpt(text: &str, line: usize, hide_from: Option<usize>) -> String {
    let line =
        text.lines().nth(line.saturating_sub(1)).unwrap_or_default().trim_start_matches('\u{feff}');
    let mut shown: String =
        line.chars().take(hide_from.map_or(LINE_CHARS, |column| column - 1)).collect();
    match hide_from {
        Some(_) => shown.push_str(HIDDEN),
        None if line.chars().count() > LINE_CHARS => shown.push('…'),
        None => {}
    }
    shown
}

/// Whether a line stands under a key `secrets`, as far as indentation tells.
fn follows_secrets(text: &str, line: usize) -> bool {
    let indent = |line: &str| line.len() - line.trim_start().len();
    let mut under = None;
    for line in text.lines().take(line).filter(|line| !line.trim().is_empty()) {
        under = under.filter(|&above| indent(line) > above);
        if line.contains("secrets") {
            under = Some(indent(line));
        }
    }
    under.is_some()
}

/// Hides the value of a key that sounds like a secret, for a text that has no tree to tell.
fn hide_by_key(line: &str) -> String {
    let lower = line.to_lowercase();
    if ["secret", "token", "password", "key"].iter().any(|word| lower.contains(word)) {
        return hide_value(line);
    }
    line.to_owned()
}

/// Hides all but a key, unless its value is a reference.
fn hide_value(line: &str) -> String {
    match line.split_once(':') {
        Some((_, value)) if value.trim().is_empty() || Reference::looks_like(value) => {
            line.to_owned()
        }
        Some((key, _)) => format!("{key}: {HIDDEN}"),
        None => HIDDEN.to_owned(),
    }
}

/// The texts that stand under `secrets` and are no references: a report hides them wherever they occur.
fn collect_inline(tree: &Tree, below: bool, found: &mut Vec<String>) {
    match tree {
        Tree::Text(text) if below && !text.trim().is_empty() && !Reference::looks_like(text) => {
            found.extend(text.lines().filter(|line| !line.trim().is_empty()).map(str::to_owned));
        }
        Tree::Int(number) if below => found.push(number.to_string()),
        Tree::List(items) => items.iter().for_each(|item| collect_inline(item, below, found)),
        Tree::Map(entries) => {
            for (key, value) in entries {
                collect_inline(value, below || key == "secrets", found);
            }
        }
        Tree::Null | Tree::Bool(_) | Tree::Int(_) | Tree::Float(_) | Tree::Text(_) => {}
    }
}

fn describe(problem: Problem) -> (&'static str, String) {
    match problem {
        Problem::UnknownKey { key, known } => {
            let advice = match nearest(&key, known.iter().copied()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("known keys: {}", known.join(", ")),
            };
            ("config::unknown_key", format!("there is no key `{key}` here; {advice}"))
        }
        Problem::UnknownWord { word, known } => (
            "config::value",
            format!("`{word}` is not known here; write one of: {}", known.join(", ")),
        ),
        Problem::MissingKey(key) => {
            ("config::missing_key", format!("the key `{key}` is missing; add it"))
        }
        Problem::SecondKey(key) => (
            "config::second_key",
            format!("the key `{key}` stands here a second time; remove one of the two"),
        ),
        Problem::Value(message) => ("config::value", message),
    }
}
