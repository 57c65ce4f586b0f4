//! What went wrong below the store, in the few ways that callers can tell apart.

use std::io;
use std::path::Path;

use crate::port::store::StoreError;

/// Why the files could not be read or written. Kept by a failed store, so that every later call can say it again.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) enum Failure {
    /// Another handle holds the files.
    Locked,
    /// The disk is full, read-only or failing.
    Disk(String),
    /// The files do not hold what they should.
    Damaged(String),
    /// sled panicked over what the files hold.
    Panicked,
    /// The files have a format of the future.
    Newer { found: u32, known: u32 },
}

impl Failure {
    /// The error that callers see.
    pub(super) fn at(&self, folder: &Path) -> StoreError {
        let folder = folder.display().to_string();
        match self {
            Self::Locked => StoreError::Locked { folder },
            Self::Disk(reason) => StoreError::Disk { folder, reason: reason.clone() },
            Self::Damaged(reason) => StoreError::Damaged { folder, reason: reason.clone() },
            Self::Panicked => {
                StoreError::Damaged { folder, reason: "its pages contradict each other".to_owned() }
            }
            Self::Newer { found, known } => {
                StoreError::Newer { folder, found: *found, known: *known }
            }
        }
    }
}

impl From<io::Error> for Failure {
    fn from(error: io::Error) -> Self {
        match error.kind() {
            io::ErrorKind::UnexpectedEof | io::ErrorKind::InvalidData => {
                Self::Damaged("a file ends too early or holds something else".to_owned())
            }
            io::ErrorKind::NotFound => Self::Damaged("a file is missing".to_owned()),
            io::ErrorKind::Other => Self::Disk(error.to_string()),
            kind => Self::Disk(kind.to_string()),
        }
    }
}

impl From<sled::Error> for Failure {
    fn from(error: sled::Error) -> Self {
        match error {
            // sled has no kind of its own for a file that another handle locks.
            sled::Error::Io(error) if error.to_string().contains("could not acquire lock") => {
                Self::Locked
            }
            sled::Error::Io(error) => error.into(),
            sled::Error::Corruption { .. } => Self::Damaged("a checksum does not match".to_owned()),
            sled::Error::CollectionNotFound(_) => Self::Damaged("a tree is missing".to_owned()),
            sled::Error::Unsupported(reason) | sled::Error::ReportableBug(reason) => {
                Self::Damaged(reason)
            }
        }
    }
}
