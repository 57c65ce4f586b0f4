//! How far records reach into a mapping: branches, and what became of each field.
//!
//! Not here: letting records go through (`Watcher`). The invariant: a branch counts as missed only if every script that
//! holds it was watched; fields that the interpreter runs are named instead.

use serde::Serialize;

use super::{Part, Watcher, resolved};
use crate::mapping::compiled::{Branch, Mark};
use crate::mapping::generation::Generation;
use crate::mapping::{cases, yaml};
use crate::model::entity::Entity;
use crate::model::ids::ConnectionId;
use crate::model::schema;
use crate::port::mapper::Place;

/// How far records reach into the mapping of one kind.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Coverage {
    /// The kind of record.
    pub entity: Entity,
    /// How many records went through it.
    pub records: u64,
    /// Branches that were reached.
    pub reached: usize,
    /// All branches.
    pub branches: usize,
    /// Those that no record reached.
    pub missed: Vec<Missed>,
    /// The fields that the mapping sets.
    pub fields: Vec<FieldCoverage>,
    /// Fields that run in the interpreter and are not counted.
    pub uncounted: Vec<String>,
}

/// A branch that no record reached.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Missed {
    /// What kind of branch.
    pub branch: &'static str,
    /// Where it begins.
    pub place: Place,
}

/// How often a field came out how.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct FieldCoverage {
    /// The field.
    pub field: &'static str,
    /// Records that gave it a value.
    pub value: u64,
    /// Records that erased it.
    pub null: u64,
    /// Records that left it alone.
    pub missing: u64,
}

impl Generation {
    /// How far the cases beside the mappings reach, for each kind of record that has a mapping.
    pub fn coverage(&self, connector: &ConnectionId) -> Vec<Coverage> {
        let mut found = Vec::new();
        for entity in self.entities() {
            let Ok(Some(mut watcher)) = self.watcher(entity, connector, cases::ZONE, cases::REGION)
            else {
                continue;
            };
            for source in self.cases.get(&entity).into_iter().flatten() {
                if let Ok(case) = yaml::case(&source.text) {
                    watcher.look(case.record.to_string().as_bytes());
                }
            }
            found.push(watcher.coverage());
        }
        found
    }
}

impl Watcher {
    /// How far all records together reached.
    pub fn coverage(&self) -> Coverage {
        let branches: Vec<_> =
            self.marks().filter(|(_, mark, _)| mark.what != Branch::Lookup).collect();
        let missed = branches.iter().filter(|(number, ..)| !self.reached.contains(number));
        let mut missed: Vec<Missed> = missed
            .map(|(_, mark, part)| Missed { branch: word(mark.what), place: place(**mark, part) })
            .collect();
        missed.sort_by(|a, b| {
            (&a.place.script, a.place.line, a.place.column).cmp(&(
                &b.place.script,
                b.place.line,
                b.place.column,
            ))
        });
        let table = schema::fields(self.entity).iter().zip(&self.states);
        Coverage {
            entity: self.entity,
            records: self.records,
            reached: branches.len() - missed.len(),
            branches: branches.len(),
            missed,
            fields: table
                .filter(|(_, counts)| counts.iter().any(|count| *count > 0))
                .map(|(field, [value, null, missing])| FieldCoverage {
                    field: field.name,
                    value: *value,
                    null: *null,
                    missing: *missing,
                })
                .collect(),
            uncounted: self
                .parts
                .iter()
                .flat_map(|part| part.program.reasons.iter().map(|(field, _)| field.clone()))
                .collect(),
        }
    }
}

fn place(mark: Mark, part: &Part) -> Place {
    let (source, line, column) = resolved(mark, part);
    source.place(line, column)
}

fn word(branch: Branch) -> &'static str {
    match branch {
        Branch::Then => "`if`",
        Branch::Else => "`else`",
        Branch::Arm => "arm of `switch`",
        Branch::Default => "after `??`",
        Branch::Lookup => "lookup",
    }
}
