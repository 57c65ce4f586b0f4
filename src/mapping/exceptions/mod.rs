//! Exceptions: what a tenant sets otherwise for single people, records or departments, until a day.
//!
//! They are the last layer. Which of them are in force is decided when a generation is built for a day, so that a
//! mapping stays pure: the digest covers those in force and no others. `read` makes them of what `yaml` found in the
//! file, `written` knows where in the file their parts stand, `named` tells those about nobody. Not here: whether
//! their values fit (`analysis`). The invariant: an exception sets fields of records that it names and of no other,
//! and none sets an external id.

mod named;
mod read;
mod written;

#[cfg(test)]
mod tests;

use std::ops::Range;
use std::sync::Arc;

use jiff::civil::Date;
use rhai::Engine;
use serde::Serialize;

use self::written::Block;
use super::fault::{Fault, Severity, Source};
use super::script::Script;
use super::tables::Tables;
use super::yaml;
use crate::model::draft::{Content, Fields};
use crate::model::entity::Entity;
use crate::port::mapper::Place;

pub use named::Sightings;

/// Most exceptions of a tenant on one connector.
const MOST: usize = 500;

/// One exception.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) entity: Entity,
    pub(crate) whom: Whom,
    pub(crate) script: Script,
    pub(crate) until: Date,
    pub(crate) state: ExceptionState,
    pub(crate) reason: String,
    from: Option<Date>,
    /// Whether it ended long before the day.
    stale: bool,
    place: Place,
    /// Its bytes in the file.
    block: Range<usize>,
}

/// Which records an exception is about.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Whom {
    /// These records.
    Records(Vec<String>),
    /// People who are in one of these departments.
    Departments(Vec<String>),
}

/// An exception as people are told of it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct ExceptionInfo {
    /// The kind of record.
    pub entity: Entity,
    /// The records or departments it is about.
    pub about: Vec<String>,
    /// The fields that it sets.
    pub fields: Vec<String>,
    /// The first day, if it does not hold from the start.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub from: Option<String>,
    /// The last day.
    pub until: String,
    /// Why it is made.
    pub reason: String,
    /// Whether it is in force on the generation's day.
    pub state: ExceptionState,
    /// Where it stands.
    pub place: Place,
}

/// Whether an exception is in force.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case")]
pub enum ExceptionState {
    /// Its first day has not come.
    Waiting,
    /// It is applied.
    InForce,
    /// Its last day is over: it can be removed.
    Expired,
}

/// The exceptions of a file on a day.
#[derive(Debug, Default)]
pub(crate) struct Exceptions {
    /// Those in force, those of departments first: what is said of a person counts more.
    pub(crate) in_force: Vec<Exception>,
    /// Those that are not in force any more, or not yet.
    pub(crate) idle: Vec<Exception>,
    /// All of them, in the order of the file.
    pub(crate) told: Vec<ExceptionInfo>,
    /// The first day on which others will be in force.
    pub(crate) next: Option<Date>,
    /// The day since which just these are in force; none if it was always so.
    pub(crate) since: Option<Date>,
}

/// What exceptions are read with.
pub(crate) struct Reading<'a> {
    pub(crate) engine: &'a Engine,
    pub(crate) tables: &'a Tables,
    /// The day that decides; without one all are in force, for checks.
    pub(crate) day: Option<Date>,
}

impl Exception {
    /// Whether a record with these fields is meant; `own` is its external id if the mapping sets none.
    pub(crate) fn is_about(&self, fields: &Fields<'_>, own: &str) -> bool {
        let is = |content: &Content<'_>, known: &[String]| match content {
            Content::Text(text) => known.iter().any(|id| *id == **text),
            _ => false,
        };
        match &self.whom {
            Whom::Records(ids) => match fields.value("external_id") {
                Some(id) => is(id, ids),
                None => ids.iter().any(|id| id == own),
            },
            Whom::Departments(ids) => match fields.value("department_external_ids") {
                Some(Content::List(list)) => list.iter().any(|id| is(id, ids)),
                _ => false,
            },
        }
    }

    /// Where it stands.
    pub(crate) fn place(&self) -> &Place {
        &self.place
    }

    /// The file that it stands in, as a script.
    pub(crate) fn file(&self) -> &Source {
        &self.script.source
    }

    /// Everything that it changes drafts by, for digests.
    pub(crate) fn text(&self) -> String {
        format!("{:?}\n{}", self.whom, self.script.linked.script)
    }

    /// That it can be removed, where it ended long ago.
    pub(crate) fn stale(&self) -> Option<Fault> {
        let message = format!("this exception ended on {}, long ago", self.until);
        let fault =
            || Fault::at(self.file(), (self.place.line, 1), "mapping::exception_ended", message);
        self.stale.then(fault).map(|fault| {
            fault
                .severe(Severity::Note)
                .label("without effect")
                .help("remove it, or give it a later day if it is still needed")
        })
    }

    fn told(&self) -> ExceptionInfo {
        let about = self.whom.ids();
        let properties = self.script.properties.iter().flatten();
        ExceptionInfo {
            entity: self.entity,
            about: about.to_vec(),
            fields: properties.map(|property| property.name.clone()).collect(),
            from: self.from.map(|day| day.to_string()),
            until: self.until.to_string(),
            reason: self.reason.clone(),
            state: self.state,
            place: self.place.clone(),
        }
    }
}

impl Whom {
    /// The external ids that it names.
    pub(crate) fn ids(&self) -> &[String] {
        match self {
            Self::Records(ids) | Self::Departments(ids) => ids,
        }
    }
}

impl Exceptions {
    /// Reads a file.
    ///
    /// # Errors
    /// Every [`Fault`] of every exception, those that are not in force among them.
    pub(crate) fn load(source: &Arc<Source>, reading: &Reading<'_>) -> Result<Self, Vec<Fault>> {
        let raw = yaml::exceptions(&source.text).map_err(|fault| {
            vec![
                Fault::of(source, fault.at, "mapping::exception", fault.message)
                    .help("an exception has `entity`, `match`, `set`, `until` and `reason`"),
            ]
        })?;
        if raw.len() > MOST {
            let message = format!("there are more than {MOST} exceptions");
            return Err(vec![
                Fault::of(source, None, "mapping::exception", message).help(
                    "what so many have in common is a rule; write it into the layer's script",
                ),
            ]);
        }
        let blocks = Block::all(&source.text, raw.len());
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for (raw, block) in raw.iter().zip(&blocks) {
            match read::exception(source, raw, block, reading) {
                Ok(exception) => all.push(exception),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self::on(reading.day, all)) } else { Err(faults) }
    }

    fn on(day: Option<Date>, all: Vec<Exception>) -> Self {
        let told = all.iter().map(Exception::told).collect();
        // The days on which something changes: the first of one, the first after another.
        let borders = all.iter().flat_map(|one| [one.from, one.until.tomorrow().ok()]).flatten();
        let (mut next, mut since) = (None, None);
        for border in borders {
            match day {
                Some(day) if border > day => next = next.into_iter().chain([border]).min(),
                Some(_) => since = since.into_iter().chain([border]).max(),
                None => {}
            }
        }
        let (mut in_force, idle): (Vec<_>, Vec<_>) =
            all.into_iter().partition(|one| one.state == ExceptionState::InForce);
        in_force.sort_by_key(|one| matches!(one.whom, Whom::Records(_)));
        Self { in_force, idle, told, next, since }
    }
}
