//! `rollcall mapping run`: maps records that someone has at hand.

use std::io::Read as _;
use std::path::Path;

use bytes::Bytes;
use serde_json::{Value, json};

use super::Where;
use super::sets::sets;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::model::entity::Entity;
use crate::model::ids::SourceId;
use crate::model::record::Record;
use crate::port::mapper::Mapped;

pub(super) fn run(
    context: &Context,
    place: &Where,
    connector: &str,
    entity: &str,
    input: &Path,
) -> Result<Outcome, Failure> {
    let entity = Entity::parse(entity).ok_or_else(|| {
        let known = Entity::ALL.map(Entity::name).join(", ");
        Failure::user(format!("there is no entity `{entity}`")).hint(format!("one of: {known}"))
    })?;
    let set = sets(context, place)?.into_iter().find(|set| set.connector.as_str() == connector);
    let set =
        set.ok_or_else(|| Failure::user(format!("there are no mappings for `{connector}`")))?;
    let generation = set.load()?;
    let mapper = generation.mapper(&set.connector, &set.zone, &set.region);
    let mapper = mapper.map_err(|cause| Failure::from_error(&cause))?;
    if mapper.digest(entity).is_none() {
        return Err(Failure::user(format!("`{connector}` has no mapping of {entity}")));
    }
    let mut outcome = Outcome::Done;
    let mut shown = Vec::new();
    for mapped in mapper.map(entity, &records(input)?) {
        shown.push(match mapped {
            Mapped::Draft(draft) => {
                let value: Value = serde_json::from_slice(draft.json()).map_err(Failure::bug)?;
                json!({"draft": value})
            }
            Mapped::Skipped => json!({"skipped": true}),
            Mapped::Rejected(reject) => {
                outcome = Outcome::Findings;
                json!({"rejected": reject})
            }
        });
    }
    context.format.value(&shown);
    Ok(outcome)
}

fn records(input: &Path) -> Result<Vec<Record>, Failure> {
    let cannot = |cause| Failure::user(format!("cannot read `{}`: {cause}", input.display()));
    let text = if input == Path::new("-") {
        let mut text = String::new();
        std::io::stdin().read_to_string(&mut text).map_err(cannot)?;
        text
    } else {
        std::fs::read_to_string(input).map_err(cannot)?
    };
    let value: Value = serde_json::from_str(&text)
        .map_err(|cause| Failure::user(format!("`{}` is no JSON: {cause}", input.display())))?;
    let values = match value {
        Value::Array(values) => values,
        value => vec![value],
    };
    let id = SourceId::parse("input").map_err(Failure::bug)?;
    Ok(values
        .iter()
        .map(|v| Record { id: id.clone(), payload: Bytes::from(v.to_string()) })
        .collect())
}
