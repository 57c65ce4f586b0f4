//! `rollcall schema`: the JSON Schema of an entity.

use super::Context;
use super::exit::{Failure, Outcome};
use crate::model::entity::Entity;
use crate::model::schema::json_schema;

/// Prints the JSON Schema (2020-12) that drafts of an entity are checked against.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    /// department, employee, `check_in`, `attendance_day` or leave; all when left out.
    entity: Option<String>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    if let Some(name) = &args.entity {
        let entity = Entity::parse(name).ok_or_else(|| {
            let known = Entity::ALL.map(Entity::name).join(", ");
            Failure::user(format!("there is no entity `{name}`")).hint(format!("one of: {known}"))
        })?;
        context.format.value(&json_schema(entity));
    } else {
        let all: serde_json::Map<_, _> =
            Entity::ALL.iter().map(|&e| (e.name().to_owned(), json_schema(e))).collect();
        context.format.value(&all);
    }
    Ok(Outcome::Done)
}
