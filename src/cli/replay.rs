//! `rollcall replay`: what was kept is written again; the platform is not called.

use super::exit::{Failure, Outcome};
use super::when::When;
use super::whose::Whose;
use super::{Context, plan, summary, sync};
use crate::app::App;
use crate::model::hash::ContentHash;
use crate::sync::service::Wiring;
use crate::sync::{Mode, Replay, Span};

/// Maps, matches and writes again what was kept, without reading the platform.
///
/// With `--since`, everybody who has changed, come or gone since is compared with what the EHR holds, and written where that
/// differs: for an EHR that was restored from a backup. With `--as-of`, the EHR becomes what the platform showed at that time, by
/// the mappings of today: for a platform that was vandalised. The next run brings it back to now, so stop the daemon first, look
/// with `--dry-run`, and mend the platform before you start it again.
#[derive(Debug, clap::Args)]
#[command(group = clap::ArgGroup::new("span").required(true))]
pub(super) struct Args {
    /// Write again what has changed since: a day or time in the tenant's zone, or how long ago (`2026-11-01`,
    /// `2026-11-01T08:30`, `3d`). A day is its beginning.
    #[arg(long, value_name = "WHEN", group = "span")]
    since: Option<When>,
    /// Write what the platform showed then.
    #[arg(long, value_name = "WHEN", group = "span")]
    as_of: Option<When>,
    #[command(flatten)]
    whose: Whose,
    /// Show what would be written, and write nothing.
    #[arg(long)]
    dry_run: bool,
    /// How many changes a dry run shows of each connection.
    #[arg(long, default_value_t = 50)]
    limit: usize,
    /// Lets the held plan with this digest pass the gate. Another plan is held again.
    #[arg(long, value_name = "DIGEST", value_parser = sync::digest)]
    approve: Option<ContentHash>,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let selection = args.whose.selection();
    let app = App::open(&context.config)?;
    super::trace::start(app.config().log);
    let mode = |wiring: &Wiring| args.mode(wiring);
    if args.dry_run {
        let planned = app.block_on(plan::planned(&app, &selection, mode, args.limit))?;
        return Ok(plan::show(context, &planned, &args.verb()));
    }
    let reports = app.block_on(sync::run_all(&app, &selection, mode, args.approve))?;
    context.format.show(&reports, |reports| {
        let told = |report| summary::report(report, &args.verb());
        let mut out = reports.iter().map(told).collect::<Vec<_>>().join("\n");
        if args.as_of.is_some() {
            out.push_str("the next run of a connection brings the EHR back to now\n");
        }
        out
    });
    Ok(sync::outcome(&reports))
}

impl Args {
    /// The command that does the same again.
    fn verb(&self) -> String {
        match (&self.since, &self.as_of) {
            (Some(since), _) => format!("rollcall replay --since {since}"),
            (None, Some(as_of)) => format!("rollcall replay --as-of {as_of}"),
            (None, None) => "rollcall replay".to_owned(),
        }
    }

    fn mode(&self, wiring: &Wiring) -> Result<Mode, Failure> {
        let (now_ms, zone) = (wiring.syncer.clock.now_ms(), &wiring.syncer.settings.zone);
        let ms = |when: &When| when.ms(now_ms, zone).map_err(Failure::user);
        let span = match (&self.since, &self.as_of) {
            (Some(since), _) => Span::Since(ms(since)?),
            (None, Some(as_of)) => Span::AsOf(ms(as_of)?),
            (None, None) => return Err(Failure::user("name a time with --since or --as-of")),
        };
        Ok(Mode::Replay(Replay { span, dry: self.dry_run }))
    }
}
