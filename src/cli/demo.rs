//! `rollcall demo`: a simulated Feishu, the real connector, the real mappings, the embedded EHR.
//!
//! Everything but the platform is what `serve` runs: the demo writes a configuration and starts from it.

mod setup;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use simulator::Simulator;

use super::exit::{Failure, Outcome};
use super::progress::Shower;
use super::{Context, Format, summary};
use crate::app::{App, Daemon, Selection};
use crate::model::entity::Entity;
use crate::sync::report::{Counts, Report};
use crate::sync::service::Status;
use crate::sync::{Mode, Request};

/// Runs everything against a simulated Feishu, then keeps running as the daemon.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// One full sync and a second one, then exit.
    #[arg(long)]
    once: bool,
    /// People in the simulated company.
    #[arg(long, default_value_t = 4410)]
    people: u32,
    /// Days of attendance.
    #[arg(long, default_value_t = 30)]
    days: u32,
    /// Seed of the simulated company.
    #[arg(long, default_value_t = 1)]
    seed: u64,
    /// A folder with `in_time.csv` and `out_time.csv`: real punches instead of generated ones.
    #[arg(long, value_name = "DIR")]
    punches: Option<PathBuf>,
    /// Where the demo keeps its files; what an earlier demo left there is replaced.
    #[arg(long, default_value = "demo")]
    dir: PathBuf,
}

/// What `--once` prints.
#[derive(Serialize)]
struct Once {
    pulled: BTreeMap<Entity, u64>,
    written: BTreeMap<Entity, u64>,
    parked: BTreeMap<Entity, u64>,
    second_run_writes: u64,
    wall_seconds: f64,
    records_per_second: f64,
    peak_rss_bytes: u64,
    requests: u64,
    ehr: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let runtime = crate::app::runtime().map_err(Failure::bug)?;
    let simulator = runtime.block_on(simulate(args))?;
    let config = setup::write(&args.dir, &simulator, args.days)?;
    let app = App::open_on(&config, runtime)?;
    super::trace::start(app.config().log);
    let ehr = args.dir.join("ehr.db");
    if args.once {
        return app.block_on(once(&app, context.format, ehr));
    }
    let app = Arc::new(app);
    app.clone().block_on(keep_running(app, args, &simulator))
}

async fn simulate(args: &Args) -> Result<Simulator, Failure> {
    let today = jiff::Timestamp::now().to_zoned(setup::zone()?).date().to_string();
    let mut builder =
        Simulator::builder().people(args.people).seed(args.seed).days(args.days).today(&today);
    if let Some(folder) = &args.punches {
        builder = builder.punches(folder);
    }
    let started = builder.start("127.0.0.1:0").await;
    started.map_err(|cause| Failure::user(format!("the simulator did not start: {cause}")))
}

async fn once(app: &App, format: Format, ehr: PathBuf) -> Result<Outcome, Failure> {
    let first = sync(app, format).await?;
    let second = sync(app, format).await?;
    let full = |counts: &Counts| -> BTreeMap<Entity, u64> {
        let entities =
            [Entity::Department, Entity::Employee, Entity::CheckIn, Entity::AttendanceDay];
        entities.map(|entity| (entity, counts.get(&entity).copied().unwrap_or_default())).into()
    };
    let wall_seconds = summary::seconds(first.wall_ms);
    let records = u32::try_from(first.records()).map_or(f64::INFINITY, f64::from);
    let once = Once {
        pulled: full(&first.pulled),
        written: full(&first.written),
        parked: full(&second.parked),
        second_run_writes: second.writes(),
        wall_seconds,
        records_per_second: (records / wall_seconds.max(0.001)).round(),
        peak_rss_bytes: crate::app::peak_rss_bytes(),
        requests: first.requests,
        ehr,
    };
    format.show(&once, |once| {
        format!(
            "{}\nsecond run: {} changes\n{} records in {:.1} s: {:.0} a second; peak memory {} MiB\nEHR: {}",
            summary::report(&first),
            once.second_run_writes,
            first.records(),
            once.wall_seconds,
            once.records_per_second,
            once.peak_rss_bytes >> 20,
            once.ehr.display()
        )
    });
    Ok(super::sync::outcome(&[first, second]))
}

async fn sync(app: &App, format: Format) -> Result<Report, Failure> {
    let generation = app.generation()?;
    let wirings = app.wirings(&generation, &Selection::default())?;
    let wiring = wirings.into_iter().next().ok_or_else(|| Failure::bug("no connection"))?;
    let shower = Arc::new(Shower::new());
    let request = Request {
        mode: Mode::Sync,
        approve: None,
        stop: super::serve::stop_on_signal(),
        progress: shower.clone(),
        mapper: wiring.mapper.clone(),
    };
    let ended = wiring.syncer.run(&request).await;
    shower.clear();
    if format == Format::Text && ended.is_ok() {
        eprintln!("run done");
    }
    ended.map_err(|cause| Failure::from_error(&cause))
}

async fn keep_running(
    app: Arc<App>,
    args: &Args,
    simulator: &Simulator,
) -> Result<Outcome, Failure> {
    let stop = super::serve::stop_on_signal();
    let shower = Arc::new(Shower::new());
    eprintln!("simulated Feishu: {} ({} people)", simulator.url(), args.people);
    let mappings = app.config().mappings.clone();
    let daemon = Daemon::start(app, shower.clone(), stop.clone()).await?;
    for mut status in daemon.statuses() {
        let (shower, stop) = (shower.clone(), stop.clone());
        let ehr = args.dir.join("ehr.db");
        let mappings = mappings.clone();
        let address = daemon.address();
        tokio::spawn(async move {
            let mut runs = 0;
            while let Ok(now) = next_run(&mut status, runs).await {
                runs = now.runs;
                shower.clear();
                let Some(report) = now.last else { continue };
                eprintln!("{}", summary::report(&report));
                if runs == 1 {
                    eprintln!("EHR: {} (open it with sqlite3)", ehr.display());
                    eprintln!("status: http://{address}/status");
                    eprintln!(
                        "now edit {} and save: the change is in the EHR within a second. Ctrl-C ends the demo.",
                        mappings.join("feishu/employee.rhai").display()
                    );
                }
                if stop.is_cancelled() {
                    break;
                }
            }
        });
    }
    daemon.finish().await;
    Ok(Outcome::Done)
}

async fn next_run(
    status: &mut tokio::sync::watch::Receiver<Status>,
    runs: u64,
) -> Result<Status, tokio::sync::watch::error::RecvError> {
    status.wait_for(|status| status.runs > runs).await.map(|status| status.clone())
}
