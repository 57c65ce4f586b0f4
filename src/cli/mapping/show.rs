//! `rollcall mapping show`: the effective mapping, and which layer sets each field.

use std::fmt::Write as _;

use serde::Serialize;

use super::Where;
use super::sets::sets;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::mapping::{ExceptionInfo, ExceptionState, Setting};
use crate::model::entity::Entity;
use crate::model::ids::TenantId;
use crate::model::schema;
use crate::port::mapper::Place;

/// Which mapping to show.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    /// The kind of record, such as employee.
    entity: String,
    /// Only with this tenant's layer.
    #[arg(long)]
    tenant: Option<String>,
    /// Only this connector.
    #[arg(long)]
    connector: Option<String>,
    #[command(flatten)]
    place: Where,
}

#[derive(Serialize)]
struct Shown {
    name: String,
    entity: Entity,
    fields: Vec<Setting>,
    /// Fields of the schema that no layer sets: they are left alone.
    unset: Vec<&'static str>,
    /// Layers whose value is no map literal: which fields they set shows with a record only.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    opaque: Vec<&'static str>,
    #[serde(skip_serializing_if = "Vec::is_empty")]
    exceptions: Vec<ExceptionInfo>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let entity = Entity::parse(&args.entity).ok_or_else(|| {
        let known = Entity::ALL.map(Entity::name).join(", ");
        Failure::user(format!("there is no entity `{}`", args.entity))
            .hint(format!("one of: {known}"))
    })?;
    let mut shown = Vec::new();
    for set in sets(context, &args.place)? {
        let of = |tenant: &TenantId| args.tenant.as_deref() == Some(tenant.as_str());
        let tenant = args.tenant.is_none() || set.tenants.iter().any(of);
        let connector =
            args.connector.as_deref().is_none_or(|wanted| wanted == set.connector.as_str());
        if !tenant || !connector {
            continue;
        }
        let generation = set.load()?;
        let Some(fields) = generation.settings(entity) else { continue };
        let is_set = |name: &str| fields.iter().any(|set| set.field == name);
        let unset = schema::fields(entity).iter().map(|field| field.name);
        let exceptions = generation.exceptions().iter().filter(|one| one.entity == entity);
        shown.push(Shown {
            name: set.name,
            entity,
            unset: unset.filter(|name| !is_set(name)).collect(),
            fields,
            opaque: generation.opaque(entity).iter().map(|layer| layer.name()).collect(),
            exceptions: exceptions.cloned().collect(),
        });
    }
    if shown.is_empty() {
        return Err(Failure::user(format!("no mapping of {entity} is meant by this"))
            .hint("see the tenants' files for the names of tenants and their mappings"));
    }
    context.format.show(&shown, |all| all.iter().map(text).collect::<Vec<_>>().join("\n"));
    Ok(Outcome::Done)
}

fn text(shown: &Shown) -> String {
    let mut out = format!("{}: {}\n", shown.name, shown.entity);
    let width = shown.fields.iter().map(|set| set.field.len()).max().unwrap_or(0);
    for set in &shown.fields {
        let mut lines = set.expression.lines();
        let first = lines.next().unwrap_or_default();
        let layer = set.layer.name();
        writeln!(out, "  {:<width$}  {layer:<9}  {}  {first}", set.field, at(&set.place)).ok();
        for line in lines {
            writeln!(out, "  {:<width$}  {line}", "").ok();
        }
        for over in &set.over {
            writeln!(out, "  {:<width$}  over {}, {}", "", over.layer.name(), at(&over.place)).ok();
        }
    }
    for layer in &shown.opaque {
        writeln!(out, "  the {layer} layer builds its fields; which ones shows with a record only")
            .ok();
    }
    if !shown.unset.is_empty() {
        writeln!(out, "  left alone: {}", shown.unset.join(", ")).ok();
    }
    for one in &shown.exceptions {
        let state = match one.state {
            ExceptionState::Waiting => "not yet in force",
            ExceptionState::InForce => "in force",
            ExceptionState::Expired => "EXPIRED, remove it",
        };
        let (fields, about) = (one.fields.join(", "), one.about.join(", "));
        writeln!(
            out,
            "  exception ({state}, until {}): {fields} of {about}, {}",
            one.until,
            at(&one.place)
        )
        .ok();
        writeln!(out, "    {}", one.reason).ok();
    }
    out
}

fn at(place: &Place) -> String {
    format!("{}:{}", place.script, place.line)
}
