//! What stored records show of mappings: their parts, what tables do not cover, whom exceptions name.
//!
//! Streams frame by frame, so that memory does not grow with the number of records. Not here: choosing cases of them
//! (`picked`). The invariant: nothing of a person leaves but masked samples, and the answer's size has a bound whatever the
//! records hold.

use serde::{Deserialize, Serialize};

use super::Asked;
use crate::app::{App, Failure, layers, today};
use crate::config::Config;
use crate::mapping::{Generation, Layers, Pictures, ToldFault, documented};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, TenantId};
use crate::model::record::Record;
use crate::model::redact::tells_word;

/// The mappings of a connector, as several connections share them.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct SharedMappings {
    /// The folder of the mappings.
    pub connector: ConnectionId,
    /// The tenant whose own layer lies over them; none for all tenants without one.
    pub tenant: Option<TenantId>,
}

/// The question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredAsked {
    /// Whose records.
    pub of: SharedMappings,
    /// Most records of each kind that are looked at. None looks at all of them, and also at what they become.
    pub most: Option<usize>,
}

/// The answer.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct StoredTold {
    /// What the platform's pages and the records show.
    pub pictures: Pictures,
    /// How many records went through their mapping.
    pub records: u64,
    /// What tables do not cover, and exceptions about nobody.
    pub findings: Vec<ToldFault>,
}

/// Connections that map by the same files with the same settings.
pub(super) struct Group<'a> {
    pub(super) connections: Vec<Asked<'a>>,
    pub(super) layers: Layers,
    pub(super) connector: &'a ConnectionId,
    pub(super) zone: &'a str,
    pub(super) region: &'a str,
}

/// The connections that are meant, and their files as they are now.
pub(super) fn group<'a>(
    app: &App,
    config: &'a Config,
    of: &'a SharedMappings,
) -> Result<Group<'a>, Failure> {
    let (mut connections, mut shared) = (Vec::new(), None);
    for tenant in config.tenants.values() {
        for connection in tenant.connections.values() {
            if connection.mapping != of.connector {
                continue;
            }
            let found = layers(config, tenant, connection, Some(today(&*app.clock, tenant)));
            let own = found.tenant.is_some().then_some(&tenant.id);
            if own == of.tenant.as_ref() {
                let ledger = app.ledger(&tenant.id, &connection.id);
                let ledger = ledger.map_err(|cause| Failure::of(&cause))?;
                shared.get_or_insert((found, tenant));
                connections.push(Asked { tenant, connection, ledger });
            }
        }
    }
    let Some((layers, tenant)) = shared else {
        return Err(Failure::new(format!("no connection maps by `{}`", of.connector))
            .hint("the configuration was changed meanwhile; run the command again"));
    };
    let (zone, region) = (tenant.timezone.name(), tenant.region.as_str());
    Ok(Group { connections, layers, connector: &of.connector, zone, region })
}

impl Group<'_> {
    /// Shows the stored records of a kind as they were read last, each once, at most so many.
    pub(super) fn each(
        &self,
        entity: Entity,
        most: usize,
        mut show: impl FnMut(&ConnectionId, &Record),
    ) -> Result<(), Failure> {
        let mut left = most;
        for Asked { connection, ledger, .. } in &self.connections {
            for frame in ledger.frames(entity, None) {
                let (id, records) = frame.map_err(|cause| Failure::of(&cause))?;
                for record in records {
                    let entry = ledger.entry(entity, record.id.as_str());
                    let entry = entry.map_err(|cause| Failure::of(&cause))?;
                    // A frame keeps what was replaced since until it is compacted.
                    if entry.is_some_and(|entry| entry.frame == id) {
                        if left == 0 {
                            return Ok(());
                        }
                        left -= 1;
                        show(&connection.id, &record);
                    }
                }
            }
        }
        Ok(())
    }
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &StoredAsked,
) -> Result<StoredTold, Failure> {
    let group = group(app, config, &asked.of)?;
    let name = asked.of.connector.as_str();
    let mut pictures = documented(name, Some(&config.mappings.join(name)));
    if let Some(most) = asked.most {
        for (entity, known) in &mut pictures {
            group.each(*entity, most, |_, record| known.observe(&record.payload))?;
        }
        return Ok(StoredTold { pictures, records: 0, findings: Vec::new() });
    }
    let generation = Generation::of_layers(group.layers.clone()).ok();
    let mut sightings = generation.as_ref().map(Generation::sightings).unwrap_or_default();
    let (mut records, mut faults) = (0, Vec::new());
    for (entity, known) in &mut pictures {
        let watcher = generation.as_ref().and_then(|generation| {
            generation.watcher(*entity, group.connector, group.zone, group.region).ok().flatten()
        });
        let Some(mut watcher) = watcher else {
            sightings.unclear(*entity);
            group.each(*entity, usize::MAX, |_, record| known.observe(&record.payload))?;
            continue;
        };
        group.each(*entity, usize::MAX, |connection, record| {
            known.observe(&record.payload);
            watcher.turn_to(connection);
            watcher.look_at(record, &mut sightings);
        })?;
        records += known.records();
        faults.extend(watcher.uncovered(tells_word));
    }
    faults.extend(generation.iter().flat_map(|generation| generation.strangers(&sightings)));
    let findings = faults.iter().filter_map(ToldFault::of).collect();
    Ok(StoredTold { pictures, records, findings })
}
