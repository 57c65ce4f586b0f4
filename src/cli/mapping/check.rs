//! `rollcall mapping check`: everything that is wrong with mappings.

use serde::Serialize;
use serde_json::json;

use super::Where;
use super::sets::sets;
use crate::app;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::mapping::{Fault, Generation};
use crate::port::mapper::Place;

#[derive(Serialize)]
struct Finding<'a> {
    code: &'static str,
    message: String,
    place: &'a Place,
    #[serde(skip_serializing_if = "Option::is_none")]
    help: Option<&'a str>,
}

pub(super) fn run(context: &Context, place: &Where) -> Result<Outcome, Failure> {
    let mut faults: Vec<Fault> = Vec::new();
    let mut names = Vec::new();
    for set in sets(context, place)? {
        faults.extend(Generation::of_layers(set.layers).err().unwrap_or_default());
        names.push(set.name);
    }
    let findings: Vec<Finding<'_>> = faults
        .iter()
        .map(|fault| Finding {
            code: fault.code(),
            message: fault.to_string(),
            place: fault.place(),
            help: fault.advice(),
        })
        .collect();
    context.format.show(&json!({"checked": names, "findings": findings}), |_| {
        if faults.is_empty() {
            return format!("{}: no fault", names.join(", "));
        }
        app::Failure::reports(&faults).message
    });
    Ok(if faults.is_empty() { Outcome::Done } else { Outcome::Findings })
}
