//! `rollcall explain <person|key> [field]` and `rollcall history`: why a value is so, why somebody is not there, what a
//! record was before.

use std::fmt::Write as _;

use serde_json::Value;

use crate::app::{ExplainAsked, Explained, FieldTold, PlanTold, Question, VersionTold};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::whose::Whose;
use crate::cli::{Context, local};
use crate::model::entity::Entity;
use crate::model::ids::RunId;
use crate::model::sources::LayerKind;
use crate::port::mapper::{Excepted, Place, Read, RowUsed, Without};

/// Which record, and when.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Which {
    #[command(flatten)]
    whose: Whose,
    /// Only this kind of record.
    #[arg(long, value_parser = crate::cli::mapping::entity)]
    entity: Option<Entity>,
    /// As it was after this run, instead of now.
    #[arg(long)]
    run: Option<u32>,
}

impl Which {
    fn asked(&self, key: &str) -> ExplainAsked {
        let about = self.whose.about(self.entity);
        ExplainAsked { about, key: key.to_owned(), run: self.run.map(RunId) }
    }
}

pub(in crate::cli) fn explain(
    context: &Context,
    key: &str,
    field: Option<&str>,
    which: &Which,
) -> Result<Outcome, Failure> {
    let mut told: Vec<Explained> = local::ask(context, &Question::Explain(which.asked(key)))?;
    if let Some(field) = field {
        for one in &mut told {
            one.fields.retain(|told| told.traced.field == field);
        }
        if told.iter().all(|one| one.fields.is_empty() && one.why_not.is_empty()) {
            return Err(Failure::user(format!("the draft of `{key}` has no field `{field}`"))
                .hint("the mapping leaves it alone; leave the field out to see those it sets"));
        }
    }
    context.format.show(&told, |told| told.iter().map(text).collect::<Vec<_>>().join("\n"));
    Ok(Outcome::Done)
}

fn text(told: &Explained) -> String {
    let mut out = format!("{} ({}/{})\n", told.external_id, told.tenant, told.connection);
    for why in &told.why_not {
        writeln!(out, "  not in the EHR as it stands here: {why}").ok();
    }
    if let Some(place) = &told.place {
        writeln!(out, "    at {}", at(place)).ok();
    }
    for field in &told.fields {
        one_field(&mut out, field);
    }
    let (run, began) = &told.snapshot;
    let from = if told.archived { "the archive" } else { "the newest snapshot" };
    writeln!(out, "  raw record: {from}, decided on by run {run}{}", time(*began)).ok();
    if let Some(generation) = &told.generation {
        writeln!(out, "  mapping: generation {}", generation.short()).ok();
    }
    if !told.same_build {
        out.push_str("  note: another build of rollcall ran then; this one may map otherwise\n");
    }
    if let Some(PlanTold { run, at_ms, verb, state, reason }) = &told.plan {
        let (verb, state) =
            (format!("{verb:?}").to_lowercase(), format!("{state:?}").to_lowercase());
        write!(out, "  plan: {verb} in run {run}{}, {state}", time(Some(*at_ms))).ok();
        writeln!(out, "{}", reason.as_ref().map(|it| format!(" ({it})")).unwrap_or_default()).ok();
    }
    for note in &told.notes {
        writeln!(out, "  note: {note}").ok();
    }
    out
}

fn one_field(out: &mut String, told: &FieldTold) {
    let FieldTold { value, ehr, traced } = told;
    writeln!(out, "  {} = {value}", traced.field).ok();
    if let Some(ehr) = ehr {
        writeln!(out, "    the EHR holds {ehr}").ok();
    }
    match &traced.place {
        Some(place) => {
            let layer = traced.layer.map_or("", LayerKind::name);
            writeln!(out, "    set by the {layer} layer at {}", at(place)).ok()
        }
        None => writeln!(out, "    set by rollcall: no line of a mapping does").ok(),
    };
    if let Some(Excepted { until, reason, without }) = &traced.exception {
        let without = match without {
            Without::Value(value) => format!("it would be {value}"),
            Without::LeftAlone => "the field would be left alone".to_owned(),
            Without::LeftOut => "the mapping would leave the record out".to_owned(),
            Without::Parked(why) => format!("the record would be parked: {why}"),
        };
        writeln!(out, "    until {until}, because: {reason}; without it {without}").ok();
    }
    for Read { path, value } in &traced.reads {
        let value = value.as_ref().map_or_else(|| "nothing".to_owned(), Value::to_string);
        writeln!(out, "    reads {path}: {value}").ok();
    }
    for RowUsed { table, key, word } in &traced.rows {
        let word = word.as_ref().map_or_else(|| "no row".to_owned(), Value::to_string);
        writeln!(out, "    table {table}: {key} -> {word}").ok();
    }
}

fn at(place: &Place) -> String {
    format!("{}:{}: {}", place.script, place.line, place.text.trim())
}

fn time(ms: Option<i64>) -> String {
    let stamp = ms.and_then(|ms| jiff::Timestamp::from_millisecond(ms).ok());
    stamp.map(|stamp| format!(" ({stamp:.0})")).unwrap_or_default()
}

pub(in crate::cli) fn history(
    context: &Context,
    key: &str,
    which: &Which,
) -> Result<Outcome, Failure> {
    let told: Vec<VersionTold> = local::ask(context, &Question::History(which.asked(key)))?;
    context.format.show(&told, |told| {
        let mut out = String::new();
        for one in told {
            one_version(&mut out, one);
        }
        out
    });
    Ok(Outcome::Done)
}

fn one_version(out: &mut String, told: &VersionTold) {
    write!(out, "{} of run {}", told.external_id, told.run).ok();
    match told.until {
        Some((run, ms)) => writeln!(out, ", until run {run}{}", time(Some(ms))).ok(),
        None => writeln!(out, ", the newest").ok(),
    };
    if told.ended {
        out.push_str("  it had ended\n");
    }
    if let Some(why) = &told.no_draft {
        writeln!(out, "  no draft: {why}").ok();
    }
    for (field, before, after) in &told.changes {
        writeln!(out, "  {field}: {before} -> {after}").ok();
    }
}
