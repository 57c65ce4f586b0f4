//! How a verb ends: its exit code, and its error as `error:` and `hint:`.

use std::fmt::Display;
use std::process::ExitCode;

use super::format::Format;

/// How a verb ended well.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Outcome {
    /// Everything was done.
    Done,
    /// Something was found that the user should mend.
    Findings,
    /// Some records or parts were left out; what was done stands.
    Partly,
}

/// How a verb failed.
#[derive(Debug, thiserror::Error)]
#[error("{message}")]
pub struct Failure {
    message: String,
    hint: Option<String>,
    bug: bool,
}

impl Failure {
    /// Something the user can mend.
    pub fn user(message: impl Display) -> Self {
        Self { message: message.to_string(), hint: None, bug: false }
    }

    /// Something that is our fault.
    pub fn bug(message: impl Display) -> Self {
        let hint =
            "this is a bug in rollcall: please report it with the command you ran".to_owned();
        Self { message: message.to_string(), hint: Some(hint), bug: true }
    }

    /// Adds what to do about it.
    #[must_use]
    pub fn hint(self, hint: impl Display) -> Self {
        Self { hint: Some(hint.to_string()), ..self }
    }
}

impl Failure {
    /// An error the user can mend, with its causes.
    pub fn from_error(cause: &dyn std::error::Error) -> Self {
        crate::app::Failure::of(cause).into()
    }
}

impl From<crate::app::Failure> for Failure {
    fn from(failure: crate::app::Failure) -> Self {
        Self { message: failure.message, hint: failure.hint, bug: false }
    }
}

pub(super) fn code(outcome: Result<Outcome, Failure>, format: Format) -> ExitCode {
    match outcome {
        Ok(Outcome::Done) => ExitCode::SUCCESS,
        Ok(Outcome::Findings) => ExitCode::from(1),
        Ok(Outcome::Partly) => ExitCode::from(3),
        Err(failure) => {
            if format == Format::Json {
                let Failure { message, hint, .. } = &failure;
                format.value(&serde_json::json!({"error": message, "hint": hint}));
            }
            eprintln!("error: {}", failure.message);
            if let Some(hint) = &failure.hint {
                eprintln!("hint: {hint}");
            }
            ExitCode::from(if failure.bug { 70 } else { 1 })
        }
    }
}
