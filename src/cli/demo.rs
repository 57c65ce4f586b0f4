//! `rollcall demo`: simulated platforms, the real connectors, the real mappings, one embedded EHR.
//!
//! Everything but the platforms is what `serve` runs: the demo writes a configuration and starts from it.

mod company;
mod hires;
mod setup;

use std::collections::BTreeMap;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;
use tokio::sync::watch;

use self::company::Company;
use super::exit::{Failure, Outcome};
use super::progress::Shower;
use super::{Context, Format, summary};
use crate::app::{App, Daemon, Selection};
use crate::model::entity::Entity;
use crate::model::ids::ConnectionId;
use crate::sync::report::{Counts, Report};
use crate::sync::service::{Status, Wiring};
use crate::sync::{Mode, Request};

/// Runs everything against simulated platforms, then keeps running as the daemon.
#[derive(Clone, Debug, clap::Args)]
pub(super) struct Args {
    /// Two full syncs of each platform and a hire on each, then exit.
    #[arg(long)]
    once: bool,
    /// The platforms, each with a company of its own.
    #[arg(long, value_delimiter = ',', default_value = "feishu,dingtalk,wecom")]
    platforms: Vec<simulator::Platform>,
    /// People on the first platform; the others have a tenth of that.
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

/// What `--once` prints: all platforms together, then what each came to.
#[derive(Default, Serialize)]
struct Once {
    pulled: BTreeMap<Entity, u64>,
    written: BTreeMap<Entity, u64>,
    parked: BTreeMap<Entity, u64>,
    second_run_writes: u64,
    wall_seconds: f64,
    records_per_second: f64,
    peak_rss_bytes: u64,
    requests: u64,
    /// Milliseconds from a hire on a platform until the EHR has it, by event.
    hire_arrived_ms: BTreeMap<ConnectionId, u128>,
    ehr: PathBuf,
}

pub(super) fn run(context: &Context, args: &Args) -> Result<Outcome, Failure> {
    let runtime = crate::app::runtime().map_err(Failure::bug)?;
    let companies = runtime.block_on(company::start(args))?;
    let config = setup::write(&args.dir, &companies, args.days)?;
    let app = Arc::new(App::open_on(&config, runtime)?);
    super::trace::start(app.config().log);
    let work = async {
        if args.once {
            once(app.clone(), context.format, args, &companies).await
        } else {
            keep_running(app.clone(), args, &companies).await
        }
    };
    app.clone().block_on(work)
}

async fn once(
    app: Arc<App>,
    format: Format,
    args: &Args,
    companies: &[Company],
) -> Result<Outcome, Failure> {
    let ehr = args.dir.join("ehr.db");
    let first = sync_all(&app, format).await?;
    let second = sync_all(&app, format).await?;
    let mut once = Once { ehr, ..Once::default() };
    let mut wall_ms = 0;
    for report in &first {
        add(&mut once.pulled, &report.pulled);
        add(&mut once.written, &report.written);
        once.requests += report.requests;
        wall_ms += report.wall_ms;
    }
    for report in &second {
        add(&mut once.parked, &report.parked);
        once.second_run_writes += report.writes();
    }
    let records: u64 = first.iter().map(Report::records).sum();
    once.wall_seconds = summary::seconds(wall_ms);
    let count = u32::try_from(records).map_or(f64::INFINITY, f64::from);
    once.records_per_second = (count / once.wall_seconds.max(0.001)).round();
    once.hire_arrived_ms = arrivals(app, companies).await?;
    once.peak_rss_bytes = crate::app::peak_rss_bytes();
    format.show(&once, |once| {
        let mut text: Vec<String> =
            first.iter().map(|report| summary::report(report, "rollcall sync")).collect();
        text.push(format!("second runs: {} changes", once.second_run_writes));
        text.extend(
            once.hire_arrived_ms.iter().map(|(connection, ms)| hires::told(connection, *ms)),
        );
        text.push(format!(
            "{records} records in {:.1} s: {:.0} a second; peak memory {} MiB",
            once.wall_seconds,
            once.records_per_second,
            once.peak_rss_bytes >> 20,
        ));
        text.push(format!("EHR: {}", once.ehr.display()));
        text.join("\n")
    });
    let reports: Vec<Report> = first.into_iter().chain(second).collect();
    Ok(super::sync::outcome(&reports))
}

fn add(sums: &mut BTreeMap<Entity, u64>, counts: &Counts) {
    for entity in [Entity::Department, Entity::Employee, Entity::CheckIn, Entity::AttendanceDay] {
        *sums.entry(entity).or_default() += counts.get(&entity).copied().unwrap_or_default();
    }
}

async fn sync_all(app: &App, format: Format) -> Result<Vec<Report>, Failure> {
    let generation = app.generation()?;
    let mut reports = Vec::new();
    for wiring in app.wirings(&generation, &Selection::default())? {
        reports.push(sync(&wiring).await?);
        if format == Format::Text {
            eprintln!("{}: run done", wiring.syncer.connection);
        }
    }
    Ok(reports)
}

async fn sync(wiring: &Wiring) -> Result<Report, Failure> {
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
    ended.map_err(|cause| Failure::from_error(&cause))
}

/// Starts the daemon, lets each platform hire somebody, and stops it when all of them have arrived.
async fn arrivals(
    app: Arc<App>,
    companies: &[Company],
) -> Result<BTreeMap<ConnectionId, u128>, Failure> {
    let stop = super::serve::stop_on_signal().child_token();
    let daemon = Daemon::start(app, Arc::new(Shower::new()), stop.clone()).await?;
    let mut arrived = BTreeMap::new();
    let mut failed = None;
    for (company, status) in company::pairs(companies, daemon.statuses()) {
        match hires::hire(company, status, daemon.address()).await {
            Ok(took) => {
                arrived.insert(company.connection.clone(), took.as_millis());
            }
            Err(failure) => failed = Some(failure),
        }
    }
    stop.cancel();
    daemon.finish().await;
    failed.map_or(Ok(arrived), Err)
}

async fn keep_running(
    app: Arc<App>,
    args: &Args,
    companies: &[Company],
) -> Result<Outcome, Failure> {
    let stop = super::serve::stop_on_signal();
    let shower = Arc::new(Shower::new());
    for company in companies {
        eprintln!(
            "simulated {}: {} ({} people)",
            company.name(),
            company.simulator.url(),
            company.people
        );
    }
    let mapping = app.config().mappings.join(format!("{}/employee.rhai", companies[0].connection));
    let daemon = Daemon::start(app, shower.clone(), stop.clone()).await?;
    let statuses = daemon.statuses();
    for status in &statuses {
        tokio::spawn(tell_runs(status.clone(), shower.clone()));
    }
    let firsts = statuses.iter().map(|status| hires::settled(status.clone()));
    tokio::select! {
        () = stop.cancelled() => {}
        _ = futures_util::future::join_all(firsts) => {
            eprintln!("EHR: {} (open it with sqlite3)", args.dir.join("ehr.db").display());
            eprintln!("status: http://{}/status", daemon.address());
            for (company, status) in company::pairs(companies, statuses) {
                match hires::hire(company, status, daemon.address()).await {
                    Ok(took) => eprintln!("{}", hires::told(&company.connection, took.as_millis())),
                    Err(failure) => eprintln!("{failure}"),
                }
            }
            eprintln!(
                "now edit {} and save: the change is in the EHR within a second. Ctrl-C ends the demo.",
                mapping.display()
            );
        }
    }
    daemon.finish().await;
    Ok(Outcome::Done)
}

/// Prints what each run of a connection came to.
async fn tell_runs(mut status: watch::Receiver<Status>, shower: Arc<Shower>) {
    let mut runs = 0;
    while let Ok(now) = status.wait_for(|status| status.runs > runs).await.map(|now| now.clone()) {
        runs = now.runs;
        shower.clear();
        if let Some(report) = now.last {
            eprintln!("{}", summary::report(&report, "rollcall sync"));
        }
    }
}
