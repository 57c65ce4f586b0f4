//! Results on stdout: lines for people, JSON for programs.

use std::fmt::Display;
use std::io::Write as _;

use clap::ValueEnum;
use serde::Serialize;

/// How results are printed.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub enum Format {
    /// For people.
    Text,
    /// One JSON value.
    Json,
}

impl Format {
    /// Prints one JSON value, whatever the format.
    pub fn value(self, value: &impl Serialize) {
        let text = match self {
            Self::Text => serde_json::to_string_pretty(value),
            Self::Json => serde_json::to_string(value),
        };
        line(text.unwrap_or_default());
    }

    /// Prints a value: as JSON, or the lines that `text` makes of it.
    pub fn show<T: Serialize>(self, value: &T, text: impl FnOnce(&T) -> String) {
        match self {
            Self::Json => self.value(value),
            Self::Text => line(text(value).trim_end()),
        }
    }
}

/// Prints one line to stdout. A reader that went away is no error.
pub(super) fn line(text: impl Display) {
    writeln!(std::io::stdout().lock(), "{text}").ok();
}
