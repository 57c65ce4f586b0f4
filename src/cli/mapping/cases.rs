//! `rollcall mapping test`: every case beside the mappings.

use std::fmt::Write as _;

use serde_json::json;

use super::Where;
use super::sets::sets;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};

pub(super) fn run(context: &Context, place: &Where) -> Result<Outcome, Failure> {
    let mut results = Vec::new();
    for set in sets(context, place)? {
        let generation = set.load()?;
        results.extend(generation.run_cases(&set.connector).results);
    }
    let failed = results.iter().filter(|result| !result.differences.is_empty()).count();
    context.format.show(
        &json!({"cases": results.len(), "failed": failed, "results": results}),
        |_| {
            let mut out = String::new();
            for result in &results {
                let word = if result.differences.is_empty() { "ok" } else { "FAILED" };
                writeln!(out, "{word:<7} {}", result.file).ok();
                for difference in &result.differences {
                    writeln!(out, "        {difference}").ok();
                }
            }
            writeln!(out, "{} passed, {failed} failed", results.len() - failed).ok();
            out
        },
    );
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}
