//! `rollcall mapping check`: everything that is wrong with mappings, or looks so.

use std::fmt::Write as _;
use std::path::{Path, PathBuf};

use serde::Serialize;
use serde_json::json;

use super::records::Records;
use super::sets::{Set, sets};
use super::{Where, sarif};
use crate::app;
use crate::cli::Context;
use crate::cli::exit::{Failure, Outcome};
use crate::mapping::{Fault, Generation, Severity};

/// Compiles every mapping and tells everything that is wrong, with its line.
#[derive(Debug, clap::Args)]
pub(in crate::cli) struct Args {
    #[command(flatten)]
    place: Where,
    /// Also writes the findings as SARIF 2.1.0, for editors and CI; `-` writes them to stdout alone.
    #[arg(long, value_name = "FILE")]
    sarif: Option<PathBuf>,
    /// Leaves the stored records alone: only what the platforms' pages document is known then.
    #[arg(long)]
    without_records: bool,
}

#[derive(Serialize)]
struct Finding<'a> {
    #[serde(flatten)]
    fault: &'a Fault,
    file: &'a str,
    marker: &'a str,
    width: usize,
    explain: String,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let sets = sets(context, &args.place)?;
    let mut records =
        if args.without_records { Records::none() } else { Records::of(context, &sets) };
    let mut found: Vec<(Fault, String)> = Vec::new();
    let mut names = Vec::new();
    let mut seen = 0;
    for set in &sets {
        let stored = records.show(set, None);
        let documented = || set.documented();
        let pictures = stored.as_ref().map_or_else(documented, |told| told.pictures.clone());
        let mut faults = Generation::review(&set.layers, &pictures);
        if let Some(told) = stored {
            seen += told.records;
            faults.extend(told.findings.into_iter().filter_map(|one| one.fault(&set.layers)));
        }
        found.extend(faults.into_iter().map(|fault| {
            let file = set.file(&fault.place().script);
            (fault, file)
        }));
        names.push(set.name.clone());
    }
    found.dedup_by(|a, b| a.1 == b.1 && a.0.place() == b.0.place() && a.0.code() == b.0.code());
    if let Some(file) = &args.sarif {
        write(context, file, &found)?;
    }
    if args.sarif.as_deref() != Some(Path::new("-")) {
        show(context, &names, seen, &found);
    }
    let errors = count(&found, Severity::Error);
    Ok(if errors == 0 { Outcome::Done } else { Outcome::Findings })
}

fn write(context: &Context, file: &Path, found: &[(Fault, String)]) -> Result<(), Failure> {
    let report = sarif::report(found);
    if file == Path::new("-") {
        context.format.value(&report);
        return Ok(());
    }
    let text = serde_json::to_string_pretty(&report).map_err(Failure::bug)?;
    std::fs::write(file, text).map_err(|cause| {
        Failure::user(format!("cannot write `{}`: {cause}", file.display()))
            .hint("name a file in a folder that exists")
    })
}

fn show(context: &Context, names: &[String], seen: u64, found: &[(Fault, String)]) {
    let findings: Vec<Finding<'_>> = found
        .iter()
        .map(|(fault, file)| Finding {
            fault,
            file,
            marker: fault.marker(),
            width: fault.width(),
            explain: format!("rollcall explain {}", fault.code()),
        })
        .collect();
    let [errors, warnings, notes] =
        [Severity::Error, Severity::Warning, Severity::Note].map(|kind| count(found, kind));
    let value = json!({
        "checked": names, "records": seen,
        "errors": errors, "warnings": warnings, "notes": notes,
        "findings": findings,
    });
    context.format.show(&value, |_| {
        let mut out = String::new();
        let faults: Vec<Fault> = found.iter().map(|(fault, _)| fault.clone()).collect();
        if !faults.is_empty() {
            writeln!(out, "{}\n", app::Failure::reports(&faults).message).ok();
        }
        let names = names.join(", ");
        if errors + warnings + notes == 0 {
            write!(out, "{names}: no fault").ok();
        } else {
            write!(out, "{names}: {errors} errors, {warnings} warnings, {notes} notes").ok();
        }
        if seen > 0 {
            write!(out, "; {seen} stored records looked at").ok();
        }
        if let Some((first, _)) = found.first() {
            write!(out, "\n`rollcall explain {}` says more", first.code()).ok();
        }
        out
    });
}

fn count(found: &[(Fault, String)], kind: Severity) -> usize {
    found.iter().filter(|(fault, _)| fault.severity() == kind).count()
}

impl Set {
    /// The file behind a name in a message, as it can be opened from here.
    fn file(&self, script: &str) -> String {
        let root = self.roots.iter().find_map(|(label, folder)| {
            let rest = script.strip_prefix(label.as_str())?.trim_start_matches('/');
            Some(folder.join(rest))
        });
        let file = root.unwrap_or_else(|| PathBuf::from(script));
        let here = std::env::current_dir().unwrap_or_default();
        file.strip_prefix(&here).unwrap_or(&file).to_string_lossy().replace('\\', "/")
    }
}
