//! What a run did, in a few lines for people.

use std::fmt::Write as _;

use crate::model::entity::Entity;
use crate::sync::ledger::RunState;
use crate::sync::report::Report;

/// One run; `verb` is the command that lets a held plan pass.
pub(super) fn report(report: &Report, verb: &str) -> String {
    let mut out = String::new();
    let Report { tenant, connection, run, .. } = report;
    let state = match report.state {
        RunState::Done => "done",
        RunState::Planned => "planned, nothing written",
        RunState::Held => "HELD before its first write",
        RunState::Planning | RunState::Applying | RunState::Failed => "not finished",
    };
    put(&mut out, format_args!("{tenant}/{connection}, run {run}: {state}"));
    put(
        &mut out,
        format_args!(
            "  {:<16}{:>10}{:>10}{:>10}{:>10}{:>10}",
            "", "read", "created", "updated", "retired", "parked"
        ),
    );
    for entity in Entity::ALL {
        let of =
            |counts: &crate::sync::report::Counts| counts.get(&entity).copied().unwrap_or_default();
        let read = of(&report.pulled).max(of(&report.remapped));
        let tally = report.plan.get(&entity).copied().unwrap_or_default();
        let parked = of(&report.parked);
        if read + tally.total() + parked > 0 {
            let (create, update, retire) = (tally.create, tally.update, tally.retire);
            put(
                &mut out,
                format_args!(
                    "  {:<16}{read:>10}{create:>10}{update:>10}{retire:>10}{parked:>10}",
                    entity.name()
                ),
            );
        }
    }
    put(
        &mut out,
        format_args!(
            "  {} requests, {} changes written, {:.1} s",
            report.requests,
            report.writes(),
            seconds(report.wall_ms)
        ),
    );
    notes(&mut out, report, verb);
    out
}

fn notes(out: &mut String, report: &Report, verb: &str) {
    for (entity, doubts) in &report.doubts {
        for doubt in doubts {
            put(out, format_args!("  note: no {entity} was retired: {doubt}"));
        }
    }
    for failure in report.failures.iter().take(5) {
        put(out, format_args!("  not read: {failure}"));
    }
    for held in &report.held {
        put(out, format_args!("  held: {held}"));
        put(
            out,
            format_args!(
                "  look at it with `{verb} --dry-run`; let it pass with `{verb} --approve {}`",
                report.digest
            ),
        );
    }
    if report.linked > 0 {
        put(
            out,
            format_args!(
                "  note: {} people are linked to employees of another platform",
                report.linked
            ),
        );
    }
    if report.clashing > 0 {
        put(
            out,
            format_args!(
                "  note: {} people cannot be told from others; see `rollcall status`",
                report.clashing
            ),
        );
    }
    for (entity, gaps) in report.gaps.iter().filter(|(_, gaps)| **gaps > 0) {
        put(
            out,
            format_args!(
                "  note: {gaps} windows of {entity} are still to be read; the next run tries again"
            ),
        );
    }
    if !report.dangling.is_empty() {
        put(out, format_args!("  note: {} references point at nothing yet", report.dangling.len()));
    }
    if report.parked.values().any(|&count| count > 0) {
        put(
            out,
            format_args!("  parked records keep their last good state; see `rollcall status`"),
        );
    }
}

pub(super) fn seconds(ms: i64) -> f64 {
    std::time::Duration::from_millis(u64::try_from(ms).unwrap_or_default()).as_secs_f64()
}

fn put(out: &mut String, line: std::fmt::Arguments<'_>) {
    // Writing to a text cannot fail.
    writeln!(out, "{line}").ok();
}
