//! A full sync under the platform's rate limits, against the time that the limits alone demand.
//!
//! `cargo bench --bench rate_limits -- [PEOPLE] [PER_SECOND] [PER_MINUTE]` (600 people, the documented limits; with two more
//! numbers every endpoint has these). The platform is the simulator in this process, which keeps fixed windows of its own and
//! counts what it refuses. It prints the ratio of both times and the share of refused requests.

#![expect(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

use std::collections::BTreeMap;
use std::path::Path;
use std::sync::Arc;
use std::time::Instant;

use rollcall::app::Embedding;
use rollcall::app::SystemClock;
use rollcall::port::target::Target;
use rollcall::target::ehr::{EmbeddedEhr, Options};
use simulator::feishu::Endpoint;
use simulator::{RateLimits, Simulator};

/// The endpoints that have limits, with those of a second and a minute.
const LIMITED: [(&str, Endpoint, u64, u64); 3] = [
    ("people of a department", Endpoint::UsersByDepartment, 50, 1_000),
    ("punches", Endpoint::UserFlows, 50, u64::MAX),
    ("attendance days", Endpoint::UserTasks, 50, u64::MAX),
];

fn embedding(simulator: &Simulator) -> Embedding {
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let url = simulator.url();
    Embedding {
        plugin: "plugins/feishu.wasm".into(),
        mappings: "mappings/feishu".into(),
        settings: BTreeMap::from([text("open_host", &url), text("app_id", simulator.app_id())]),
        secrets: BTreeMap::from([text("app_secret", simulator.app_secret())]),
        grants: vec![format!("private:{}", url.trim_start_matches("http://"))],
        state: None,
        zone: "Asia/Shanghai".to_owned(),
        region: "CN".to_owned(),
    }
}

/// The least time in which fixed windows admit so many requests, the first ones at the very end of a window.
fn demanded(requests: u64, per_second: u64, per_minute: u64) -> f64 {
    let minutes = requests.saturating_sub(1) / per_minute;
    let rest = requests - minutes * per_minute.min(requests);
    #[expect(clippy::cast_precision_loss, reason = "seconds of a benchmark")]
    let seconds = (minutes * 60 + rest.saturating_sub(1) / per_second) as f64;
    seconds
}

async fn measure(people: u32, limits: Option<(u32, u32)>) {
    let (rate_limits, shown) = match limits {
        Some((per_second, per_minute)) => (
            RateLimits::Each { per_second, per_minute },
            format!("{per_second} a second, {per_minute} a minute for every endpoint"),
        ),
        None => (RateLimits::Documented, "as documented".to_owned()),
    };
    let simulator = Simulator::builder()
        .people(people)
        .seed(1)
        .days(31)
        .rate_limits(rate_limits)
        .start("127.0.0.1:0")
        .await
        .unwrap();
    let dir = tempfile::tempdir().unwrap();
    let ehr = EmbeddedEhr::open(
        Path::new(&dir.path().join("ehr.db")),
        Arc::new(SystemClock),
        Options::default(),
    );
    let target: Arc<dyn Target> = Arc::new(ehr.unwrap());
    let embedded = embedding(&simulator).open(target).unwrap();
    let began = Instant::now();
    let report = embedded.sync().await.unwrap();
    let took = began.elapsed().as_secs_f64();
    assert!(report.failures.is_empty(), "{:?}", report.failures);
    let requests = simulator.requests();
    println!("{people} people, limits {shown}: {} requests, {took:.1} s", report.requests);
    let mut least = 0.0;
    for (name, endpoint, per_second, per_minute) in LIMITED {
        let count = requests.of(endpoint);
        let (per_second, per_minute) =
            limits.map_or((per_second, per_minute), |(s, m)| (s.into(), m.into()));
        let demanded = demanded(count, per_second, per_minute);
        println!("{name:<28}{count:>8} requests demand {demanded:>7.1} s");
        least += demanded;
    }
    println!("one class after the other: {least:.1} s");
    println!("ratio: {:.3}", took / least);
    println!("refused for the rate: {}", requests.throttled);
}

fn main() {
    let args: Vec<u32> =
        std::env::args().skip(1).filter_map(|argument| argument.parse().ok()).collect();
    let limits = match args[..] {
        [_, per_second, per_minute, ..] => Some((per_second, per_minute)),
        _ => None,
    };
    let runtime = rollcall::app::runtime().unwrap();
    runtime.block_on(measure(args.first().copied().unwrap_or(600), limits));
}
