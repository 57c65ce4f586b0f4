//! `rollcall mapping approve` and `reject`: a verdict on mappings that are held.

use std::fmt::Write as _;

use super::canary;
use crate::app::{Judged, Question, VerdictAsked};
use crate::cli::exit::{Failure, Outcome};
use crate::cli::whose::Whose;
use crate::cli::{Context, local};
use crate::sync::ledger::Verdict;

pub(super) fn run(context: &Context, whose: &Whose, verdict: Verdict) -> Result<Outcome, Failure> {
    let about = whose.about(None);
    let asked = VerdictAsked { about, verdict };
    let judged: Vec<Judged> = local::ask(context, &Question::Verdict(asked))?;
    context.format.show(&judged, |judged| {
        let mut out = String::new();
        for Judged { tenant, connection, proposal } in judged {
            let digest = proposal.digest.short();
            writeln!(out, "{tenant}/{connection}: {}", match verdict {
                Verdict::Approved => format!("generation {digest} comes into force with the next run"),
                Verdict::Rejected => format!(
                    "generation {digest} stays out of force; the files still hold it: take the edit back, or edit on"
                ),
            })
            .ok();
            if let Some(trial) = &proposal.canary {
                let (name, people) = (canary::called(trial), trial.people);
                writeln!(out, "  the canary of {name} ends: its {people} people {}", match verdict {
                    Verdict::Approved => "stay as they are",
                    Verdict::Rejected => "go back to the mapping in force with the next run",
                })
                .ok();
            }
        }
        out
    });
    Ok(Outcome::Done)
}
