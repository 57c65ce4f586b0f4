//! How long a platform waits for the answer to an event that was verified, decrypted and flushed to disk.
//!
//! `cargo bench --bench callbacks -- [RATE] [SECONDS]` (200 a second, 15). Encrypted and signed events arrive at their times
//! whether or not earlier ones are answered; each passes the HTTP server, the real component and sled on a real disk. Time
//! counts from when an event was due. Afterwards the same at full speed, 64 at a time.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::print_stdout,
    reason = "a benchmark prints, and fails loudly"
)]

#[path = "../tests/pushed/mod.rs"]
mod pushed;

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::path::Path;
use std::sync::Arc;
use std::time::{Duration, Instant};

use pushed::{KEY, Pushed, Sender, TOKEN};
use rollcall::api::{Api, Callbacks, Desk, Look};
use rollcall::app::SystemClock;
use rollcall::host::{self, Connection, ConnectionSpec, PluginHost, Secret, SecretSource};
use rollcall::inbox::{self, Bounds, Intake, Journal, Looker, Parts, Tempo};
use rollcall::model::ids::{ConnectionId, TenantId};
use rollcall::port::clock::Clock as _;
use rollcall::port::inbox::Inbox;
use rollcall::state::{Options, SledStore};
use rollcall::sync::look::{Looked, Sight};
use tokio::task::JoinSet;
use tokio::time::{Instant as At, sleep_until};
use tokio_util::sync::CancellationToken;

#[global_allocator]
static ALLOCATOR: mimalloc::MiMalloc = mimalloc::MiMalloc;

const APP: &str = "cli_example0001";
const PATH: &str = "/callbacks/bench/feishu";

struct Keys;

impl SecretSource for Keys {
    fn secret(&self, name: &str) -> Option<Secret> {
        let text = match name {
            "encrypt_key" => KEY,
            "verification_token" => TOKEN,
            _ => return None,
        };
        Some(Secret::new(text.to_owned()))
    }
}

/// Runs are no part of what is measured: every look fails, and the events stay.
struct Never;

#[async_trait::async_trait]
impl Looker for Never {
    async fn look(&self, _: Sight) -> Looked {
        Looked::Failed("not part of the benchmark".to_owned())
    }
}

fn connection(folder: &Path) -> Connection {
    let host = PluginHost::new(Some(folder.join("compiled"))).unwrap();
    let spec = ConnectionSpec {
        plugin: host.load(Path::new("plugins/feishu.wasm")).unwrap(),
        tenant: TenantId::parse("bench").unwrap(),
        connection: ConnectionId::parse("feishu").unwrap(),
        settings: BTreeMap::from([("app_id".to_owned(), APP.to_owned())]),
        secrets: Arc::new(Keys),
        grants: Vec::new(),
        limits: host::Limits::STANDARD,
        clock: Arc::new(SystemClock),
        random: Arc::new(host::OsRandom),
    };
    Connection::new(spec).unwrap()
}

/// Starts everything between the socket and the disk.
async fn start(folder: &Path, stop: &CancellationToken) -> (SocketAddr, Arc<Intake>) {
    let store = Arc::new(SledStore::open(&folder.join("state"), Options::default()).unwrap());
    let (intake, worker) = inbox::open(Parts {
        tenant: TenantId::parse("bench").unwrap(),
        connection: ConnectionId::parse("feishu").unwrap(),
        callback: Arc::new(connection(folder)),
        looker: Arc::new(Never),
        store: store.clone(),
        journal: Journal::start(store),
        clock: Arc::new(SystemClock),
        bounds: Bounds { body_bytes: 1 << 20, backlog: 10_000_000, store: Duration::from_secs(5) },
        tempo: Tempo::default(),
    })
    .unwrap();
    tokio::spawn(worker.run(stop.clone()));
    let intake = Arc::new(intake);
    let inbox: Arc<dyn Inbox> = intake.clone();
    let callbacks = Callbacks::new(Arc::new(move |_, _| Some(inbox.clone())), 1 << 20);
    let look: Look = Arc::new(|| panic!("nobody asks for the status"));
    let desk = Desk::new("", Arc::new(|_| panic!("nobody asks anything")));
    let api = Api::bind("127.0.0.1:0".parse().unwrap(), look, callbacks, desk).await.unwrap();
    let address = api.address().unwrap();
    tokio::spawn(api.run(stop.clone()));
    (address, intake)
}

fn events(from: usize, count: usize) -> Vec<Pushed> {
    let sender = Sender::new(APP, SystemClock.now_ms());
    (from..from + count)
        .map(|n| sender.seal(&sender.change(&format!("ev-{n}"), &format!("u{n}"))))
        .collect()
}

async fn send(client: reqwest::Client, url: String, (headers, body): Pushed) {
    let mut call = client.post(url).body(body);
    for (name, value) in headers {
        call = call.header(name, value);
    }
    let answer = call.send().await.unwrap();
    assert_eq!(answer.status().as_u16(), 200);
    answer.bytes().await.unwrap();
}

/// Latencies at a steady rate, each from the moment an event was due.
async fn steady(client: &reqwest::Client, url: &str, events: Vec<Pushed>, rate: u32) -> Vec<f64> {
    let start = At::now() + Duration::from_millis(100);
    let mut tasks = JoinSet::new();
    for (n, event) in events.into_iter().enumerate() {
        let due = start + Duration::from_secs(1) / rate * u32::try_from(n).unwrap();
        sleep_until(due).await;
        let (client, url) = (client.clone(), url.to_owned());
        tasks.spawn(async move {
            send(client, url, event).await;
            due.elapsed().as_secs_f64() * 1e3
        });
    }
    tasks.join_all().await
}

/// Events a second, 64 at a time.
async fn full_speed(client: &reqwest::Client, url: &str, events: Vec<Pushed>) -> f64 {
    let count = events.len();
    let events = Arc::new(std::sync::Mutex::new(events));
    let started = Instant::now();
    let mut tasks = JoinSet::new();
    for _ in 0..64 {
        let (client, url, events) = (client.clone(), url.to_owned(), events.clone());
        tasks.spawn(async move {
            loop {
                let Some(event) = events.lock().unwrap().pop() else { break };
                send(client.clone(), url.clone(), event).await;
            }
        });
    }
    tasks.join_all().await;
    #[expect(clippy::cast_precision_loss, reason = "a count of thousands")]
    let count = count as f64;
    count / started.elapsed().as_secs_f64()
}

async fn measure(rate: u32, seconds: u32) {
    let folder = tempfile::tempdir().unwrap();
    let stop = CancellationToken::new();
    let (address, intake) = start(folder.path(), &stop).await;
    let url = format!("http://{address}{PATH}");
    let client = reqwest::Client::builder().build().unwrap();
    let count = (rate * seconds) as usize;
    steady(&client, &url, events(0, 200), rate).await;
    let mut latencies = steady(&client, &url, events(1_000, count), rate).await;
    latencies.sort_by(f64::total_cmp);
    let at = |share: usize| latencies[(latencies.len() * share / 1_000).min(latencies.len() - 1)];
    println!(
        "{count} events at {rate} a second: p50 {:.1} ms, p99 {:.1} ms, p99.9 {:.1} ms, max {:.1} ms",
        at(500),
        at(990),
        at(999),
        latencies[latencies.len() - 1]
    );
    let speed = full_speed(&client, &url, events(1_000_000, 4_000)).await;
    println!("at full speed, 64 at a time: {speed:.0} a second");
    let tally = intake.tally();
    assert_eq!((tally.received, tally.duplicate), (200 + count as u64 + 4_000, 0));
    stop.cancel();
}

fn main() {
    let numbers: Vec<u32> = std::env::args().skip(1).filter_map(|it| it.parse().ok()).collect();
    // Fails when it has been installed before.
    rustls::crypto::ring::default_provider().install_default().ok();
    let runtime = rollcall::app::runtime().unwrap();
    let (rate, seconds) =
        (numbers.first().copied().unwrap_or(200), numbers.get(1).copied().unwrap_or(15));
    runtime.block_on(measure(rate, seconds));
}
