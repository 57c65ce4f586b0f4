//! What is wrong with a mapping file, said with the line, a label, how much it matters and a next step.
//!
//! Not here: what is wrong with one record; see `explain`. The invariant: a code, once released, keeps its meaning.

use std::fmt;

use miette::{Diagnostic, LabeledSpan, NamedSource, SourceCode, SourceSpan};
use serde::{Deserialize, Serialize};

use crate::port::mapper::Place;

/// How much a fault matters.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Severity {
    /// Keeps the mappings out of force.
    Error,
    /// Most likely a mistake; the mappings come into force all the same.
    Warning,
    /// Good to know.
    Note,
}

/// One fault of a script, a table file or a case.
#[derive(Clone, Debug)]
pub struct Fault {
    code: &'static str,
    severity: Severity,
    message: String,
    label: String,
    help: Option<String>,
    source: NamedSource<String>,
    span: Option<SourceSpan>,
    place: Place,
}

/// A file of a mapping: its name and its text.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Source {
    /// Relative to the mappings folder.
    pub name: String,
    /// The text.
    pub text: String,
}

impl Source {
    /// The place of a line and a column, both from 1.
    pub(crate) fn place(&self, line: usize, column: usize) -> Place {
        let text = self.text.lines().nth(line.saturating_sub(1)).unwrap_or_default();
        Place { script: self.name.clone(), line, column, text: text.to_owned() }
    }

    /// The byte at which a line and a column (in characters) start.
    pub(crate) fn offset(&self, line: usize, column: usize) -> usize {
        let start: usize =
            self.text.split_inclusive('\n').take(line.saturating_sub(1)).map(str::len).sum();
        let rest = self.text.get(start..).unwrap_or_default();
        let within =
            rest.char_indices().nth(column.saturating_sub(1)).map_or(rest.len(), |(at, _)| at);
        start + within
    }

    /// How many bytes the word at an offset has, at least one if there is any text left.
    fn word(&self, offset: usize) -> usize {
        let rest = self.text.get(offset..).unwrap_or_default();
        let word: usize = rest
            .chars()
            .take_while(|letter| letter.is_alphanumeric() || *letter == '_')
            .map(char::len_utf8)
            .sum();
        word.max(rest.chars().next().map_or(0, char::len_utf8))
    }
}

/// The line and the column of a byte of a text, both from 1, in characters.
pub(crate) fn position(text: &str, offset: usize) -> (usize, usize) {
    let before = text.get(..offset).unwrap_or(text);
    let line = before.matches('\n').count() + 1;
    let column = before.chars().rev().take_while(|letter| *letter != '\n').count() + 1;
    (line, column)
}

impl Fault {
    /// A fault at a line and a column of a file.
    pub(crate) fn at(
        source: &Source,
        (line, column): (usize, usize),
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        let offset = source.offset(line, column);
        Self {
            code,
            severity: Severity::Error,
            message: message.into(),
            label: "here".to_owned(),
            help: None,
            source: NamedSource::new(&source.name, source.text.clone()),
            span: Some((offset, source.word(offset)).into()),
            place: source.place(line, column),
        }
    }

    /// A fault of a file as a whole, or at a byte of it.
    pub(crate) fn of(
        source: &Source,
        offset: Option<usize>,
        code: &'static str,
        message: impl Into<String>,
    ) -> Self {
        match offset {
            Some(offset) => Self::at(source, position(&source.text, offset), code, message),
            None => Self { span: None, ..Self::at(source, (1, 1), code, message) },
        }
    }

    /// Says what to do.
    #[must_use]
    pub(crate) fn help(mut self, help: impl Into<String>) -> Self {
        self.help = Some(help.into());
        self
    }

    /// Says what stands at the place.
    #[must_use]
    pub(crate) fn label(mut self, label: impl Into<String>) -> Self {
        self.label = label.into();
        self
    }

    /// Says how much it matters.
    #[must_use]
    pub(crate) fn severe(mut self, severity: Severity) -> Self {
        self.severity = severity;
        self
    }

    /// How much it matters.
    pub fn severity(&self) -> Severity {
        self.severity
    }

    /// What stands at the place, in a few words.
    pub fn marker(&self) -> &str {
        &self.label
    }

    /// How many characters of the line are marked; none when the file as a whole is meant.
    pub fn width(&self) -> usize {
        let Some(span) = self.span else { return 0 };
        let text = self.source.inner().get(span.offset()..span.offset() + span.len());
        text.map_or(0, |text| text.chars().count())
    }

    /// The stable code, such as `mapping::unknown_field`.
    pub fn code(&self) -> &'static str {
        self.code
    }

    /// Where: file, line, column and the line's text.
    pub fn place(&self) -> &Place {
        &self.place
    }

    /// What to do about it, if it can be said.
    pub fn advice(&self) -> Option<&str> {
        self.help.as_deref()
    }
}

impl fmt::Display for Fault {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)
    }
}

impl std::error::Error for Fault {}

impl Diagnostic for Fault {
    fn code<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        Some(Box::new(self.code))
    }

    fn severity(&self) -> Option<miette::Severity> {
        Some(match self.severity {
            Severity::Error => miette::Severity::Error,
            Severity::Warning => miette::Severity::Warning,
            Severity::Note => miette::Severity::Advice,
        })
    }

    fn help<'a>(&'a self) -> Option<Box<dyn fmt::Display + 'a>> {
        self.help.as_ref().map(|help| Box::new(help) as Box<dyn fmt::Display>)
    }

    fn source_code(&self) -> Option<&dyn SourceCode> {
        self.span.is_some().then_some(&self.source as &dyn SourceCode)
    }

    fn labels(&self) -> Option<Box<dyn Iterator<Item = LabeledSpan> + '_>> {
        let span = self.span?;
        let label = LabeledSpan::new_primary_with_span(Some(self.label.clone()), span);
        Some(Box::new(std::iter::once(label)))
    }
}

impl Serialize for Fault {
    fn serialize<S: serde::Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        #[derive(Serialize)]
        struct Shown<'a> {
            code: &'a str,
            severity: Severity,
            message: &'a str,
            #[serde(skip_serializing_if = "Option::is_none")]
            help: Option<&'a str>,
            place: &'a Place,
        }
        Shown {
            code: self.code,
            severity: self.severity,
            message: &self.message,
            help: self.help.as_deref(),
            place: &self.place,
        }
        .serialize(serializer)
    }
}
