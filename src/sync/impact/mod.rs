//! What an edit of a mapping would do to everybody: every stored raw record mapped by both generations, compared field by
//! field. The platform is not called, nothing is written.
//!
//! Not for: what the target holds; a plan tells that. Records stream through in frames and only groups are kept, so memory
//! does not grow with the number of people. The invariant: a group holds counts, ids and the words of closed lists; a
//! person's values are shown in the drill-down alone ([`person`]).

mod compare;
pub mod hold;
mod tally;

use std::sync::mpsc::{Receiver, sync_channel};
use std::sync::{Mutex, PoisonError};

use serde::{Deserialize, Serialize};

use crate::model::entity::Entity;
use crate::model::ids::RunId;
use crate::model::record::Record;
use crate::port::mapper::{Mapper, Place};

use super::SyncError;
use super::ledger::{FrameId, Ledger};

pub use compare::{FieldChange, Outcome, PersonImpact, Shade, person};

/// Frames in flight between the reader and the workers.
const DEPTH: usize = 4;
/// Ids that a group names.
pub const NAMED: usize = 5;
/// Groups of one kind of record; what comes after is counted, not told apart.
pub const GROUPS: usize = 1_000;

/// The mappings before and after an edit.
#[derive(Clone, Copy)]
pub struct Sides<'a> {
    /// Those in force.
    pub old: &'a dyn Mapper,
    /// Those that would be.
    pub new: &'a dyn Mapper,
}

/// No run is under way.
const NO_RUN: RunId = RunId(0);

/// What an edit does to the records of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct KindImpact {
    /// The kind.
    pub entity: Entity,
    /// How many records were compared.
    pub records: u64,
    /// How many of them change in some way.
    pub changed: u64,
    /// Fields that change, most records first.
    pub fields: Vec<FieldGroup>,
    /// Records that are newly parked, left out or back, most records first.
    pub turns: Vec<TurnGroup>,
    /// Records in groups beyond [`GROUPS`].
    #[serde(default)]
    pub beyond: u64,
}

/// Records whose field changes in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct FieldGroup {
    /// The field.
    pub field: String,
    /// What it was.
    pub before: Shade,
    /// What it becomes.
    pub after: Shade,
    /// How many records.
    pub records: u64,
    /// Where the field is set; where it was set, if it no longer is.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// The ids of some of them.
    pub first: Vec<String>,
}

/// Records whose fate changes in the same way.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct TurnGroup {
    /// What becomes of them.
    pub turn: Turn,
    /// Why they are parked: the code and what to do.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub why: Option<(String, String)>,
    /// Where in a script.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub place: Option<Place>,
    /// How many records.
    pub records: u64,
    /// The ids of some of them.
    pub first: Vec<String>,
}

/// How a record's fate changes.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Turn {
    /// It cannot be mapped any more.
    Parked,
    /// The mapping leaves it out now.
    LeftOut,
    /// It was parked or left out, and is not any more.
    Returning,
}

/// Compares every stored record of the kinds whose mapping differs, on `workers` threads.
///
/// # Errors
/// [`SyncError::Store`] when the state cannot be read, [`SyncError::Worker`] when a thread died.
pub fn measure(
    ledger: &Ledger,
    sides: Sides<'_>,
    only: Option<Entity>,
    workers: usize,
) -> Result<Vec<KindImpact>, SyncError> {
    let mut kinds = Vec::new();
    for entity in Entity::ALL {
        let differs = sides.old.digest(entity) != sides.new.digest(entity);
        if differs && only.is_none_or(|only| only == entity) {
            kinds.push(kind(ledger, sides, entity, workers)?);
        }
    }
    Ok(kinds)
}

type Frame = (FrameId, Vec<Record>);

fn kind(
    ledger: &Ledger,
    sides: Sides<'_>,
    entity: Entity,
    workers: usize,
) -> Result<KindImpact, SyncError> {
    let (sink, frames) = sync_channel::<Frame>(DEPTH);
    let frames = Mutex::new(Some(frames));
    let tally = std::thread::scope(|scope| {
        let work = || compare_frames(ledger, sides, entity, &frames);
        let workers: Vec<_> = (0..workers.max(1)).map(|_| scope.spawn(work)).collect();
        let mut read = Ok(());
        for frame in ledger.frames(entity, None) {
            // Where nobody takes it, the workers have failed, and say why.
            let sent = frame.map(|frame| sink.send(frame).is_ok());
            let go_on = *sent.as_ref().unwrap_or(&false);
            read = sent.map(|_| ());
            if !go_on {
                break;
            }
        }
        drop(sink);
        let mut whole = tally::Tally::default();
        for worker in workers {
            let part = worker
                .join()
                .map_err(|_| SyncError::Worker("a comparison of mappings".to_owned()))?;
            whole.merge(part?);
        }
        read?;
        Ok::<_, SyncError>(whole)
    })?;
    Ok(tally.finish(entity, sides))
}

fn compare_frames(
    ledger: &Ledger,
    sides: Sides<'_>,
    entity: Entity,
    frames: &Mutex<Option<Receiver<Frame>>>,
) -> Result<tally::Tally, SyncError> {
    let mut tally = tally::Tally::default();
    let next = || {
        let frames = frames.lock().unwrap_or_else(PoisonError::into_inner);
        frames.as_ref().and_then(|frames| frames.recv().ok())
    };
    while let Some((id, records)) = next() {
        match live(ledger, entity, id, records) {
            Ok(records) => {
                let old = sides.old.map(entity, &records);
                let new = sides.new.map(entity, &records);
                for ((record, old), new) in records.iter().zip(old).zip(new) {
                    tally.add(record.id.as_str(), &old, &new);
                }
            }
            Err(cause) => {
                // The reader stops once nobody takes its frames.
                drop(frames.lock().unwrap_or_else(PoisonError::into_inner).take());
                return Err(cause);
            }
        }
    }
    Ok(tally)
}

/// Those records of a frame that count: the newest ones of objects that are still there.
pub(in crate::sync) fn live(
    ledger: &Ledger,
    entity: Entity,
    id: FrameId,
    mut records: Vec<Record>,
) -> Result<Vec<Record>, SyncError> {
    let mut fault = None;
    records.retain(|record| match ledger.entry(entity, record.id.as_str()) {
        Ok(entry) => entry.is_some_and(|it| it.frame == id && !ledger.is_gone(&it, NO_RUN)),
        Err(cause) => {
            fault = Some(cause);
            false
        }
    });
    fault.map_or(Ok(records), |cause| Err(cause.into()))
}
