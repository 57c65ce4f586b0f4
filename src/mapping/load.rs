//! From the layers of a connection's mappings to a generation.
//!
//! Not here: which layers there are (`layers`) and what a generation can do (`generation`). The invariant: all faults of
//! all files are told at once, and the digest of a kind covers everything that its drafts depend on.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use rhai::{Engine, Stmt};

use super::compiled::Program;
use super::engine::{self, LIMITS};
use super::exceptions::{Exception, ExceptionState, Exceptions, Reading};
use super::fast::{Fast, Slow};
use super::fault::{Fault, Source};
use super::files::Files;
use super::generation::Generation;
use super::interpret::without;
use super::layers::{Layers, day_of};
use super::library::{self, Env};
use super::mapper::Mapping;
use super::modules::{Modules, link};
use super::projection::Projection;
use super::script::{Role, Script};
use super::tables::Tables;
use super::{check, paths, yaml};
use crate::model::entity::Entity;
use crate::model::hash::ContentHash;
use crate::model::schema;
use crate::model::sources::LayerKind;

/// Loads everything.
pub(crate) fn load(layers: Layers) -> Result<Generation, Vec<Fault>> {
    let compiling = engine::build(&Arc::new(Env::blank(&Tables::default())), LIMITS);
    let layers = layers.without_needless(&compiling);
    let mut faults = layers.faults();
    let tables = load_tables(&layers, &mut faults);
    let engine = engine::build(&Arc::new(Env::blank(&tables)), LIMITS);
    let broken = module_faults(&engine, &layers.shared.modules);
    if !broken.is_empty() {
        // Scripts that import what is broken would only repeat it.
        faults.extend(broken);
        return Err(faults);
    }
    let loader = Loader { engine: &engine, tables: &tables, modules: &layers.shared.modules };
    let mut exceptions = load_exceptions(&layers, &loader, &mut faults);
    let day = day_of(&exceptions);
    let mut mappings = BTreeMap::new();
    for entity in layers.entities() {
        let here = |exception: &mut Exception| exception.entity == entity;
        let own = exceptions.in_force.extract_if(.., here).collect();
        match loader.mapping(entity, layers.stack(&compiling, entity), own) {
            Ok(mapping) => {
                mappings.insert(entity, mapping);
            }
            Err(found) => faults.extend(found),
        }
    }
    let waiting = exceptions.idle.iter().filter(|one| one.state == ExceptionState::Waiting);
    let waiting = waiting.filter(|one| !layers.entities().contains(&one.entity));
    faults.extend(baseless(&layers, exceptions.in_force.iter().chain(waiting)));
    if !faults.is_empty() {
        // A module's fault shows in every script that imports it.
        let mut seen = BTreeSet::new();
        faults.retain(|fault| {
            let place = fault.place();
            seen.insert((place.script.clone(), place.line, place.column, fault.to_string()))
        });
        return Err(faults);
    }
    let contents = contents(&mappings, &tables);
    Ok(Generation {
        mappings: Arc::new(mappings),
        contents,
        layers: layers.texts(),
        exceptions: exceptions.told,
        idle: exceptions.idle,
        day,
        next_day: exceptions.next,
        cases: cases(&layers),
        tables: Arc::new(tables),
    })
}

/// The connector's tables, the built-in ones that it does not have, and the tenant's rows over them.
fn load_tables(layers: &Layers, faults: &mut Vec<Fault>) -> Tables {
    let mut read = |files: Option<&Files>| {
        let source = files.and_then(|files| files.tables.as_ref())?;
        match yaml::tables(&source.text) {
            Ok(found) => Some(found),
            Err(fault) => {
                faults.push(
                    Fault::of(source, fault.at, "mapping::tables", fault.message)
                        .help("a table is a name, and below it rows `value: word`"),
                );
                None
            }
        }
    };
    let mut tables = read(Some(&layers.connector)).unwrap_or_default();
    if let Some(builtin) = read(layers.builtin.as_ref()) {
        tables.complete(builtin);
    }
    if let Some(tenant) = read(layers.tenant.as_ref()) {
        tables.overlay(tenant);
    }
    tables
}

/// What is wrong with modules on their own, imported or not.
fn module_faults(engine: &Engine, modules: &Modules) -> Vec<Fault> {
    let fault_of = |source: &Arc<Source>| -> Result<(), Vec<Fault>> {
        let linked = link(source, modules)?;
        let ast = Script::parse(engine, &linked)?;
        match ast.statements().iter().find(|statement| !Stmt::is_noop(statement)) {
            None => Ok(()),
            Some(statement) => {
                let at = statement.position();
                let at = (at.line().unwrap_or(1), at.position().unwrap_or(1));
                Err(vec![
                    Fault::at(
                        source,
                        at,
                        "mapping::import",
                        "a module holds functions and nothing else",
                    )
                    .help("write `fn name(x) { .. }`; what a function needs is handed to it"),
                ])
            }
        }
    };
    modules.values().filter_map(|source| fault_of(source).err()).flatten().collect()
}

fn load_exceptions(layers: &Layers, loader: &Loader<'_>, faults: &mut Vec<Fault>) -> Exceptions {
    let Some(source) = layers.tenant.as_ref().and_then(|files| files.exceptions.as_ref()) else {
        return Exceptions::default();
    };
    let reading = Reading { engine: loader.engine, tables: loader.tables, day: layers.day };
    Exceptions::load(source, &reading).unwrap_or_else(|found| {
        faults.extend(found);
        Exceptions::default()
    })
}

/// What a tenant says about kinds of records that the connector does not map.
fn baseless<'a>(layers: &Layers, exceptions: impl Iterator<Item = &'a Exception>) -> Vec<Fault> {
    let mapped = layers.entities();
    let tenant = layers.tenant.iter().flat_map(|files| &files.scripts);
    let scripts = tenant.filter(|(entity, _)| !mapped.contains(entity)).map(|(entity, source)| {
        let message = format!("`{}` overrides a mapping that does not exist", source.name);
        Fault::of(source, None, "mapping::no_base", message)
            .help(format!("the connector has no mapping of {entity}; remove the file"))
    });
    let exceptions = exceptions.map(|exception| {
        let message = format!("the connector has no mapping of {}", exception.entity);
        let line = exception.place().line;
        Fault::at(exception.file(), (line, 1), "mapping::no_base", message)
            .help("remove the exception")
    });
    scripts.chain(exceptions).collect()
}

/// What scripts are compiled with.
struct Loader<'a> {
    engine: &'a Engine,
    tables: &'a Tables,
    modules: &'a Modules,
}

impl Loader<'_> {
    fn mapping(
        &self,
        entity: Entity,
        stack: Vec<(LayerKind, Arc<Source>)>,
        exceptions: Vec<Exception>,
    ) -> Result<Mapping, Vec<Fault>> {
        let (mut scripts, mut layers, mut faults) = (Vec::new(), Vec::new(), Vec::new());
        for (nth, (kind, source)) in stack.into_iter().enumerate() {
            let role = if nth == 0 { Role::Base } else { Role::Layer };
            match self.script(&source, entity, role) {
                Ok(Some(script)) => {
                    scripts.push(script);
                    layers.push(kind);
                }
                Ok(None) => {}
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() {
            faults = missing(&scripts, entity);
        }
        if !faults.is_empty() {
            return Err(faults);
        }
        trim(&mut scripts);
        let mut projection = Projection::new();
        let every = scripts.iter().chain(exceptions.iter().map(|exception| &exception.script));
        for script in every {
            paths::add(&mut projection, &script.ast);
        }
        let fast = self.fast(&scripts, &exceptions, entity);
        Ok(Mapping { scripts, layers, exceptions, projection, fast })
    }

    fn script(
        &self,
        source: &Arc<Source>,
        entity: Entity,
        role: Role,
    ) -> Result<Option<Script>, Vec<Fault>> {
        let linked = link(source, self.modules)?;
        Script::compile_linked(self.engine, (source, linked), entity, role, self.tables)
    }

    /// The scripts as trees, if all of them can be.
    fn fast(
        &self,
        scripts: &[Script],
        exceptions: &[Exception],
        entity: Entity,
    ) -> Result<Fast, Slow> {
        let mut projection = Projection::new();
        let mut programs = Vec::new();
        for (number, script) in scripts.iter().enumerate() {
            let program = Program::compile(self.engine, script, entity, &mut projection)
                .map_err(|reason| Slow { script: number, reason })?;
            programs.push(program);
        }
        for exception in exceptions {
            paths::add(&mut projection, &exception.script.ast);
        }
        let mixed = programs.iter().any(Program::is_mixed);
        Ok(Fast { programs, projection: Arc::new(projection), mixed })
    }
}

/// Takes from every script the fields that a later one sets anyway.
fn trim(scripts: &mut [Script]) {
    let mut above: Vec<String> = Vec::new();
    for script in scripts.iter_mut().rev() {
        if !above.is_empty()
            && let Some(ast) = without(script, &above)
        {
            script.ast = ast;
        }
        above.extend(script.properties.iter().flatten().map(|property| property.name.clone()));
    }
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
fn contents(
    mappings: &BTreeMap<Entity, Mapping>,
    tables: &Tables,
) -> BTreeMap<Entity, ContentHash> {
    let tables = serde_json::to_string(tables).unwrap_or_default();
    let content = |(entity, mapping): (&Entity, &Mapping)| {
        let schema = schema::json_schema(*entity).to_string();
        let head = [library::VERSION, entity.name(), &tables, &schema].map(str::to_owned);
        let scripts = mapping.scripts.iter().map(|script| script.linked.text());
        let exceptions = mapping.exceptions.iter().map(Exception::text);
        // How many of each, so that no script passes for an exception.
        let counts = format!("{} {}", mapping.scripts.len(), mapping.exceptions.len());
        let parts: Vec<String> =
            head.into_iter().chain([counts]).chain(scripts).chain(exceptions).collect();
        (*entity, ContentHash::of_parts(parts.iter().map(String::as_bytes)))
    };
    mappings.iter().map(content).collect()
}

/// Every case, the tenant's in place of those of the same file name.
fn cases(layers: &Layers) -> BTreeMap<Entity, Vec<Arc<Source>>> {
    let mut cases: BTreeMap<Entity, BTreeMap<String, Arc<Source>>> = BTreeMap::new();
    for files in std::iter::once(&layers.connector).chain(&layers.tenant) {
        for (entity, sources) in &files.cases {
            for source in sources {
                let name = source.name.rsplit('/').next().unwrap_or_default().to_owned();
                cases.entry(*entity).or_default().insert(name, Arc::clone(source));
            }
        }
    }
    cases.into_iter().map(|(entity, by_name)| (entity, by_name.into_values().collect())).collect()
}
