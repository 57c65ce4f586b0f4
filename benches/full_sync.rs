//! A full sync of many people against the floor: a sequential loop of reqwest, serde and rusqlite that keeps no state.
//!
//! `cargo bench --bench full_sync -- [PEOPLE] [ROUNDS]` (100,000 and 3). The platform is the simulator in a process of its
//! own, its answers prepared by a round that is not timed. Variants take turns and begin with the disk at rest; the loop is
//! the program's main future, rollcall's syncs are tasks, as in the daemon. Ratios are between medians of one run.
//! Absolute figures say more about the machine. With `sh benches/peers/run.sh` dlt and Singer do the same job too.
//! `-- alone [PEOPLE]` runs one first sync and one without changes, nothing else: what rollcall takes of the memory.

#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

mod floor;
mod median;
mod peers;
mod platform;

use std::path::Path;
use std::sync::Arc;

use median::median;
use platform::{Platform, Timed, component, serve};
use rollcall::app::SystemClock;
use rollcall::archive::FileArchive;
use rollcall::config::{Attendance, Gate, Zone};
use rollcall::mapping::{Files, Generation};
use rollcall::model::ids::{ConnectionId, TenantId};
use rollcall::port::archive::Retention;
use rollcall::state::{Options, SledStore};
use rollcall::sync::progress::Silent;
use rollcall::sync::report::Report;
use rollcall::sync::{Mode, Request, Settings, Syncer};
use rollcall::target::ehr::{self, EmbeddedEhr};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

/// What is freed goes back to the system at once, as in the command.
fn give_memory_back_at_once() {
    /// `mi_option_purge_delay` in mimalloc's list of options.
    const PURGE_DELAY: libmimalloc_sys::mi_option_t = 15;
    #[expect(unsafe_code, reason = "sets a number in the allocator's table of options")]
    // SAFETY: the option exists in the version that is linked, and any value is allowed.
    unsafe {
        libmimalloc_sys::mi_option_set(PURGE_DELAY, 0);
    }
}

/// Everything rollcall needs, in `dir`.
fn syncer(platform: &Platform, dir: &Path) -> (Syncer, Request) {
    let connection = ConnectionId::parse("feishu").unwrap();
    let tenant = TenantId::parse("bench").unwrap();
    let read = |name: &str| std::fs::read_to_string(format!("mappings/feishu/{name}")).unwrap();
    let texts = ["department.rhai", "employee.rhai", "tables.yaml"].map(|name| (name, read(name)));
    let files =
        Files::from_memory("feishu", texts.iter().map(|(name, text)| (*name, text.as_str())));
    // First, as in the daemon: what is freed after a plugin was compiled is not all given back.
    let store = Arc::new(SledStore::open(&dir.join("state"), Options::default()).unwrap());
    let mapper =
        Generation::load(&files, None).unwrap().mapper(&connection, "Asia/Shanghai", "CN").unwrap();
    let provider = component(platform, &dir.join("cache"), tenant.clone());
    let clock = Arc::new(SystemClock);
    let target =
        EmbeddedEhr::open(&dir.join("ehr.db"), clock.clone(), ehr::Options::default()).unwrap();
    let cores = std::thread::available_parallelism().map_or(1, usize::from);
    let zone = Zone::try_from("Asia/Shanghai".to_owned()).unwrap();
    let syncer = Syncer {
        tenant,
        connection,
        provider: Arc::new(provider),
        target: Arc::new(target),
        archive: Arc::new(FileArchive::new(
            dir.join("archive"),
            Retention { days: 1, bytes: 1 << 30 },
        )),
        store,
        clock,
        settings: Settings {
            zone: zone.time_zone().clone(),
            gate: Gate::default(),
            attendance: Attendance::default(),
            matching: None,
            parallel: 4,
            workers: cores + 1,
        },
    };
    let request = Request {
        mode: Mode::Sync,
        approve: None,
        stop: CancellationToken::new(),
        progress: Arc::new(Silent),
        mapper,
    };
    (syncer, request)
}

async fn run(ours: Arc<(Syncer, Request)>) -> Report {
    let (syncer, request) = &*ours;
    syncer.run(request).await.unwrap()
}

async fn compare(people: u32, rounds: usize) {
    let platform = Platform::start(people);
    let (mut floor, mut first, mut again) = (Timed::default(), Timed::default(), Timed::default());
    let mut peers = peers::all();
    for round in 0..=rounds {
        let dir = tempfile::tempdir().unwrap();
        let records = floor
            .time(floor::sync(
                &platform.url,
                &platform.app_id,
                &platform.app_secret,
                &dir.path().join("floor.db"),
            ))
            .await;
        let ours = Arc::new(syncer(&platform, dir.path()));
        let report = first.time(tokio::spawn(run(ours.clone()))).await.unwrap();
        assert_eq!(report.records(), records, "both variants read the same");
        assert_eq!(report.writes(), records, "everything is written once");
        let report = again.time(tokio::spawn(run(ours))).await.unwrap();
        assert_eq!(report.writes(), 0, "nothing changed, nothing is written");
        if round == 0 {
            [&mut floor, &mut first, &mut again].into_iter().for_each(Timed::warmed_up);
            continue;
        }
        for peer in &mut peers {
            let theirs = peer.sync(&platform, dir.path()).await;
            assert_eq!(theirs, records, "{} reads the same", peer.name);
        }
    }
    println!(
        "{:<28}{:>10}{:>12}{:>10}{:>12}{:>12}",
        "", "wall s", "records/s", "cpu s", "x records/s", "x cpu"
    );
    for (name, timed) in
        [("floor", &floor), ("rollcall, first sync", &first), ("rollcall, nothing changed", &again)]
    {
        let (wall, cpu) = (median(&timed.wall), median(&timed.cpu));
        println!(
            "{name:<28}{wall:>10.2}{:>12.0}{cpu:>10.2}{:>12.2}{:>12.2}",
            f64::from(people) / wall,
            median(&floor.wall) / wall,
            cpu / median(&floor.cpu)
        );
    }
    for peer in &peers {
        let wall = peer.wall();
        println!(
            "{:<28}{wall:>10.2}{:>12.0}{:>10}{:>12.2}    rollcall's first sync: {:.1} times as fast",
            peer.name,
            f64::from(people) / wall,
            "",
            median(&floor.wall) / wall,
            wall / median(&first.wall),
        );
    }
    println!("peak memory of this process: {} MiB", rollcall::app::peak_rss_bytes() >> 20);
}

/// One first sync and one without changes, and the most memory they took.
async fn alone(people: u32) {
    let platform = Platform::start(people);
    let dir = tempfile::tempdir().unwrap();
    let ours = Arc::new(syncer(&platform, dir.path()));
    println!("peak memory before: {} MiB", rollcall::app::peak_rss_bytes() >> 20);
    for sync in ["first sync", "nothing changed"] {
        let report = tokio::spawn(run(ours.clone())).await.unwrap();
        let peak = rollcall::app::peak_rss_bytes() >> 20;
        println!("{sync:<18}{:>10} records, peak memory {peak} MiB", report.records());
    }
}

fn main() {
    give_memory_back_at_once();
    let args: Vec<String> = std::env::args().skip(1).filter(|arg| !arg.starts_with("--")).collect();
    let number = |at: usize, default: u32| {
        args.get(at).and_then(|text| text.parse().ok()).unwrap_or(default)
    };
    let runtime = rollcall::app::runtime().unwrap();
    if args.first().is_some_and(|arg| arg == "serve") {
        runtime.block_on(serve(number(1, 1000)));
    } else if args.first().is_some_and(|arg| arg == "alone") {
        runtime.block_on(alone(number(1, 100_000)));
    } else {
        runtime.block_on(compare(number(0, 100_000), number(1, 3) as usize));
    }
}
