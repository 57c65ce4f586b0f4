//! What is wrong with mappings, found before any record is mapped: values that cannot fit, parts of a record that nobody has
//! ever seen, branches that never run.
//!
//! Not here: syntax and names (`script`, `check`), and what only shows with a record (`explain`). `infer` reads a script
//! without running it, `fields` holds what it gives against the schema, `known` is what records are known to hold. The
//! invariant: no false alarm; what cannot be told is not told.

mod catalogue;
mod chain;
mod fields;
mod infer;
mod kinds;
mod known;
mod path;
mod results;

#[cfg(test)]
pub(in crate::mapping) mod tests;

use std::collections::{BTreeMap, BTreeSet, HashMap};
use std::sync::Arc;

pub use catalogue::documented;
pub use known::Known;
pub(super) use known::Shown;
pub(super) use path::Path;

use self::fields::Found;
use self::infer::{Dead, Infer, Read};
use super::compiled::{Literal, Unsupported, labels};
use super::engine::{self, LIMITS};
use super::exceptions::Exception;
use super::fault::{Fault, Severity};
use super::generation::Generation;
use super::layers::Layers;
use super::library::Env;
use super::load;
use super::script::{Script, literal};
use super::tables::Tables;
use crate::model::entity::Entity;
use crate::model::schema;

/// What is known of each kind of record.
pub type Pictures = BTreeMap<Entity, Known>;

impl Generation {
    /// What keeps mappings out of force although they compile: values that cannot fit the schema.
    pub(crate) fn misfits(&self) -> Vec<Fault> {
        let mut faults = self.told(&Pictures::new());
        faults.retain(|fault| fault.severity() == Severity::Error);
        faults
    }

    /// What looks like a mistake in mappings that are fit to be in force, and what is good to know of them, in the order
    /// of the files. `pictures` is what the source's records are known to hold.
    pub fn findings(&self, pictures: &Pictures) -> Vec<Fault> {
        let mut faults = self.told(pictures);
        faults.extend(self.idle.iter().filter_map(Exception::stale));
        for mapping in self.mappings.values() {
            match &mapping.fast {
                Ok(fast) => {
                    for (program, script) in fast.programs.iter().zip(&mapping.scripts) {
                        let before = program.before.iter();
                        faults.extend(before.map(|before| slow(script, None, &before.reason)));
                        let reasons = program.reasons.iter();
                        faults.extend(reasons.map(|(field, why)| slow(script, Some(field), why)));
                    }
                }
                Err(why) => {
                    let script = mapping.scripts.get(why.script);
                    faults.extend(script.map(|script| slow(script, None, &why.reason)));
                }
            }
        }
        sorted(faults)
    }

    /// Every error, warning and note of layers, whether they can be loaded or not.
    pub fn review(layers: &Layers, pictures: &Pictures) -> Vec<Fault> {
        let mut faults = match load::load(layers.clone()) {
            Ok(generation) => return generation.findings(pictures),
            Err(errors) => errors,
        };
        for entity in layers.connector.scripts.keys() {
            let mut alone = layers.clone();
            let builtin = alone.builtin.iter_mut().chain(alone.tenant.iter_mut());
            for files in builtin.chain([&mut alone.connector]) {
                files.scripts.retain(|other, _| other == entity);
                files.exceptions = None;
            }
            // A script without an error tells its warnings although another one has errors.
            if let Ok(generation) = load::load(alone) {
                faults.extend(generation.findings(pictures));
            }
        }
        faults
    }

    fn told(&self, pictures: &Pictures) -> Vec<Fault> {
        let engine = engine::build(&Arc::new(Env::blank(&self.tables)), LIMITS);
        let mut faults = Vec::new();
        let scripts = self
            .mappings
            .iter()
            .flat_map(|(entity, mapping)| mapping.scripts.iter().map(|script| (*entity, script)));
        // What an exception sets is checked before its first day, so that nothing is refused on that day.
        let exceptions = self.lasting().map(|exception| (exception.entity, &exception.script));
        for (entity, script) in scripts.chain(exceptions) {
            let labels = labels(&engine, &script.linked.text());
            let reading = read(script, entity, &self.tables, &labels);
            faults.extend(reading.faults(script, pictures.get(&entity)));
        }
        sorted(faults)
    }
}

/// What was read off one script.
struct Reading {
    found: Vec<Found>,
    dead: BTreeSet<(usize, usize, Dead)>,
    reads: BTreeSet<Read>,
}

fn read(
    script: &Script,
    entity: Entity,
    tables: &Tables,
    labels: &HashMap<u64, Literal>,
) -> Reading {
    let mut infer = Infer::new(script, tables, labels);
    infer.bodies();
    let mut found = Vec::new();
    match (literal(&script.ast), script.ast.statements()) {
        (Some(entries), [before @ .., _]) => {
            infer.statements(before);
            for (name, value) in entries {
                let ty = infer.expr(value);
                if let Some(field) = schema::field(entity, name.as_str()) {
                    found.extend(fields::check(entity, field, &ty, name.pos));
                }
            }
        }
        (_, statements) => drop(infer.statements(statements)),
    }
    Reading { found, dead: infer.dead, reads: infer.reads }
}

impl Reading {
    fn faults(self, script: &Script, known: Option<&Known>) -> Vec<Fault> {
        let mut faults: Vec<Fault> =
            self.found.into_iter().map(|found| shown(script, found)).collect();
        faults.extend(self.dead.iter().map(|(line, column, what)| {
            let (code, message, label, help) = dead(*what);
            at(script, (*line, *column), code, message)
                .severe(Severity::Warning)
                .label(label)
                .help(help)
        }));
        let mut told = BTreeSet::new();
        for read in &self.reads {
            let Some(unknown) = known.and_then(|known| known.unknown(&read.path)) else { continue };
            // What lies below an unknown part is told with it.
            if unknown.path != read.path || !told.insert((read.line, unknown.path.clone())) {
                continue;
            }
            let message = format!(
                "nothing has ever shown `record.{}`: no page of the platform, no stored record",
                unknown.path
            );
            let fault = at(script, (read.line, read.column), "mapping::unknown_path", message);
            let fault = fault.severe(Severity::Warning).label("not known");
            faults.push(match unknown.near {
                Some(near) => fault.help(format!("did you mean `{near}`?")),
                None => fault.help("look the name up in the platform's pages; where it is right, sync once, so that a record shows it"),
            });
        }
        faults
    }
}

/// A finding at a place of a script, or of the module that stands there.
fn at(
    script: &Script,
    (line, column): (usize, usize),
    code: &'static str,
    message: impl Into<String>,
) -> Fault {
    let (source, line, column) = script.linked.resolve(line.max(1), column.max(1));
    Fault::at(source, (line, column), code, message)
}

/// What runs in the interpreter.
fn slow(script: &Script, field: Option<&str>, why: &Unsupported) -> Fault {
    let what = field
        .map_or_else(|| "this mapping runs".to_owned(), |field| format!("`{field}` is evaluated"));
    let place = (why.at.line().unwrap_or(1), why.at.position().unwrap_or(1));
    let message = format!("{what} in the interpreter, several times slower than the rest");
    at(script, place, "mapping::interpreted", message)
        .severe(Severity::Note)
        .label(format!("it contains {}", why.what))
        .help("nothing is wrong with it; where speed matters, write it with `map`, `filter`, `switch` and functions")
}

fn shown(script: &Script, found: Found) -> Fault {
    let (line, column) = (found.at.line().unwrap_or(1), found.at.position().unwrap_or(1));
    at(script, (line, column), found.code, found.message)
        .severe(found.severity)
        .label(found.label)
        .help(found.help)
}

fn dead(what: Dead) -> (&'static str, String, &'static str, &'static str) {
    match what {
        Dead::Condition(truth) => (
            "mapping::dead_branch",
            format!("this condition is always {truth}, so one of its branches never runs"),
            if truth { "always true" } else { "always false" },
            "compare what the record tells, or keep only the branch that runs",
        ),
        Dead::Default => (
            "mapping::dead_default",
            "what stands before `??` always has a value, so this never counts".to_owned(),
            "never used",
            "remove it, or let what stands before give `()`: `blank_to_missing(..)` does for blank text",
        ),
        Dead::Arm => (
            "mapping::dead_arm",
            "this arm of the `switch` is never taken".to_owned(),
            "never taken",
            "an arm before has the same value, or the value is never of this type; remove it or mend its value",
        ),
    }
}

fn sorted(mut faults: Vec<Fault>) -> Vec<Fault> {
    let key = |fault: &Fault| {
        let place = fault.place();
        (place.script.clone(), place.line, place.column, fault.code(), fault.to_string())
    };
    faults.sort_by_cached_key(key);
    faults.dedup_by(|a, b| key(a) == key(b));
    faults
}
