//! Which branches of a mapping records reach, which fields they set, and which values its tables do not cover.
//!
//! A [`Watcher`] evaluates watched trees beside the mapper, never in its place; `reach` and `lookups` tell what came of it.
//! Not here: choosing records (`pick`). The invariant: what is counted was reached; parts that run in the interpreter are
//! not counted, and said to be so.

mod lookups;
mod reach;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use self::lookups::Lookups;
use super::compiled::{Halt, Mark, Program, Target, Watch};
use super::engine::{self, LIMITS};
use super::exceptions::Sightings;
use super::fault::Source;
use super::generation::{Generation, SettingError};
use super::library::Env;
use super::linked::Linked;
use super::mapper::Mapping;
use super::projection::Projection;
use super::script::Script;
use super::tape::{Doc, Tape};
use crate::model::draft::{Content, Fields};
use crate::model::entity::Entity;
use crate::model::ids::{ConnectionId, ExternalId};
use crate::model::record::Record;
use crate::model::schema;

pub use reach::{Coverage, FieldCoverage, Missed};

/// Watches how the records of one kind go through their mapping.
pub struct Watcher {
    entity: Entity,
    mappings: Arc<BTreeMap<Entity, Mapping>>,
    parts: Vec<Part>,
    /// The exceptions of the kind; none where only the interpreter can run one.
    exceptions: Vec<Option<Part>>,
    projection: Projection,
    env: Arc<Env>,
    tape: Tape,
    reached: BTreeSet<usize>,
    states: Vec<[u64; 3]>,
    looks: Lookups,
    records: u64,
}

struct Part {
    program: Program,
    script: Linked,
    /// The number of its first mark among those of all parts.
    first: usize,
}

/// What one record reached: numbers that stand for branches and for fields with a value, erased or left alone.
#[derive(Clone, Debug, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Reached(Vec<usize>);

impl Reached {
    /// The numbers, in order.
    pub fn items(&self) -> &[usize] {
        &self.0
    }
}

impl Generation {
    /// A watcher of one kind of record with a connection's settings; `None` when there is no mapping of it, or none of it
    /// is compiled.
    ///
    /// # Errors
    /// [`SettingError`] when the zone or the region does not exist.
    pub fn watcher(
        &self,
        entity: Entity,
        connection: &ConnectionId,
        zone: &str,
        region: &str,
    ) -> Result<Option<Watcher>, SettingError> {
        let Some(mapping) = self.mappings.get(&entity) else { return Ok(None) };
        let env = Arc::new(self.env(connection, zone, region)?);
        let engine = engine::build(&Arc::new(Env::blank(&self.tables)), LIMITS);
        let mut projection = Projection::new();
        let mut first = 0;
        let mut part = |script: &Script| part(&engine, script, entity, &mut projection, &mut first);
        let Some(parts) = mapping.scripts.iter().map(&mut part).collect() else { return Ok(None) };
        let exceptions = mapping.exceptions.iter().map(|one| part(&one.script)).collect();
        Ok(Some(Watcher {
            entity,
            mappings: Arc::clone(&self.mappings),
            parts,
            exceptions,
            projection,
            env,
            tape: Tape::default(),
            reached: BTreeSet::new(),
            states: vec![[0; 3]; schema::fields(entity).len()],
            looks: Lookups::default(),
            records: 0,
        }))
    }
}

fn part(
    engine: &rhai::Engine,
    script: &Script,
    entity: Entity,
    projection: &mut Projection,
    first: &mut usize,
) -> Option<Part> {
    let program = Program::watched(engine, script, entity, projection).ok()?;
    let part = Part { script: script.linked.clone(), first: *first, program };
    *first += part.program.marks.len();
    Some(part)
}

impl Watcher {
    /// Takes the records that follow for those of another connection with the same settings.
    pub fn turn_to(&mut self, connection: &ConnectionId) {
        if self.env.connection == *connection {
            return;
        }
        self.env = Arc::new(Env { connection: connection.clone(), ..(*self.env).clone() });
    }

    /// Lets the record of a case go through; what it reached. What cannot be read, and what the tree leaves to the
    /// interpreter, reaches as far as it got. No exception is about it.
    pub fn look(&mut self, payload: &[u8]) -> Reached {
        self.pass(payload, None)
    }

    /// Lets a stored record go through, with the exceptions that are about it, and takes note of who it is.
    pub fn look_at(&mut self, record: &Record, sightings: &mut Sightings) {
        sightings.see(&self.env.connection, self.entity, &record.id);
        let own = ExternalId::of(&self.env.connection, self.entity, record.id.as_str());
        self.pass(&record.payload, Some((&own, sightings)));
    }

    fn pass(&mut self, payload: &[u8], stored: Option<(&ExternalId, &mut Sightings)>) -> Reached {
        let marks = self.parts.last().map_or(0, |part| part.first + part.program.marks.len());
        let Ok(text) = std::str::from_utf8(payload) else { return Reached::default() };
        let Ok(doc) = self.tape.parse(text, &self.projection) else { return Reached::default() };
        self.records += 1;
        let (mut reached, mut states) = (BTreeSet::new(), BTreeMap::new());
        let mut fields = Fields::new(self.entity);
        let mut whole = true;
        for part in &self.parts {
            let (done, watch) = part.run(&doc, &self.env, &mut fields, &mut states);
            reached.extend(watch.reached.iter().map(|mark| part.first + mark));
            watch.looks.into_iter().for_each(|look| self.looks.count(part.first, look));
            if !done {
                states.clear();
                whole = false;
                break;
            }
        }
        if let Some((own, sightings)) = stored.filter(|_| whole) {
            sightings.see_fields(&fields);
            let mapping = self.mappings.get(&self.entity);
            let exceptions = mapping.iter().flat_map(|mapping| &mapping.exceptions);
            for (exception, part) in exceptions.zip(&self.exceptions) {
                if !exception.is_about(&fields, own.as_str()) {
                    continue;
                }
                // What the interpreter sets is not known here, nor whom later ones are about then.
                let Some(part) = part else { break };
                let (_, watch) = part.run(&doc, &self.env, &mut fields, &mut BTreeMap::new());
                watch.looks.into_iter().for_each(|look| self.looks.count(part.first, look));
            }
        }
        for (at, state) in states {
            if let Some(counts) = self.states.get_mut(at) {
                counts[state] += 1;
            }
            reached.insert(marks + at * 3 + state);
        }
        self.reached.extend(&reached);
        Reached(reached.into_iter().collect())
    }

    /// The marks of the layers' scripts, numbered.
    fn marks(&self) -> impl Iterator<Item = (usize, &Mark, &Part)> {
        self.parts.iter().flat_map(|part| {
            let marks = part.program.marks.iter().enumerate();
            marks.map(move |(nth, mark)| (part.first + nth, mark, part))
        })
    }

    /// A mark by its number, those of exceptions among them.
    fn mark(&self, number: usize) -> Option<(&Mark, &Part)> {
        let mut parts = self.parts.iter().chain(self.exceptions.iter().flatten());
        parts.find_map(|part| {
            let nth = number.checked_sub(part.first)?;
            Some((part.program.marks.get(nth)?, part))
        })
    }
}

impl Part {
    /// Evaluates the script; puts what it sets into `fields`, and whether that is a value, erased or left alone into `states`.
    /// Whether it came to its end.
    fn run<'a>(
        &'a self,
        doc: &'a Doc<'a>,
        env: &'a Env,
        fields: &mut Fields<'a>,
        states: &mut BTreeMap<usize, usize>,
    ) -> (bool, Watch) {
        let entity = fields.entity();
        let (outcome, watch) = self.program.watch(doc, env, |target, value| {
            let content = value.into_content().map_err(|_| Halt::Fail)?;
            let at = match target {
                Target::Field(at) => Some(*at),
                Target::Name(name) => schema::position(entity, name),
            };
            let state = match &content {
                Some(Content::Null) => 1,
                Some(_) => 0,
                None => 2,
            };
            if let Some(at) = at {
                states.insert(at, state);
                match content {
                    Some(content) => fields.set_at(at, content),
                    None => fields.unset_at(at),
                }
            }
            Ok(())
        });
        (matches!(outcome, Ok(true)), watch)
    }
}

/// Where a mark really stands: in the script or in a module.
fn resolved(mark: Mark, part: &Part) -> (&Arc<Source>, usize, usize) {
    part.script.resolve(mark.at.line().unwrap_or(1), mark.at.position().unwrap_or(1))
}
