//! A generation of a connector's mappings: loaded, checked, digested, ready to make mappers.
//!
//! Not here: when a new generation takes over (reload). The invariant: a [`Generation`] that exists has no fault; all
//! faults of all files are told at once.

use std::collections::BTreeMap;
use std::sync::Arc;

use jiff::tz::TimeZone;
use phonenumber::country;

use super::compiled::{Program, Unsupported};
use super::engine::{self, LIMITS};
use super::fault::{Fault, Source};
use super::files::Files;
use super::interpret::without;
use super::library::{self, Env};
use super::mapper::{ConnectionMapper, Fast, Mapping, Slow};
use super::projection::Projection;
use super::script::{Role, Script};
use super::tables::Tables;
use super::{check, paths, yaml};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::ids::ConnectionId;
use crate::model::schema;
use crate::model::sources::{Layer, Sources};
use crate::port::mapper::{Mapper, Place};

/// A connector's mappings with a tenant's layer.
#[derive(Debug)]
pub struct Generation {
    mappings: Arc<BTreeMap<Entity, Mapping>>,
    tables: Arc<Tables>,
    contents: BTreeMap<Entity, ContentHash>,
    layers: Vec<Layer>,
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
    /// Loads a connector's mappings and a tenant's layer over them. A layer's script overrides single fields, its
    /// tables single rows; its cases replace those of the same name.
    ///
    /// # Errors
    /// Every [`Fault`] of every file, in the order of the files.
    pub fn load(base: &Files, layer: Option<&Files>) -> Result<Self, Vec<Fault>> {
        let mut faults: Vec<Fault> = base.faults().to_vec();
        faults.extend(layer.iter().flat_map(|layer| layer.faults()).cloned());
        let tables = load_tables(base, layer, &mut faults);
        let mut mappings = BTreeMap::new();
        let engine = engine::build(&Arc::new(blank(&tables)), LIMITS);
        for (entity, source) in &base.scripts {
            let over = layer.and_then(|layer| layer.scripts.get(entity));
            match load_mapping(&engine, *entity, source, over, &tables) {
                Ok(mapping) => {
                    mappings.insert(*entity, mapping);
                }
                Err(found) => faults.extend(found),
            }
        }
        for (entity, source) in layer.iter().flat_map(|layer| &layer.scripts) {
            if !base.scripts.contains_key(entity) {
                faults.push(
                    Fault::of(
                        source,
                        None,
                        "mapping::no_base",
                        format!("`{}` overrides a mapping that does not exist", source.name),
                    )
                    .help(format!("the connector has no mapping of {entity}; remove the file")),
                );
            }
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        let contents = contents(base, layer, &tables);
        let cases = cases(base, layer);
        let layers = std::iter::once(base).chain(layer).map(Files::to_layer).collect();
        Ok(Self { mappings: Arc::new(mappings), tables: Arc::new(tables), contents, layers, cases })
    }

    /// Loads the mappings that a connection had once, from the texts that were kept. Where this build of rollcall makes other
    /// drafts of them, its mapper has other digests.
    ///
    /// # Errors
    /// As [`Generation::load`]: this build may refuse what an older one took.
    pub fn of_sources(sources: &Sources) -> Result<Self, Vec<Fault>> {
        let mut layers = sources.layers.iter().map(Files::of_layer);
        let base = layers.next().unwrap_or_default();
        Self::load(&base, layers.next().as_ref())
    }

    /// The faults of files, none if they can be loaded.
    pub fn check(base: &Files, layer: Option<&Files>) -> Vec<Fault> {
        Self::load(base, layer).err().unwrap_or_default()
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
        let known = TimeZone::get(zone).map_err(|_| SettingError::Zone(zone.to_owned()))?;
        let id: country::Id =
            region.parse().map_err(|_| SettingError::Region(region.to_owned()))?;
        let env = Arc::new(Env {
            connection: connection.clone(),
            zone_name: known.iana_name().unwrap_or(zone).to_owned(),
            zone: known,
            region: id,
            tables: Arc::clone(&self.tables),
        });
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

/// Surroundings that only serve to compile.
fn blank(tables: &Tables) -> Env {
    Env {
        connection: ConnectionId::parse("none").unwrap_or_else(|_| unreachable!("a constant slug")),
        zone_name: "UTC".to_owned(),
        zone: TimeZone::UTC,
        region: country::Id::CN,
        tables: Arc::new(tables.clone()),
    }
}

fn load_tables(base: &Files, layer: Option<&Files>, faults: &mut Vec<Fault>) -> Tables {
    let mut tables = Tables::default();
    for files in std::iter::once(base).chain(layer) {
        let Some(source) = &files.tables else { continue };
        match yaml::tables(&source.text) {
            Ok(found) => tables.overlay(found),
            Err(fault) => faults.push(
                Fault::of(source, fault.at, "mapping::tables", fault.message)
                    .help("a table is a name, and below it rows `value: word`"),
            ),
        }
    }
    tables
}

fn load_mapping(
    engine: &rhai::Engine,
    entity: Entity,
    source: &Arc<Source>,
    layer: Option<&Arc<Source>>,
    tables: &Tables,
) -> Result<Mapping, Vec<Fault>> {
    let base = Script::compile(engine, source, entity, Role::Base, tables);
    let layer = match layer {
        Some(layer) => Script::compile(engine, layer, entity, Role::Layer, tables),
        None => Ok(None),
    };
    let (mut scripts, layer) = match (base, layer) {
        (Ok(base), Ok(layer)) => (Vec::from_iter(base), layer),
        (Err(mut faults), Err(more)) => {
            faults.extend(more);
            return Err(faults);
        }
        (Err(faults), _) | (_, Err(faults)) => return Err(faults),
    };
    scripts.extend(layer);
    let missing = missing(&scripts, entity);
    if !missing.is_empty() {
        return Err(missing);
    }
    let overridden: Vec<String> = scripts
        .iter()
        .skip(1)
        .flat_map(|script| script.properties.iter().flatten().map(|property| property.name.clone()))
        .collect();
    if let Some(first) = scripts.first_mut()
        && !overridden.is_empty()
        && let Some(ast) = without(first, &overridden)
    {
        first.ast = ast;
    }
    let mut projection = Projection::new();
    for script in &scripts {
        paths::add(&mut projection, &script.ast);
    }
    let fast = fast(engine, &scripts, entity);
    Ok(Mapping { scripts, projection, fast })
}

/// The scripts as trees, if all of them can be.
fn fast(engine: &rhai::Engine, scripts: &[Script], entity: Entity) -> Result<Fast, Slow> {
    let mut projection = Projection::new();
    let mut programs = Vec::new();
    for (number, script) in scripts.iter().enumerate() {
        let program = Program::compile(engine, script, entity, &mut projection)
            .map_err(|reason| Slow { script: number, reason })?;
        programs.push(program);
    }
    Ok(Fast { programs, projection })
}

/// Required fields that no script sets; only told when every script's value is a map literal.
fn missing(scripts: &[Script], entity: Entity) -> Vec<Fault> {
    let mut set = Vec::new();
    for script in scripts {
        let Some(properties) = &script.properties else {
            return Vec::new();
        };
        set.extend(properties.iter().map(|property| property.name.as_str()));
    }
    scripts.first().map(|script| check::unset(&script.source, &set, entity)).unwrap_or_default()
}

/// What the drafts of an entity depend on besides the record and the connection's settings.
fn contents(base: &Files, layer: Option<&Files>, tables: &Tables) -> BTreeMap<Entity, ContentHash> {
    let tables = serde_json::to_string(tables).unwrap_or_default();
    base.scripts
        .iter()
        .map(|(entity, source)| {
            let over = layer.and_then(|layer| layer.scripts.get(entity));
            let over = over.map_or("", |source| source.text.as_str());
            let schema = schema::json_schema(*entity).to_string();
            let parts = [library::VERSION, entity.name(), &source.text, over, &tables, &schema];
            (*entity, ContentHash::of_parts(parts.map(str::as_bytes)))
        })
        .collect()
}

/// Every case, the layer's in place of those of the same file name.
fn cases(base: &Files, layer: Option<&Files>) -> BTreeMap<Entity, Vec<Arc<Source>>> {
    let mut cases: BTreeMap<Entity, BTreeMap<String, Arc<Source>>> = BTreeMap::new();
    for files in std::iter::once(base).chain(layer) {
        for (entity, sources) in &files.cases {
            for source in sources {
                let name = source.name.rsplit('/').next().unwrap_or_default().to_owned();
                cases.entry(*entity).or_default().insert(name, Arc::clone(source));
            }
        }
    }
    cases.into_iter().map(|(entity, by_name)| (entity, by_name.into_values().collect())).collect()
}
