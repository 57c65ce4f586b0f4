//! From what stands in an exceptions file to an [`Exception`], or to what is wrong with it.
//!
//! Not here: where things stand (`written`), and whether values fit (`analysis`). The invariant: an [`Exception`] sets
//! exactly the fields that stand below `set`, and its script has passed every check of a layer's.

use std::sync::Arc;

use jiff::Span;
use jiff::civil::Date;

use super::written::{self, Block};
use super::{Exception, ExceptionState, Reading, Whom};
use crate::mapping::fault::{Fault, Source};
use crate::mapping::script::{Role, Script};
use crate::mapping::yaml::RawException;
use crate::model::entity::Entity;
use crate::model::ids::ExternalId;

/// An exception that ended more days ago is told.
pub(super) const STALE_DAYS: i64 = 30;

/// One exception, checked.
pub(super) fn exception(
    source: &Arc<Source>,
    raw: &RawException,
    block: &Block<'_>,
    reading: &Reading<'_>,
) -> Result<Exception, Vec<Fault>> {
    let line = block.line();
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
    let script = script(source, raw, block, entity, reading)?;
    Ok(Exception {
        entity,
        whom,
        script,
        from,
        until,
        state: state(reading.day, from, until),
        stale: reading.day.is_some_and(|day| is_long_ago(until, day)),
        reason: raw.reason.clone(),
        place: source.place(line, 1),
        block: block.range.clone(),
    })
}

fn state(day: Option<Date>, from: Option<Date>, until: Date) -> ExceptionState {
    match day {
        Some(day) if from.is_some_and(|from| day < from) => ExceptionState::Waiting,
        Some(day) if day > until => ExceptionState::Expired,
        _ => ExceptionState::InForce,
    }
}

fn is_long_ago(until: Date, day: Date) -> bool {
    let last = until.checked_add(Span::new().days(STALE_DAYS));
    last.is_ok_and(|last| last < day)
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

/// The fields as a script of their own.
fn script(
    source: &Arc<Source>,
    raw: &RawException,
    block: &Block<'_>,
    entity: Entity,
    reading: &Reading<'_>,
) -> Result<Script, Vec<Fault>> {
    let fault = |at: (usize, usize), message: String, help: &str| {
        vec![Fault::at(source, at, "mapping::exception", message).help(help)]
    };
    let linked = written::script(source, block, &raw.set).map_err(|(field, key)| {
        fault(
            block.position(key),
            format!("`{field}` has a value that no field can have"),
            "write a text, a number, true or false, null (erases), a list, or `{ script: \"record.name\" }`",
        )
    })?;
    let made = (source, linked);
    let compiled =
        Script::compile_linked(reading.engine, made, entity, Role::Layer, reading.tables)?;
    let set = |script: &Script| {
        let properties = script.properties.iter().flatten();
        properties.map(|property| property.name.as_str()).eq(raw.set.keys().map(String::as_str))
    };
    compiled.filter(set).ok_or_else(|| {
        fault(
            (block.line(), 1),
            "a `script` holds more than one expression".to_owned(),
            "write one expression for each field below `set`",
        )
    })
}
