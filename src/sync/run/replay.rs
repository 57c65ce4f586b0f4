//! The course of a replay: what is kept is mapped, matched and judged again and compared with what the EHR says that it holds.
//! The platform is not called.
//!
//! The invariant: what is read from the archive never becomes the newest version of a record, so the next run that maps what is
//! kept brings the EHR back to now.

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::port::archive::{Reach, Shelf};
use crate::sync::SyncError;
use crate::sync::ledger::{KindMeta, Ledger};
use crate::sync::past::Past;
use crate::sync::phase::Source;

use super::{Run, Syncer, blocking};

/// What is replayed. Times are Unix milliseconds.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Span {
    /// What has changed, come or gone since: for an EHR that lost its last writes.
    Since(i64),
    /// Everything, as it was: what the platform showed then is written by the mappings of today.
    AsOf(i64),
}

/// A replay's orders.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Replay {
    /// What is replayed.
    pub span: Span,
    /// Plan only.
    pub dry: bool,
}

/// Why a time cannot be replayed.
#[derive(Debug, thiserror::Error)]
pub enum ReplayError {
    /// Versions are missing.
    #[error(
        "what was replaced before {0} is no longer in the archive; name a later time, and keep more with `archive` in rollcall.yaml"
    )]
    Forgotten(jiff::Timestamp),
    /// No version is there.
    #[error(
        "nothing of what was replaced is in an archive here, so only the newest version of a record is known; `--since` \
         replays that"
    )]
    NoArchive,
    /// rollcall was not there.
    #[error(
        "the first {entity} was read at {first}: nothing is known of the time before; name a later one"
    )]
    TooEarly {
        /// The kind.
        entity: Entity,
        /// When its first record was read.
        first: jiff::Timestamp,
    },
    /// The time is still to come.
    #[error("{0} is still to come; name a time that has passed")]
    Future(jiff::Timestamp),
}

impl Syncer {
    /// Sees to it that a time can be replayed, before a run begins.
    pub(super) async fn check_replay(&self, span: Span, ledger: &Ledger) -> Result<(), SyncError> {
        let (Span::Since(ms) | Span::AsOf(ms)) = span;
        if ms > self.clock.now_ms() {
            return Err(ReplayError::Future(time(ms)).into());
        }
        let Span::AsOf(ms) = span else { return Ok(()) };
        for entity in Entity::ALL {
            match self.reach(entity, ledger).await? {
                Reach::Nothing => return Err(ReplayError::NoArchive.into()),
                Reach::Since(reach) if reach > ms => {
                    return Err(ReplayError::Forgotten(time(reach)).into());
                }
                Reach::Since(_) | Reach::All => {}
            }
        }
        let ledger = ledger.clone();
        blocking(move || {
            for entity in [Entity::Department, Entity::Employee] {
                if let Some(first) = ledger.births(entity)?.first().filter(|first| *first > ms) {
                    return Err(ReplayError::TooEarly { entity, first: time(first) }.into());
                }
            }
            Ok(())
        })
        .await
    }

    /// How far back the replaced versions of a kind go.
    async fn reach(&self, entity: Entity, ledger: &Ledger) -> Result<Reach, SyncError> {
        let (archive, ledger) = (self.archive.clone(), ledger.clone());
        let (tenant, connection) = (self.tenant.clone(), self.connection.clone());
        blocking(move || {
            let reach = archive.reach(&tenant, &connection)?;
            let place = Shelf { tenant, connection, entity };
            // Somebody may have moved or emptied the folder.
            let emptied =
                reach == Reach::All && ledger.was_archived(entity)? && archive.is_empty(&place)?;
            Ok(if emptied { Reach::Nothing } else { reach })
        })
        .await
    }
}

impl Run<'_> {
    /// Walks through every kind that is mapped, departments first.
    pub(super) async fn replay(&mut self, span: Span) -> Result<(), SyncError> {
        for entity in Entity::ALL {
            let Some(digest) = self.digest_of(entity) else { continue };
            let past = self.past(entity, span, digest).await?;
            let meta = self.ledger.meta(entity)?;
            if matches!(past, Past::AsOf(_)) && !self.request.mode.is_dry() {
                // What is written is of then: the next run maps everything as it is now, also when this one is killed.
                let meta = KindMeta { digest: None, ..meta.clone() };
                self.ledger.write_index(vec![self.ledger.put_meta(entity, &meta)])?;
            }
            if meta.slots > 0 {
                self.phase(entity, Source::Kept(past), false).await?;
            }
            if past == Past::All {
                self.digests.insert(entity, digest);
            }
        }
        match span {
            Span::Since(_) => self.relink().await,
            Span::AsOf(_) => Ok(()),
        }
    }

    /// What of a kind is gone over. Everything, where it is not known what has changed, or an edited mapping or an EHR that
    /// has lost everything calls for that anyway.
    async fn past(
        &mut self,
        entity: Entity,
        span: Span,
        digest: ContentHash,
    ) -> Result<Past, SyncError> {
        let lost = self.rebuild(entity).await?;
        let ms = match span {
            Span::AsOf(ms) => return Ok(Past::AsOf(ms)),
            Span::Since(ms) => ms,
        };
        let gaps = match self.syncer.reach(entity, &self.ledger).await? {
            Reach::All => false,
            Reach::Since(reach) => reach > ms,
            Reach::Nothing => true,
        };
        let edited = self.ledger.meta(entity)?.digest != Some(digest);
        let all = lost || edited || gaps;
        // A run that began at that very moment counts.
        Ok(if all { Past::All } else { Past::Since(ms.saturating_sub(1)) })
    }
}

fn time(ms: i64) -> jiff::Timestamp {
    jiff::Timestamp::from_millisecond(ms).unwrap_or_default()
}
