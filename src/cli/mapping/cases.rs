//! `rollcall mapping test`: every case beside the mappings, how far they reach, and new ones from stored records.

use std::fmt::Write as _;

use serde_json::json;

use super::Where;
use super::generate;
use super::sets::sets;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::mapping::{CaseResult, Coverage};

/// Branches without a case that are listed of each kind of record.
const MISSED: usize = 20;

/// Runs every case beside the mappings, and tells which branches they reach.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    place: Where,
    /// Writes new cases: stored records that together reach the most branches without a case, with stand-ins for people.
    #[arg(long)]
    generate: bool,
    #[command(flatten)]
    choice: generate::Choice,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    if args.generate {
        return generate::run(context, &args.place, &args.choice);
    }
    let mut results = Vec::new();
    let mut coverage = Vec::new();
    for set in sets(context, &args.place)? {
        let generation = set.load()?;
        results.extend(generation.run_cases(&set.connector).results);
        let found = generation.coverage(&set.connector);
        coverage.extend(found.into_iter().map(|one| (set.name.clone(), one)));
    }
    let failed = results.iter().filter(|result| !result.differences.is_empty()).count();
    let shown: Vec<_> = coverage
        .iter()
        .map(|(mappings, coverage)| json!({"mappings": mappings, "coverage": coverage}))
        .collect();
    let value =
        json!({"cases": results.len(), "failed": failed, "results": results, "coverage": shown});
    context.format.show(&value, |_| text(&results, failed, &coverage));
    Ok(if failed == 0 { Outcome::Done } else { Outcome::Findings })
}

fn text(results: &[CaseResult], failed: usize, coverage: &[(String, Coverage)]) -> String {
    let mut out = String::new();
    for result in results {
        let word = if result.differences.is_empty() { "ok" } else { "FAILED" };
        writeln!(out, "{word:<7} {}", result.file).ok();
        for difference in &result.differences {
            writeln!(out, "        {difference}").ok();
        }
    }
    for (mappings, coverage) in coverage {
        reach(&mut out, mappings, coverage);
    }
    writeln!(out, "{} passed, {failed} failed", results.len() - failed).ok();
    out
}

/// How far the cases of one kind of record reach.
fn reach(out: &mut String, mappings: &str, coverage: &Coverage) {
    let Coverage { entity, records, reached, branches, missed, fields, uncounted } = coverage;
    writeln!(out, "{mappings} {entity}: {records} cases reach {reached} of {branches} branches")
        .ok();
    for missed in missed.iter().take(MISSED) {
        let place = &missed.place;
        writeln!(
            out,
            "        no case: {}:{}:{} {}: {}",
            place.script,
            place.line,
            place.column,
            missed.branch,
            place.text.trim()
        )
        .ok();
    }
    if missed.len() > MISSED {
        writeln!(out, "        and {} more", missed.len() - MISSED).ok();
    }
    let never: Vec<&str> =
        fields.iter().filter(|field| field.value == 0).map(|field| field.field).collect();
    if !never.is_empty() {
        writeln!(out, "        no case gives a value: {}", never.join(", ")).ok();
    }
    if !uncounted.is_empty() {
        let names = uncounted.join(", ");
        writeln!(out, "        not counted, because the interpreter runs them: {names}").ok();
    }
}
