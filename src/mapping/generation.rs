//! A generation of a connection's mappings: loaded, checked, digested, ready to make mappers.
//!
//! Not here: how it is loaded (`load`), and when a new generation takes over (reload). The invariant: a [`Generation`]
//! that exists has no fault; all faults of all files are told at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use phonenumber::country;

use super::compiled::Unsupported;
use super::engine::{self, LIMITS};
use super::exceptions::{Exception, ExceptionInfo};
use super::fault::{Fault, Source};
use super::files::Files;
use super::layers::Layers;
use super::library::{self, Env};
use super::load;
use super::mapper::{ConnectionMapper, Mapping};
use super::script::Script;
use super::tables::Tables;
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ConnectionId;
use crate::model::sources::{Layer, Sources};
use crate::port::mapper::{Mapper, Place};

/// A connection's mappings, all layers put together.
#[derive(Debug)]
pub struct Generation {
    pub(super) mappings: Arc<BTreeMap<Entity, Mapping>>,
    pub(super) tables: Arc<Tables>,
    pub(super) contents: BTreeMap<Entity, ContentHash>,
    pub(super) layers: Vec<Layer>,
    pub(super) exceptions: Vec<ExceptionInfo>,
    /// Those that are not in force on the day.
    pub(super) idle: Vec<Exception>,
    /// See [`Sources::day`].
    pub(super) day: Option<String>,
    pub(super) next_day: Option<jiff::civil::Date>,
    pub(crate) cases: BTreeMap<Entity, Vec<Arc<Source>>>,
}

/// A part of a mapping that is not compiled.
#[derive(Clone, Debug, PartialEq, Eq, serde::Serialize)]
pub struct Interpreted {
    /// The field; none when it is the whole mapping.
    pub field: Option<String>,
    /// What keeps it from being compiled.
    pub reason: String,
    /// Where that stands.
    pub place: Place,
}

/// Why no mapper can be made.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum SettingError {
    /// The zone is not in the IANA database.
    #[error("there is no time zone `{0}`; use an IANA name such as `Asia/Shanghai`")]
    Zone(String),
    /// The region is no country.
    #[error("there is no region `{0}`; use the two letters of a country, such as `CN`")]
    Region(String),
}

impl Generation {
    /// Loads a connector's mappings and a tenant's layer over them, with every exception in force. A layer's script
    /// overrides single fields, its tables single rows; its cases replace those of the same name.
    ///
    /// # Errors
    /// Every [`Fault`] of every file, in the order of the files.
    pub fn load(base: &Files, layer: Option<&Files>) -> Result<Self, Vec<Fault>> {
        Self::of_layers(Layers::plain(base, layer))
    }

    /// Loads the layers of a connection's mappings.
    ///
    /// # Errors
    /// Every [`Fault`] of every file, in the order of the layers.
    pub fn of_layers(layers: Layers) -> Result<Self, Vec<Fault>> {
        let loaded = load::load(layers)?;
        let misfits = loaded.misfits();
        if misfits.is_empty() { Ok(loaded) } else { Err(misfits) }
    }

    /// Loads the mappings that a connection had once, from the texts that were kept. Where this build of rollcall makes other
    /// drafts of them, its mapper has other digests.
    ///
    /// # Errors
    /// As [`Generation::load`]: this build may refuse what an older one took.
    pub fn of_sources(sources: &Sources) -> Result<Self, Vec<Fault>> {
        // What was in force once is not held against the schema anew.
        load::load(Layers::of_sources(sources))
    }

    /// The faults of files, none if they can be loaded.
    pub fn check(base: &Files, layer: Option<&Files>) -> Vec<Fault> {
        Self::load(base, layer).err().unwrap_or_default()
    }

    /// The exceptions of the tenant's layer, in force or not, in the order of their file.
    pub fn exceptions(&self) -> &[ExceptionInfo] {
        &self.exceptions
    }

    /// The first day on which other exceptions are in force than on the day that this was loaded for.
    pub fn next_day(&self) -> Option<jiff::civil::Date> {
        self.next_day
    }

    /// The entities that have a mapping.
    pub fn entities(&self) -> Vec<Entity> {
        self.mappings.keys().copied().collect()
    }

    /// What runs in the interpreter, several times slower than the rest, and why.
    pub fn interpreted(&self) -> Vec<Interpreted> {
        let mut found = Vec::new();
        for mapping in self.mappings.values() {
            let mut add = |script: &Script, field: Option<&str>, reason: &Unsupported| {
                let place = script.place(reason.at).unwrap_or_else(|| script.source.place(1, 1));
                found.push(Interpreted {
                    field: field.map(str::to_owned),
                    reason: format!("it contains {}", reason.what),
                    place,
                });
            };
            match &mapping.fast {
                Ok(fast) => {
                    for (program, script) in fast.programs.iter().zip(&mapping.scripts) {
                        if let Some(before) = &program.before {
                            add(script, None, &before.reason);
                        }
                        for (field, reason) in &program.reasons {
                            add(script, Some(field), reason);
                        }
                    }
                }
                Err(slow) => {
                    if let Some(script) = mapping.scripts.get(slow.script) {
                        add(script, None, &slow.reason);
                    }
                }
            }
        }
        found
    }

    /// What the functions know besides their arguments, with a connection's settings.
    pub(super) fn env(
        &self,
        connection: &ConnectionId,
        zone: &str,
        region: &str,
    ) -> Result<Env, SettingError> {
        let known = TimeZone::get(zone).map_err(|_| SettingError::Zone(zone.to_owned()))?;
        let country: country::Id =
            region.parse().map_err(|_| SettingError::Region(region.to_owned()))?;
        Ok(Env {
            connection: connection.clone(),
            zone_name: known.iana_name().unwrap_or(zone).to_owned(),
            zone: known,
            region: country,
            tables: Arc::clone(&self.tables),
        })
    }

    /// Makes the mapper of a connection: `zone` is the tenant's IANA zone, `region` its country as two letters.
    ///
    /// # Errors
    /// [`SettingError`] when the zone or the region does not exist.
    pub fn mapper(
        &self,
        connection: &ConnectionId,
        zone: &str,
        region: &str,
    ) -> Result<Arc<dyn Mapper>, SettingError> {
        let env = Arc::new(self.env(connection, zone, region)?);
        let digests = self
            .contents
            .iter()
            .map(|(entity, content)| {
                let parts = [
                    &content.0[..],
                    connection.as_str().as_bytes(),
                    zone.as_bytes(),
                    region.as_bytes(),
                ];
                (*entity, ContentHash::of_parts(parts))
            })
            .collect();
        let engine = engine::build(&env, LIMITS);
        let sources = Sources {
            library: library::VERSION.to_owned(),
            zone: env.zone_name.clone(),
            region: region.to_owned(),
            layers: self.layers.clone(),
            day: self.day.clone(),
        };
        Ok(Arc::new(ConnectionMapper {
            sources,
            mappings: Arc::clone(&self.mappings),
            digests,
            env,
            engine,
        }))
    }
}
