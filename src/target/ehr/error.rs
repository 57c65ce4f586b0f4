//! `SQLite`'s errors in the target's terms.
//!
//! The invariant: a message names files, tables and columns, never a value; people's data stays out of logs.

use std::path::Path;

use rusqlite::{Error, ErrorCode};

use crate::port::target::{Refusal, TargetError};

/// What became of a failed statement: the change is refused, or the whole call failed.
pub(super) enum Verdict {
    Refused(Refusal),
    Failed(Error),
}

/// A refusal with its code.
pub(super) fn refusal(code: &str, message: impl Into<String>) -> Refusal {
    Refusal { code: code.to_owned(), message: message.into() }
}

/// Tells a change that the tables do not accept from a database that does not work.
pub(super) fn judge(error: Error) -> Verdict {
    match error.sqlite_error_code() {
        Some(ErrorCode::ConstraintViolation) => {
            let message = format!(
                "the table does not accept the record: {}; mend the mapping of that field",
                told(&error)
            );
            Verdict::Refused(refusal("target::constraint", message))
        }
        Some(ErrorCode::TypeMismatch | ErrorCode::TooBig) => {
            let message = format!(
                "a field has the wrong type or is too large: {}; mend its mapping",
                told(&error)
            );
            Verdict::Refused(refusal("target::type", message))
        }
        Some(_) | None => Verdict::Failed(error),
    }
}

/// What `SQLite` says; of a constraint it names table and column, not the value.
fn told(error: &Error) -> String {
    match error {
        Error::SqliteFailure(_, Some(text)) => text.clone(),
        other => other.to_string(),
    }
}

/// The error of a call on the file at `path`.
pub(super) fn failed(path: &Path, error: &Error) -> TargetError {
    let file = path.display();
    let unusable = |what: &str| TargetError::Unusable(format!("`{file}` {what}"));
    match error.sqlite_error_code() {
        Some(
            ErrorCode::DatabaseBusy
            | ErrorCode::DatabaseLocked
            | ErrorCode::FileLockingProtocolFailed,
        ) => TargetError::Unavailable(format!(
            "`{file}` is locked by another program that writes to it; close that program or let it finish"
        )),
        Some(ErrorCode::DiskFull) => {
            unusable("cannot grow: the disk is full; free space and run again")
        }
        Some(ErrorCode::ReadOnly | ErrorCode::PermissionDenied) => {
            unusable("is read-only; allow writing to the file and its folder")
        }
        Some(ErrorCode::CannotOpen) => {
            unusable("cannot be opened; check that its folder exists and may be written")
        }
        Some(ErrorCode::NotADatabase) => {
            unusable("is no SQLite database; move it away or name another file")
        }
        Some(ErrorCode::DatabaseCorrupt) => {
            unusable("is damaged; restore a backup, or move it away and sync again")
        }
        Some(ErrorCode::SystemIoFailure) => {
            unusable(&format!("cannot be read or written: {}; check the disk", told(error)))
        }
        Some(_) | None => unusable(&format!("failed: {}", told(error))),
    }
}
