//! What the stored records of an installation show, for the check and for new cases.
//!
//! Streams frame by frame: memory does not grow with the number of records. The invariant: nothing is written, and an
//! installation without state, or with one that a daemon holds, is checked all the same.

use super::sets::Set;
use crate::app::App;
use crate::cli::Context;
use crate::cli::exit::Failure;
use crate::mapping::{Fault, Generation, Pictures};
use crate::model::entity::Entity;
use crate::model::ids::ConnectionId;
use crate::model::record::Record;
use crate::model::redact::tells_word;

/// Opens the state, if there is one and nobody else holds it.
pub(super) fn open(context: &Context, sets: &[Set]) -> Option<App> {
    if sets.iter().all(|set| set.connections.is_empty()) {
        return None;
    }
    let config = crate::app::load_config(&context.config).ok()?;
    if !config.state.is_dir() {
        return None;
    }
    match App::open(&context.config) {
        Ok(app) => Some(app),
        Err(failure) => {
            eprintln!("note: the stored records are not looked at: {}", failure.message);
            None
        }
    }
}

/// Shows the stored records of a kind as they were read last, each once, at most so many.
pub(super) fn each(
    app: &App,
    set: &Set,
    entity: Entity,
    most: usize,
    mut show: impl FnMut(&ConnectionId, &Record),
) -> Result<(), Failure> {
    let mut left = most;
    for (tenant, connection) in &set.connections {
        let ledger = app.ledger(tenant, connection).map_err(|cause| Failure::from_error(&cause))?;
        for frame in ledger.frames(entity, None) {
            let (id, records) = frame.map_err(|cause| Failure::from_error(&cause))?;
            for record in records {
                let entry = ledger.entry(entity, record.id.as_str());
                let entry = entry.map_err(|cause| Failure::from_error(&cause))?;
                // A frame keeps what was replaced since until it is compacted.
                if entry.is_some_and(|entry| entry.frame == id) {
                    if left == 0 {
                        return Ok(());
                    }
                    left -= 1;
                    show(connection, &record);
                }
            }
        }
    }
    Ok(())
}

/// Takes in every stored record of a set's connections: what it shows, what its values look up in tables, and who it is.
/// How many there were, what the tables do not cover, and which exceptions are about nobody.
pub(super) fn observe(
    app: &App,
    set: &Set,
    pictures: &mut Pictures,
) -> Result<(u64, Vec<Fault>), Failure> {
    let generation = Generation::of_layers(set.layers.clone()).ok();
    let mut sightings = generation.as_ref().map(Generation::sightings).unwrap_or_default();
    let (mut seen, mut faults) = (0, Vec::new());
    for (entity, known) in pictures.iter_mut() {
        let watcher = generation.as_ref().and_then(|generation| {
            generation.watcher(*entity, &set.connector, &set.zone, &set.region).ok().flatten()
        });
        let Some(mut watcher) = watcher else {
            sightings.unclear(*entity);
            each(app, set, *entity, usize::MAX, |_, record| known.observe(&record.payload))?;
            continue;
        };
        each(app, set, *entity, usize::MAX, |connection, record| {
            known.observe(&record.payload);
            watcher.turn_to(connection);
            watcher.look_at(record, &mut sightings);
        })?;
        seen += known.records();
        faults.extend(watcher.uncovered(tells_word));
    }
    faults.extend(generation.iter().flat_map(|generation| generation.strangers(&sightings)));
    Ok((seen, faults))
}
