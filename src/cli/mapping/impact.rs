//! `rollcall mapping impact`: whom and what an edit of the mappings changes, before it is in force.

use std::fmt::Write as _;
use std::path::PathBuf;

use serde_json::Value;

use super::canary;
use crate::app::{ConnectionImpact, ImpactAsked, Question};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::whose::Whose;
use crate::cli::{Context, local};
use crate::model::entity::Entity;
use crate::port::mapper::Place;
use crate::sync::impact::{FieldGroup, KindImpact, Outcome as Fate, PersonImpact, Turn, TurnGroup};

/// Compares the mappings in force with those in the files, over every stored record; asks no platform.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// A folder of mappings, instead of the one that the configuration names.
    #[arg(long, value_name = "DIR")]
    mappings: Option<PathBuf>,
    #[command(flatten)]
    whose: Whose,
    /// Only this kind of record.
    #[arg(long, value_parser = entity)]
    entity: Option<Entity>,
    /// One record, with its values: external id, the platform's id, employee number or name.
    #[arg(long, value_name = "KEY")]
    person: Option<String>,
}

pub(in crate::cli) fn entity(name: &str) -> Result<Entity, String> {
    let known = || {
        format!("there is no entity `{name}`; one of {}", Entity::ALL.map(Entity::name).join(", "))
    };
    Entity::parse(name).ok_or_else(known)
}

pub(super) fn run(context: &Context, args: Args) -> Result<Outcome, Failure> {
    let Args { mappings, whose, entity, person } = args;
    // The daemon runs in another folder.
    let mappings = mappings.map(std::path::absolute).transpose().map_err(Failure::user)?;
    if let Some(folder) = mappings.as_ref().filter(|folder| !folder.is_dir()) {
        return Err(Failure::user(format!("there is no folder `{}`", folder.display()))
            .hint("name the folder that holds the connectors' folders"));
    }
    let about = whose.about(entity);
    let asked = ImpactAsked { about, mappings, person: person.clone() };
    let told: Vec<ConnectionImpact> = local::ask(context, &Question::Impact(asked))?;
    if let Some(person) = person.filter(|_| told.iter().all(|one| one.people.is_empty())) {
        return Err(Failure::user(format!("no stored record is known as `{person}`"))
            .hint("give its external id, the platform's id, the employee number or the name"));
    }
    context.format.show(&told, |told| told.iter().map(text).collect::<Vec<_>>().join("\n"));
    Ok(Outcome::Done)
}

fn text(told: &ConnectionImpact) -> String {
    let mut out = format!("{}/{}: ", told.tenant, told.connection);
    let Some(in_force) = &told.in_force else {
        return out
            + "nothing was written yet, so there is nothing to compare; run `rollcall sync` first\n";
    };
    writeln!(
        out,
        "compared with generation {}, in force since run {}",
        in_force.digest.short(),
        in_force.run
    )
    .ok();
    if !told.same_build {
        out.push_str("  note: this rollcall maps the texts in force otherwise than the one that wrote by them\n");
    }
    if let Some(trial) = &told.canary {
        writeln!(out, "  {}", canary::told(trial)).ok();
    }
    for person in &told.people {
        one_person(&mut out, person);
    }
    if told.people.is_empty() && told.kinds.is_empty() {
        out.push_str("  no mapping differs\n");
    }
    for kind in &told.kinds {
        groups(&mut out, kind);
    }
    out
}

/// The groups of one kind, for people.
pub(in crate::cli) fn groups(out: &mut String, kind: &KindImpact) {
    let KindImpact { entity, records, changed, fields, turns, beyond } = kind;
    writeln!(out, "  {entity}: {changed} of {records} records change").ok();
    for FieldGroup { field, before, after, records, place, first } in fields {
        write!(out, "    {records} {}: `{field}` {before} -> {after}", people(*entity, *records))
            .ok();
        at(out, place.as_ref());
        writeln!(out, " (such as {})", first.join(", ")).ok();
    }
    for TurnGroup { turn, why, place, records, first } in turns {
        let word = match turn {
            Turn::Parked => "can no longer be mapped",
            Turn::LeftOut => "are left out now",
            Turn::Returning => "were parked or left out, and are not any more",
        };
        write!(out, "    {records} {} {word}", people(*entity, *records)).ok();
        at(out, place.as_ref());
        writeln!(out, " (such as {})", first.join(", ")).ok();
        if let Some((code, message)) = why {
            writeln!(out, "      {code}: {message}").ok();
        }
    }
    if *beyond > 0 {
        writeln!(out, "    {beyond} more changes in groups that are not told apart").ok();
    }
}

fn people(entity: Entity, records: u64) -> &'static str {
    match (entity, records) {
        (Entity::Employee, 1) => "person",
        (Entity::Employee, _) => "people",
        (_, 1) => "record",
        _ => "records",
    }
}

fn at(out: &mut String, place: Option<&Place>) {
    if let Some(Place { script, line, .. }) = place {
        write!(out, ", by {script} line {line}").ok();
    }
}

fn one_person(out: &mut String, person: &PersonImpact) {
    let PersonImpact { entity, id, before, after, fields, in_canary } = person;
    writeln!(out, "  {entity} {id}: {} -> {}", fate(before), fate(after)).ok();
    if *in_canary {
        out.push_str("    in the canary: mapped by the edited mapping already\n");
    }
    if fields.is_empty() && before == after {
        out.push_str("    nothing changes\n");
    }
    for change in fields {
        let shown = |value: &Option<Value>| {
            value.as_ref().map_or("left alone".to_owned(), ToString::to_string)
        };
        write!(out, "    {}: {} -> {}", change.field, shown(&change.before), shown(&change.after))
            .ok();
        at(out, change.place.as_ref());
        out.push('\n');
    }
}

fn fate(fate: &Fate) -> String {
    match fate {
        Fate::Mapped => "mapped".to_owned(),
        Fate::LeftOut => "left out".to_owned(),
        Fate::Parked(reject) => format!("parked ({}: {})", reject.code, reject.message),
    }
}
