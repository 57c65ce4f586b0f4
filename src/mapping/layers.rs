//! The layers of a connection's mappings, and which of them a kind of record is mapped by.
//!
//! Built-in (in the binary), connector (the installation's `mappings/<connector>`), tenant (its own folder), exceptions (in
//! the tenant's folder). A later layer sets single fields over the ones before; a field that it sets to `()` is left alone,
//! one that it sets to `clear()` is erased, whatever stood below. Not here: loading (`generation`). The invariant: a
//! connector's folder with scripts in it decides which kinds of records are mapped; what is built in never adds one.
//!
//! # Why
//! An installation has a copy of the built-in scripts that people edit. If the built-in ones lay below every such copy, a
//! field that was deleted from it would come back. So a connector's script that sets every required field stands alone,
//! and only one that sets some fields lies on the built-in script of its kind. The same goes for tables, each as a whole.

use std::sync::Arc;

use jiff::civil::Date;
use rhai::Engine;

use super::engine::{self, LIMITS};
use super::exceptions::Exceptions;
use super::fault::{Fault, Source};
use super::files::Files;
use super::library::Env;
use super::modules::link;
use super::script::{literal, scope};
use super::shared::Shared;
use super::tables::Tables;
use crate::model::entity::Entity;
use crate::model::schema::{self, Need};
use crate::model::sources::{Layer, LayerKind, Sources};

/// Everything that the mappings of a connection are made of.
#[derive(Clone, Debug)]
pub struct Layers {
    /// What the binary brings for this connector.
    pub builtin: Option<Files>,
    /// The installation's folder of the connector.
    pub connector: Files,
    /// The tenant's folder of the connector, with its exceptions.
    pub tenant: Option<Files>,
    /// What scripts can import.
    pub shared: Shared,
    /// The day that decides which exceptions are in force; without one all are, for checks.
    pub day: Option<Date>,
}

impl Layers {
    /// A connector's files and a tenant's over them, nothing else.
    pub fn plain(connector: &Files, tenant: Option<&Files>) -> Self {
        Self {
            builtin: None,
            connector: connector.clone(),
            tenant: tenant.cloned(),
            shared: Shared::default(),
            day: None,
        }
    }

    /// Whether there is nothing to map by.
    pub fn is_empty(&self) -> bool {
        self.connector.is_empty() && self.builtin.as_ref().is_none_or(Files::is_empty)
    }

    /// The layers that texts were kept of.
    pub(crate) fn of_sources(sources: &Sources) -> Self {
        let of = |kind: LayerKind| sources.layers.iter().find(|layer| layer.kind == kind);
        let files = |kind| of(kind).map(Files::of_layer);
        Self {
            builtin: files(LayerKind::BuiltIn),
            connector: files(LayerKind::Connector).unwrap_or_default(),
            tenant: files(LayerKind::Tenant),
            shared: of(LayerKind::Shared).map(Shared::of_layer).unwrap_or_default(),
            // Before the first border everything without a first day was in force.
            day: Some(sources.day.as_deref().and_then(|day| day.parse().ok()).unwrap_or(Date::MIN)),
        }
    }

    /// The texts, the lowest layer first.
    pub(crate) fn texts(&self) -> Vec<Layer> {
        let files = [
            (LayerKind::BuiltIn, self.builtin.as_ref()),
            (LayerKind::Connector, Some(&self.connector)),
            (LayerKind::Tenant, self.tenant.as_ref()),
        ];
        let files = files.into_iter().filter_map(|(kind, files)| Some(files?.to_layer(kind)));
        files.chain(self.shared.to_layer()).collect()
    }

    /// The texts that count, the lowest layer first: without the built-in ones where the connector's stand alone.
    pub fn in_use(&self) -> Vec<Layer> {
        let engine = engine::build(&Arc::new(Env::blank(&Tables::default())), LIMITS);
        self.clone().without_needless(&engine).texts()
    }

    /// The file that messages call so.
    pub(crate) fn source(&self, script: &str) -> Option<Source> {
        self.texts().into_iter().find_map(|layer| {
            let name = script.strip_prefix(layer.name.trim_end_matches('/'))?;
            let text = layer.files.get(name.strip_prefix('/')?)?;
            Some(Source { name: script.to_owned(), text: text.clone() })
        })
    }

    /// What was wrong with the files as such.
    pub(crate) fn faults(&self) -> Vec<Fault> {
        let files = [self.builtin.as_ref(), Some(&self.connector), self.tenant.as_ref()];
        let mut faults: Vec<Fault> =
            files.into_iter().flatten().flat_map(Files::faults).cloned().collect();
        faults.extend_from_slice(self.shared.faults());
        if let Some(source) = &self.connector.exceptions {
            faults.push(
                Fault::of(source, None, "mapping::exception", "exceptions are a tenant's own")
                    .help("move the file into the tenant's folder of this connector"),
            );
        }
        faults
    }

    /// Drops the built-in layer where nothing of it is needed.
    pub(crate) fn without_needless(mut self, engine: &Engine) -> Self {
        let used = self.connector.scripts.is_empty()
            || self.entities().iter().any(|entity| self.lies_on_builtin(engine, *entity));
        if !used {
            self.builtin = None;
        }
        self
    }

    /// The kinds of records that are mapped.
    pub(crate) fn entities(&self) -> Vec<Entity> {
        let builtin = self.builtin.as_ref().filter(|_| self.connector.scripts.is_empty());
        builtin.unwrap_or(&self.connector).scripts.keys().copied().collect()
    }

    /// The scripts of a kind, the lowest first.
    pub(crate) fn stack(&self, engine: &Engine, entity: Entity) -> Vec<(LayerKind, Arc<Source>)> {
        let of =
            |files: Option<&Files>| files.and_then(|files| files.scripts.get(&entity)).cloned();
        let own = of(Some(&self.connector));
        let below = match &own {
            Some(_) if !self.lies_on_builtin(engine, entity) => None,
            _ => of(self.builtin.as_ref()),
        };
        [
            (LayerKind::BuiltIn, below),
            (LayerKind::Connector, own),
            (LayerKind::Tenant, of(self.tenant.as_ref())),
        ]
        .into_iter()
        .filter_map(|(kind, source)| Some((kind, source?)))
        .collect()
    }

    /// Whether the connector's script of a kind sets only some fields of the built-in one.
    fn lies_on_builtin(&self, engine: &Engine, entity: Entity) -> bool {
        let own = self.connector.scripts.get(&entity);
        let there = self.builtin.as_ref().is_some_and(|files| files.scripts.contains_key(&entity));
        there && own.is_some_and(|own| !self.is_whole(engine, own, entity))
    }

    /// Whether a script sets every required field, as far as can be seen; what cannot be read is told later.
    fn is_whole(&self, engine: &Engine, source: &Arc<Source>, entity: Entity) -> bool {
        let Ok(linked) = link(source, &self.shared.modules) else { return true };
        let names = scope(rhai::Dynamic::UNIT, "");
        let Ok(ast) = engine.compile_with_scope(&names, &linked.script) else { return true };
        if ast.statements().iter().all(rhai::Stmt::is_noop) {
            return false;
        }
        let Some(entries) = literal(&ast) else { return true };
        schema::fields(entity)
            .iter()
            .filter(|field| field.need == Need::Required && field.name != "external_id")
            .all(|field| entries.iter().any(|(name, _)| name.name == field.name))
    }
}

/// The day that stands for the exceptions in force: on it, and on every later one up to today, they are the same.
pub(crate) fn day_of(exceptions: &Exceptions) -> Option<String> {
    exceptions.since.map(|day| day.to_string())
}
