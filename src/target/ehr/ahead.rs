//! Reads the drafts of a large set on a second thread, a little ahead of the writer.
//!
//! The invariant: every change meets its own draft, in the order of the set, whichever thread has read it.

use std::sync::mpsc;
use std::thread;

use super::draft::Draft;
use crate::model::entity::Entity;
use crate::model::plan::{Change, ChangeSet, Verb};

/// Sets of fewer changes are read by the writer.
const MANY: usize = 512;
/// Changes that are handed over at once.
const CHUNK: usize = 128;
/// Chunks that wait for the writer.
const AHEAD: usize = 2;

/// What a change has to write, if it writes.
pub(super) type Read<'s> = Option<Result<Draft<'s>, serde_json::Error>>;

/// Calls `each` with every change of a set and its draft, in order, up to the first error.
pub(super) fn read<'s, T, E>(
    set: &'s ChangeSet,
    mut each: impl FnMut(&'s Change, Read<'s>) -> Result<T, E>,
) -> Result<Vec<T>, E> {
    let ChangeSet { entity, ref changes } = *set;
    let here = || changes.iter().map(|change| draft(entity, change));
    let mut write = |drafts: &mut dyn Iterator<Item = Read<'s>>| {
        changes.iter().zip(drafts).map(|(change, draft)| each(change, draft)).collect()
    };
    if changes.len() < MANY {
        return write(&mut here());
    }
    thread::scope(|scope| {
        let (sink, chunks) = mpsc::sync_channel::<Vec<Read<'s>>>(AHEAD);
        let reader = thread::Builder::new().name("ehr-reader".to_owned());
        let reader = reader.spawn_scoped(scope, move || {
            for chunk in changes.chunks(CHUNK).skip(1) {
                let drafts = chunk.iter().map(|change| draft(entity, change)).collect();
                // A writer that met an error wants no more.
                if sink.send(drafts).is_err() {
                    break;
                }
            }
        });
        if reader.is_err() {
            return write(&mut here());
        }
        // The first ones are read here, while the thread starts.
        write(&mut here().take(CHUNK).chain(chunks.into_iter().flatten()))
    })
}

fn draft(entity: Entity, change: &Change) -> Read<'_> {
    match change.verb {
        Verb::Create | Verb::Update => {
            Some(Draft::parse(entity, change.external_id.as_str(), &change.json))
        }
        Verb::Retire => None,
    }
}
