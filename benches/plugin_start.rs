//! Starting a connector from compiled code in the cache against compiling it, and the first call of an instance.
//!
//! `cargo bench --bench plugin_start -- [ROUNDS]` (50). Loading is everything from the file on: reading, hashing, judging the
//! manifest, taking or making the code, linking. Ratios are between medians of one run; compiling uses all cores.
#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

mod median;

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rollcall::app::SystemClock;
use rollcall::host::{
    Connection, ConnectionSpec, Limits, OsRandom, PluginHost, Secret, SecretSource,
};
use rollcall::model::ids::{ConnectionId, TenantId};
use rollcall::port::provider::Provider as _;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

struct NoSecrets;

impl SecretSource for NoSecrets {
    fn secret(&self, _: &str) -> Option<Secret> {
        None
    }
}

/// The median of so many rounds, in milliseconds.
fn median_of(rounds: usize, mut round: impl FnMut() -> f64) -> f64 {
    let all: Vec<f64> = (0..rounds.max(1)).map(|_| round()).collect();
    median::median(&all)
}

fn timed<T>(work: impl FnOnce() -> T) -> f64 {
    let began = Instant::now();
    let out = work();
    let took = began.elapsed().as_secs_f64() * 1000.0;
    drop(out);
    took
}

fn main() {
    let rounds = std::env::args().skip(1).find_map(|arg| arg.parse().ok()).unwrap_or(50);
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/feishu.wasm");
    let folder = tempfile::tempdir().unwrap();
    let bare = PluginHost::new(None).unwrap();
    let compiling = median_of(rounds.min(5), || timed(|| bare.load(&file).unwrap()));
    let cached = PluginHost::new(Some(folder.path().to_owned())).unwrap();
    let plugin = cached.load(&file).unwrap();
    let loading = median_of(rounds, || timed(|| cached.load(&file).unwrap()));
    let runtime = rollcall::app::runtime().unwrap();
    let first = median_of(rounds, || {
        let settings = BTreeMap::from([("app_id".to_owned(), "cli_bench".to_owned())]);
        let connection = Connection::new(ConnectionSpec {
            plugin: Arc::clone(&plugin),
            tenant: TenantId::parse("bench").unwrap(),
            connection: ConnectionId::parse("bench").unwrap(),
            settings,
            secrets: Arc::new(NoSecrets),
            grants: Vec::new(),
            limits: Limits::STANDARD,
            clock: Arc::new(SystemClock),
            random: Arc::new(OsRandom),
        });
        let connection = connection.unwrap();
        timed(|| runtime.block_on(connection.capabilities()).unwrap())
    });
    println!("{:<36}{:>10}{:>10}", "", "ms", "ratio");
    println!("{:<36}{compiling:>10.3}{:>10.1}", "compiling", 1.0);
    println!("{:<36}{loading:>10.3}{:>10.1}", "from the cache", compiling / loading);
    println!("{:<36}{first:>10.3}", "an instance and its first call");
    println!("{:<36}{:>10}", "under 1 ms from the cache", loading < 1.0);
}
