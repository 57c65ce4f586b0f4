//! Exceptions: what a tenant sets otherwise for single people, records or departments, until a day.
//!
//! They are the last layer. Which of them are in force is decided when a generation is built for a day, so that a mapping
//! stays pure: the digest covers those in force and no others. Not here: how the file is read (`yaml`). The invariant: an
//! exception sets fields of records that it names and of no other, and none sets an external id.

use std::sync::Arc;

use jiff::civil::Date;
use rhai::Engine;
use serde::Serialize;
use serde_json::Value as Json;

use super::fault::{Fault, Source};
use super::script::{Role, Script};
use super::tables::Tables;
use super::yaml::{self, RawException};
use crate::model::draft::{Content, Fields};
use crate::model::entity::Entity;
use crate::model::ids::ExternalId;
use crate::port::mapper::Place;

/// Most exceptions of a tenant on one connector.
const MOST: usize = 500;

/// One exception.
#[derive(Debug)]
pub(crate) struct Exception {
    pub(crate) entity: Entity,
    pub(crate) whom: Whom,
    pub(crate) script: Script,
    pub(crate) until: Date,
    from: Option<Date>,
    reason: String,
    place: Place,
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
        format!("{:?}\n{}", self.whom, self.script.source.text)
    }

    fn state(&self, day: Option<Date>) -> ExceptionState {
        match day {
            Some(day) if self.from.is_some_and(|from| day < from) => ExceptionState::Waiting,
            Some(day) if day > self.until => ExceptionState::Expired,
            _ => ExceptionState::InForce,
        }
    }

    fn told(&self, day: Option<Date>) -> ExceptionInfo {
        let (Whom::Records(about) | Whom::Departments(about)) = &self.whom;
        let properties = self.script.properties.iter().flatten();
        ExceptionInfo {
            entity: self.entity,
            about: about.clone(),
            fields: properties.map(|property| property.name.clone()).collect(),
            from: self.from.map(|day| day.to_string()),
            until: self.until.to_string(),
            reason: self.reason.clone(),
            state: self.state(day),
            place: self.place.clone(),
        }
    }
}

impl Exceptions {
    /// Reads a file.
    ///
    /// # Errors
    /// Every [`Fault`] of every exception, those that are not in force among them.
    pub(crate) fn load(source: &Source, reading: &Reading<'_>) -> Result<Self, Vec<Fault>> {
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
        let lines = lines(&source.text, raw.len());
        let (mut all, mut faults) = (Vec::new(), Vec::new());
        for (raw, line) in raw.iter().zip(lines) {
            match exception(source, raw, line, reading) {
                Ok(exception) => all.push(exception),
                Err(found) => faults.extend(found),
            }
        }
        if faults.is_empty() { Ok(Self::on(reading.day, all)) } else { Err(faults) }
    }

    fn on(day: Option<Date>, all: Vec<Exception>) -> Self {
        let told = all.iter().map(|one| one.told(day)).collect();
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
        let mut in_force: Vec<Exception> =
            all.into_iter().filter(|one| one.state(day) == ExceptionState::InForce).collect();
        in_force.sort_by_key(|one| matches!(one.whom, Whom::Records(_)));
        Self { in_force, told, next, since }
    }
}

fn exception(
    source: &Source,
    raw: &RawException,
    line: usize,
    reading: &Reading<'_>,
) -> Result<Exception, Vec<Fault>> {
    let fault = |message: String, help: &str| {
        Err(vec![Fault::at(source, (line, 1), "mapping::exception", message).help(help)])
    };
    let Some(entity) = Entity::parse(&raw.entity) else {
        let names = Entity::ALL.map(Entity::name);
        return fault(
            format!("there is no kind of record `{}`", raw.entity),
            &format!("use one of: {}", names.join(", ")),
        );
    };
    let day = |text: &str| text.parse::<Date>().ok();
    let Some(until) = day(&raw.until) else {
        return fault("`until` is no day".to_owned(), "write the last day as `until: 2026-12-31`");
    };
    let from = match raw.from.as_deref().map(day) {
        Some(None) => {
            return fault(
                "`from` is no day".to_owned(),
                "write the first day as `from: 2026-12-01`",
            );
        }
        from => from.flatten(),
    };
    if from.is_some_and(|from| from > until) {
        return fault("`from` is later than `until`".to_owned(), "exchange the two days");
    }
    if raw.reason.trim().is_empty() {
        return fault(
            "the exception has no reason".to_owned(),
            "say why it is made: whoever removes it has to know",
        );
    }
    let whom = match whom(entity, raw) {
        Ok(whom) => whom,
        Err((message, help)) => return fault(message, help),
    };
    if raw.set.is_empty() || raw.set.contains_key("external_id") {
        let message = if raw.set.is_empty() {
            "the exception sets nothing"
        } else {
            "an exception cannot set `external_id`: a record keeps its key"
        };
        return fault(message.to_owned(), "name fields and their values below `set`");
    }
    let place = source.place(line, 1);
    let script = script(source, raw, line, entity, reading)?;
    Ok(Exception { entity, whom, script, until, from, reason: raw.reason.clone(), place })
}

fn whom(entity: Entity, raw: &RawException) -> Result<Whom, (String, &'static str)> {
    let key = "an external id is `<connection>:<kind>:<source id>`, as `rollcall explain` shows it";
    let (kind, ids) = match (&raw.matching.external_id, &raw.matching.department) {
        (Some(ids), None) => (entity, ids),
        (None, Some(ids)) if entity == Entity::Employee => (Entity::Department, ids),
        (None, Some(_)) => {
            return Err((
                "only an employee has departments to match by".to_owned(),
                "match by `external_id`",
            ));
        }
        _ => {
            return Err(("`match` needs one of `external_id` and `department`".to_owned(), key));
        }
    };
    let ids = ids.all();
    let is_key =
        |id: &String| ExternalId::parse(id).is_some() && id.split(':').nth(1) == Some(kind.name());
    if ids.is_empty() || !ids.iter().all(is_key) {
        return Err((format!("`match` names what is no external id of a kind `{kind}`"), key));
    }
    Ok(if kind == entity { Whom::Records(ids) } else { Whom::Departments(ids) })
}

/// The fields as a script of their own, each on the line that it has in the file.
fn script(
    source: &Source,
    raw: &RawException,
    line: usize,
    entity: Entity,
    reading: &Reading<'_>,
) -> Result<Script, Vec<Fault>> {
    let mut rows: Vec<(usize, String)> = Vec::new();
    for (field, value) in &raw.set {
        let at = line_of(&source.text, line, field);
        let Some(value) = written(value) else {
            let message = format!("`{field}` has a value that no field can have");
            return Err(vec![Fault::at(source, (at, 1), "mapping::exception", message).help(
                "write a text, a number, true or false, null (erases), a list, or `{ script: \"record.name\" }`",
            )]);
        };
        rows.push((at, format!("{}: {value},", quoted(field))));
    }
    rows.sort_by_key(|(at, _)| *at);
    let mut text = "\n".repeat(line.saturating_sub(1)) + "#{ ";
    let mut at = line;
    for (wanted, row) in rows {
        text.push_str(&"\n".repeat(wanted.saturating_sub(at)));
        at = at.max(wanted);
        text.push_str(&row);
    }
    text.push_str(" }");
    let made = Arc::new(Source { name: source.name.clone(), text });
    match Script::compile(reading.engine, &made, entity, Role::Layer, reading.tables)? {
        Some(script) => Ok(script),
        None => Err(vec![Fault::at(
            source,
            (line, 1),
            "mapping::exception",
            "the exception sets nothing",
        )]),
    }
}

/// A value as it stands in a script.
fn written(value: &Json) -> Option<String> {
    Some(match value {
        Json::Null => "clear()".to_owned(),
        Json::Bool(flag) => flag.to_string(),
        Json::Number(number) if number.is_i64() => number.to_string(),
        Json::Number(number) => format!("{:?}", number.as_f64()?),
        Json::String(text) => quoted(text),
        Json::Array(items) => {
            let items: Option<Vec<String>> = items.iter().map(written).collect();
            format!("[{}]", items?.join(", "))
        }
        Json::Object(entries) => {
            if let (1, Some(Json::String(script))) = (entries.len(), entries.get("script")) {
                return Some(format!("({script})"));
            }
            let entry = |(key, value): (&String, &Json)| {
                Some(format!("{}: {}", quoted(key), written(value)?))
            };
            let entries: Option<Vec<String>> = entries.iter().map(entry).collect();
            format!("#{{ {} }}", entries?.join(", "))
        }
    })
}

fn quoted(text: &str) -> String {
    let mut quoted = String::from("\"");
    for letter in text.chars() {
        match letter {
            '"' | '\\' => quoted.extend(['\\', letter]),
            '\n' => quoted.push_str("\\n"),
            '\r' => quoted.push_str("\\r"),
            '\t' => quoted.push_str("\\t"),
            other => quoted.push(other),
        }
    }
    quoted.push('"');
    quoted
}

/// The line on which each exception begins, from 1.
fn lines(text: &str, count: usize) -> Vec<usize> {
    let is_start = |line: &str| line == "-" || line.starts_with("- ");
    let starts = text.lines().zip(1..).filter(|(line, _)| is_start(line)).map(|(_, at)| at);
    let mut lines: Vec<usize> = starts.collect();
    // Written in another way, the file as a whole is named.
    if lines.len() != count {
        lines = vec![1; count];
    }
    lines
}

/// The line of a field, or that of its exception.
fn line_of(text: &str, start: usize, field: &str) -> usize {
    let mut inside = text.lines().zip(1..).skip(start.saturating_sub(1));
    let first = inside.next();
    let is_it = |line: &str| {
        let line = line.trim_start().trim_start_matches(['"', '\'']);
        line.strip_prefix(field)
            .is_some_and(|rest| rest.trim_start_matches(['"', '\'']).trim_start().starts_with(':'))
    };
    first
        .into_iter()
        .chain(inside.take_while(|(line, _)| !line.starts_with('-')))
        .find(|(line, _)| is_it(line))
        .map_or(start, |(_, at)| at)
}
