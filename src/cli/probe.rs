//! `rollcall probe`: what a connection still lacks on its platform's side.

use std::fmt::Write as _;

use super::exit::{Failure, Outcome};
use super::whose::Whose;
use super::{Context, local};
use crate::app::{ProbeAsked, Probed, Question};

/// Checks the credentials, permissions and ranges of every connection on its platform. Reads a few records, keeps and writes
/// nothing.
#[derive(Debug, clap::Args)]
pub(super) struct Args {
    #[command(flatten)]
    whose: Whose,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let asked = ProbeAsked { about: args.whose.about(None) };
    let probed: Vec<Probed> = local::ask(context, &Question::Probe(asked))?;
    context.format.show(&probed, |all| all.iter().map(text).collect::<Vec<_>>().join("\n"));
    let passed = probed.iter().all(Probed::passed);
    Ok(if passed { Outcome::Done } else { Outcome::Findings })
}

fn text(probed: &Probed) -> String {
    let mut out = format!("{}/{}\n", probed.tenant, probed.connection);
    for finding in &probed.findings {
        let mark = if finding.passed { "ok     " } else { "MISSING" };
        writeln!(out, "  {mark}  {}", finding.check).ok();
        if let Some(remedy) = finding.remedy.as_ref().filter(|_| !finding.passed) {
            writeln!(out, "           {remedy}").ok();
        }
    }
    if let Some(fault) = &probed.fault {
        writeln!(out, "  could not be checked: {fault}").ok();
    }
    out
}
