//! Ends what a certified listing no longer shows.

use std::sync::Arc;

use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, ExternalId, RunId};
use crate::model::plan::{Change, Verb};
use crate::port::target::Target;

use super::SyncError;
use super::ledger::{Entry, Ledger, Phase, Standing};
use super::order;
use super::scribe::{GROUP, Tallied, weigh};

/// Plans the end of every standing record that was not met. Returns how many records stood before.
pub(super) fn plan(
    ledger: &Ledger,
    connection: &ConnectionId,
    entity: Entity,
    run: RunId,
    out: &mut Tallied,
) -> Result<u64, SyncError> {
    let mut known = 0;
    let mut group = Vec::new();
    let mut seq = 0;
    for pair in ledger.entries(entity, None) {
        let (source, entry) = pair?;
        let stands = matches!(ledger.in_force(&entry, run), Standing::Present(_));
        known += u64::from(stands);
        if stands && !out.seen.contains(entry.slot) {
            group.push((source, entry));
        }
        if group.len() == GROUP {
            write(ledger, connection, entity, run, (&mut group, &mut seq), out)?;
        }
    }
    write(ledger, connection, entity, run, (&mut group, &mut seq), out)?;
    Ok(known)
}

fn write(
    ledger: &Ledger,
    connection: &ConnectionId,
    entity: Entity,
    run: RunId,
    (group, seq): (&mut Vec<(String, Entry)>, &mut u32),
    out: &mut Tallied,
) -> Result<(), SyncError> {
    if group.is_empty() {
        return Ok(());
    }
    let mut index = Vec::with_capacity(group.len());
    let mut changes = Vec::with_capacity(group.len());
    for (source, mut entry) in group.drain(..) {
        let applied = if entry.run == run { entry.applied } else { ledger.in_force(&entry, run) };
        entry = Entry { wanted: Standing::Retired, applied, run, ..entry };
        index.push(ledger.put_entry(entity, &source, &entry));
        let change = Change {
            verb: Verb::Retire,
            external_id: ExternalId::of(connection, entity, &source),
            json: bytes::Bytes::new(),
            hash: ContentHash([0; 16]),
        };
        out.tally.count(change.verb);
        out.digest = out.digest.wrapping_add(weigh(&change));
        changes.push(change);
    }
    ledger.write_blobs(vec![ledger.put_set(run, Phase::Retire(entity), *seq, &changes)?])?;
    *seq += 1;
    ledger.write_index(index)?;
    Ok(())
}

/// Departments that end, children before their parents.
pub(super) async fn children_first(
    target: &Arc<dyn Target>,
    changes: Vec<Change>,
) -> Result<Vec<Change>, SyncError> {
    let keys: Vec<ExternalId> = changes.iter().map(|change| change.external_id.clone()).collect();
    let held = target.load(Entity::Department, &keys).await?;
    let with_parents = changes.into_iter().zip(held).map(|(change, held)| Change {
        json: held.map(|held| held.json).unwrap_or_default(),
        ..change
    });
    let mut ordered = order::parents_first(with_parents.collect());
    ordered.reverse();
    for change in &mut ordered {
        change.json = bytes::Bytes::new();
    }
    Ok(ordered)
}
