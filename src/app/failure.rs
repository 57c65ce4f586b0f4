//! What keeps the process from doing what it was asked to, said for people.

use std::fmt;

use miette::{Diagnostic, GraphicalReportHandler, GraphicalTheme};

/// A message and what to do about it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Failure {
    /// What happened, to what.
    pub message: String,
    /// What to do.
    pub hint: Option<String>,
}

impl Failure {
    /// A failure without a hint: its message says what to do.
    pub fn new(message: String) -> Self {
        Self { message, hint: None }
    }

    /// An error with its causes.
    pub fn of(cause: &dyn std::error::Error) -> Self {
        let mut message = cause.to_string();
        let mut source = cause.source();
        while let Some(inner) = source {
            let text = inner.to_string();
            if !message.contains(&text) {
                message = format!("{message}: {text}");
            }
            source = inner.source();
        }
        Self::new(message)
    }

    /// Every fault of a set of files, each with its line.
    pub fn reports<D: Diagnostic>(faults: &[D]) -> Self {
        let handler = GraphicalReportHandler::new_themed(GraphicalTheme::unicode_nocolor());
        let mut message = String::new();
        for fault in faults {
            // Writing to a text cannot fail.
            handler.render_report(&mut message, fault).ok();
        }
        Self::new(message.trim().to_owned())
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl fmt::Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.message)?;
        match &self.hint {
            Some(hint) => write!(f, "\nhint: {hint}"),
            None => Ok(()),
        }
    }
}

impl std::error::Error for Failure {}
