//! Cases of mappings, chosen among stored records.
//!
//! Not here: choosing (`mapping`'s picker) and writing them (cli). The invariant: what leaves was masked with a key that
//! only this installation has.

use serde::{Deserialize, Serialize};

use super::stored::{self, Group, SharedMappings};
use crate::app::{App, Failure};
use crate::config::Config;
use crate::mapping::{Generation, PickedCase};
use crate::model::entity::Entity;
use crate::model::redact::Key;

/// Most cases of a kind of record that one question gets.
const MOST: usize = 500;

/// The question.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct PickAsked {
    /// Whose records and cases.
    pub of: SharedMappings,
    /// Only this kind of record.
    pub entity: Option<Entity>,
    /// The most cases of each kind, up to 500.
    pub most: usize,
}

/// A case that was chosen.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub struct CaseTold {
    /// The kind of record.
    pub entity: Entity,
    /// The file's name below `cases/<entity>/`.
    pub file: String,
    /// The file's text.
    pub text: String,
    /// How many branches and states of fields only this case reaches.
    pub adds: usize,
}

pub(super) fn answer(
    app: &App,
    config: &Config,
    asked: &PickAsked,
) -> Result<Vec<CaseTold>, Failure> {
    let group = stored::group(app, config, &asked.of)?;
    let generation = Generation::of_layers(group.layers.clone());
    let generation = generation.map_err(|faults| Failure::reports(&faults))?;
    let key = key(&group)?;
    let mut told = Vec::new();
    for entity in generation.entities() {
        if asked.entity.is_some_and(|only| only != entity) {
            continue;
        }
        let picker = generation.picker(entity, group.connector, group.zone, key);
        let Some(mut picker) = picker.map_err(|cause| Failure::of(&cause))? else { continue };
        group.each(entity, usize::MAX, |_, record| picker.offer(&record.payload))?;
        let chosen = picker.choose(asked.most.min(MOST)).into_iter();
        told.extend(chosen.map(|PickedCase { file, text, adds }| CaseTold {
            entity,
            file,
            text,
            adds,
        }));
    }
    Ok(told)
}

/// A key that follows from the connections' secrets: the same cases each time, and no way back without them.
fn key(group: &Group<'_>) -> Result<Key, Failure> {
    let mut secrets = Vec::new();
    for asked in &group.connections {
        for (name, secret) in &asked.connection.secrets {
            secrets.extend_from_slice(name.as_bytes());
            secrets.extend_from_slice(secret.expose().as_bytes());
        }
    }
    if secrets.is_empty() {
        let mut key = Key::default();
        getrandom::fill(&mut key).map_err(|cause| Failure::of(&cause))?;
        return Ok(key);
    }
    Ok(blake3::derive_key("rollcall: stand-ins of generated mapping cases, 1", &secrets))
}
