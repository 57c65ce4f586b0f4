//! What is wrong with the configuration: every fault of every file, in one report.
//!
//! A fault never shows a value that stands where a secret belongs.

use std::fmt;
use std::path::PathBuf;

/// One thing that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct ConfigFault {
    /// The file, relative to the folder of the main file.
    pub file: String,
    /// Where in it, if a line is to blame.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub spot: Option<Spot>,
    /// A stable code, such as `config::unknown_key`.
    pub code: &'static str,
    /// What is wrong, and what to do.
    pub message: String,
}

/// A place in a file.
#[derive(Clone, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize)]
pub struct Spot {
    /// Line, from 1.
    pub line: usize,
    /// Column in characters, from 1.
    pub column: usize,
    /// The line, with `(hidden)` in place of what may be a secret.
    pub text: String,
}

/// Every fault found, in the order of files and lines; never empty.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct ConfigFaults {
    file: PathBuf,
    faults: Vec<ConfigFault>,
}

impl ConfigFaults {
    pub(super) fn new(file: PathBuf, mut faults: Vec<ConfigFault>) -> Self {
        faults.sort();
        faults.dedup();
        Self { file, faults }
    }

    /// The faults.
    pub fn faults(&self) -> &[ConfigFault] {
        &self.faults
    }
}

impl fmt::Display for ConfigFaults {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let (file, count) = (self.file.display(), self.faults.len());
        let noun = if count == 1 { "fault" } else { "faults" };
        write!(
            f,
            "the configuration `{file}` has {count} {noun}; mend what is listed and try again"
        )?;
        self.faults.iter().try_for_each(|fault| write!(f, "\n\n{fault}"))
    }
}

impl std::error::Error for ConfigFaults {}

impl fmt::Display for ConfigFault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { file, spot, code, message } = self;
        let Some(Spot { line, column, text }) = spot else {
            return write!(f, "{file}: {message} [{code}]");
        };
        let gutter = line.to_string();
        let blank = " ".repeat(gutter.len());
        let pad: String = text.chars().take(column.saturating_sub(1)).map(width).collect();
        writeln!(f, "{file}:{line}:{column}: {message} [{code}]")?;
        writeln!(f, "  {gutter} | {text}")?;
        write!(f, "  {blank} | {pad}^")
    }
}

/// A space as wide as a character, so that the caret stands under its column in Chinese text too.
fn width(c: char) -> char {
    match c {
        '\t' => '\t',
        '\u{1100}'..='\u{115f}'
        | '\u{2e80}'..='\u{a4cf}'
        | '\u{ac00}'..='\u{d7a3}'
        | '\u{f900}'..='\u{faff}'
        | '\u{fe30}'..='\u{fe4f}'
        | '\u{ff00}'..='\u{ff60}'
        | '\u{20000}'..='\u{3fffd}' => '\u{3000}',
        _ => ' ',
    }
}
