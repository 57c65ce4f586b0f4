//! Ends what a certified listing no longer shows.

use std::sync::Arc;

use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId, RunId};
use crate::model::plan::Change;
use crate::port::target::Target;

use super::SyncError;
use super::ledger::{Entry, Ledger, Phase, Standing};
use super::matching::Matcher;
use super::order;
use super::scribe::{GROUP, Tallied, weigh};

/// How many records of a kind stood before a run.
pub(super) fn known(ledger: &Ledger, entity: Entity, run: RunId) -> Result<u64, SyncError> {
    let mut known = 0;
    for pair in ledger.entries(entity, None) {
        let (_, entry) = pair?;
        let before = if entry.run == run { entry.applied } else { ledger.in_force(&entry, run) };
        known += u64::from(matches!(before, Standing::Present(_)));
    }
    Ok(known)
}

/// Plans the end of every standing record that was not met.
pub(super) fn plan(
    ledger: &Ledger,
    connection: &ConnectionId,
    entity: Entity,
    run: RunId,
    matcher: Option<&Matcher>,
    out: &mut Tallied,
) -> Result<(), SyncError> {
    let matcher = matcher.filter(|_| entity == Entity::Employee);
    let mut group = Vec::new();
    let mut seq = 0;
    for pair in ledger.entries(entity, None) {
        let (source, entry) = pair?;
        let stands = matches!(ledger.in_force(&entry, run), Standing::Present(_));
        if out.seen.contains(entry.slot) {
            continue;
        }
        if let Some(matcher) = matcher {
            gone(ledger, matcher, run, &source, entry)?;
        }
        if stands {
            group.push((source, entry));
        }
        if group.len() == GROUP {
            write(ledger, connection, entity, run, (&mut group, &mut seq), out)?;
        }
    }
    write(ledger, connection, entity, run, (&mut group, &mut seq), out)
}

/// A person who is gone owns their employee still; one who was linked lets go of it.
fn gone(
    ledger: &Ledger,
    matcher: &Matcher,
    run: RunId,
    source: &str,
    entry: Entry,
) -> Result<(), SyncError> {
    match ledger.in_force(&entry, run) {
        Standing::Present(_) => Ok(matcher.ended(source)?),
        Standing::Unknown if entry.wanted != Standing::Retired => {
            matcher.left(source)?;
            let applied = if entry.run == run { entry.applied } else { Standing::Unknown };
            let entry = Entry { wanted: Standing::Retired, applied, run, ..entry };
            Ok(ledger.write_index(vec![ledger.put_entry(Entity::Employee, source, &entry)])?)
        }
        Standing::Unknown | Standing::Retired => Ok(()),
    }
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
        entry = Entry { wanted: Standing::Retired, applied, run, absent: true, ..entry };
        index.push(ledger.put_entry(entity, &source, &entry));
        let change = Change::end(ExternalId::of(connection, entity, &source));
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
