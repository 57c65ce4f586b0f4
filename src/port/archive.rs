//! Where versions of raw records go that were replaced.

use std::ops::ControlFlow;

use bytes::Bytes;
use serde::{Deserialize, Serialize};

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, RunId, SourceId, TenantId};

/// Why the archive failed.
#[derive(Debug, thiserror::Error)]
#[error(
    "the archive `{path}` cannot be {verb}: {reason}; free space or mend its permissions, then run again: nothing is lost"
)]
pub struct ArchiveError {
    /// The file or folder.
    pub path: String,
    /// `read` or `written`.
    pub verb: &'static str,
    /// What the system says.
    pub reason: String,
}

/// Whose versions: one kind of record of one connection.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Shelf {
    /// The customer.
    pub tenant: TenantId,
    /// The connection.
    pub connection: ConnectionId,
    /// The kind of record.
    pub entity: Entity,
}

/// One version of a record, as it was until a run saw another one.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Version {
    /// The provider's own id.
    pub id: SourceId,
    /// The run that last decided about this version.
    pub run: RunId,
    /// The run that saw the next one.
    pub until_run: RunId,
    /// When that run began, in Unix milliseconds.
    pub until_ms: i64,
    /// Whether the record had ended: a listing no longer showed it.
    pub ended: bool,
    /// The digest of the mapping it was last mapped by.
    pub mapping: Option<ContentHash>,
    /// The payload, as the platform sent it.
    pub raw: Bytes,
}

/// How long versions are kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct Retention {
    /// Days after the next version was seen.
    pub days: u32,
    /// Bytes of a connection; the oldest go first.
    pub bytes: u64,
}

/// How far back an archive has every version that was replaced.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Reach {
    /// Nothing was ever removed.
    All,
    /// What was replaced after this Unix millisecond is there.
    Since(i64),
    /// Nothing that was replaced is there, or not known what.
    Nothing,
}

/// An append-only archive. Blocking: callers are on blocking threads.
pub trait Archive: Send + Sync {
    /// Adds versions that a run replaces. After a crash of the process all of them are there or a whole number of the first ones.
    ///
    /// # Errors
    /// [`ArchiveError`] when they cannot be written.
    fn append(&self, shelf: &Shelf, run: RunId, versions: &[Version]) -> Result<(), ArchiveError>;

    /// Returns once everything appended before is on disk.
    ///
    /// # Errors
    /// [`ArchiveError`] when that failed.
    fn flush(&self) -> Result<(), ArchiveError>;

    /// Every version, of one record where `id` is given, in the order in which they were replaced. A version that was
    /// archived twice, because a run was killed and repeated, is shown once.
    ///
    /// # Errors
    /// [`ArchiveError`] when a segment cannot be read.
    fn versions(&self, shelf: &Shelf, id: Option<&SourceId>) -> Result<Vec<Version>, ArchiveError>;

    /// Passes on every version that was replaced after `ms` (Unix milliseconds), in the order in which they were replaced,
    /// until `take` breaks off. One that was archived twice comes twice.
    ///
    /// # Errors
    /// [`ArchiveError`] when a segment cannot be read.
    fn since(
        &self,
        shelf: &Shelf,
        ms: i64,
        take: &mut dyn FnMut(Version) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError>;

    /// How far back a connection's versions go, as far as the archive itself has removed some.
    ///
    /// # Errors
    /// [`ArchiveError`] when that cannot be read.
    fn reach(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Reach, ArchiveError>;

    /// Whether no version of a kind is there at all.
    ///
    /// # Errors
    /// [`ArchiveError`] when that cannot be read.
    fn is_empty(&self, shelf: &Shelf) -> Result<bool, ArchiveError>;

    /// Removes what is older than its retention at `now_ms`; tells how many segments went. May be called after every run: it
    /// looks at a connection's segments once an hour.
    ///
    /// # Errors
    /// [`ArchiveError`] when a segment cannot be removed.
    fn prune(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        now_ms: i64,
    ) -> Result<usize, ArchiveError>;
}

/// Keeps nothing: for whoever embeds rollcall without a folder.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoArchive;

impl Archive for NoArchive {
    fn append(&self, _: &Shelf, _: RunId, _: &[Version]) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn flush(&self) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn versions(&self, _: &Shelf, _: Option<&SourceId>) -> Result<Vec<Version>, ArchiveError> {
        Ok(Vec::new())
    }

    fn since(
        &self,
        _: &Shelf,
        _: i64,
        _: &mut dyn FnMut(Version) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        Ok(())
    }

    fn reach(&self, _: &TenantId, _: &ConnectionId) -> Result<Reach, ArchiveError> {
        Ok(Reach::Nothing)
    }

    fn is_empty(&self, _: &Shelf) -> Result<bool, ArchiveError> {
        Ok(true)
    }

    fn prune(&self, _: &TenantId, _: &ConnectionId, _: i64) -> Result<usize, ArchiveError> {
        Ok(0)
    }
}
