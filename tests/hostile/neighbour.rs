//! What a neighbour feels: while a hostile tenant attacks with all the instances it is given, again and again with a breath
//! of a millisecond in between, its calls end in time and another tenant works on in the same process.
//!
//! `cargo test --test hostile_plugin a_neighbour -- --nocapture` prints the figures. Both figures are compared within one
//! moment of one machine; a machine that is busy with something else may spoil a round, so an attack has a few, and one
//! round must meet both promises at once.

use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::{Duration, Instant};

use rollcall::host::{Connection, Limits, Plugin};
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::model::ids::{SourceId, TenantId};
use rollcall::port::provider::Provider as _;

use super::bounds::instance_bomb;
use super::server::{Reply, Server};
use super::{Bench, FULL, LIMITS, component, manifest, spec, with_section};

/// The deadline of an attacker's call.
const CALL: Duration = Duration::from_millis(200);
/// How much later than that a call may end.
const LATE: Duration = Duration::from_millis(100);
/// The share of its own throughput that a neighbour keeps at least.
const SHARE: f64 = 0.1;
/// How long the neighbour is watched alone, before and after.
const QUIET: Duration = Duration::from_millis(100);
/// No caller asks again sooner.
const BREATH: Duration = Duration::from_millis(1);
const ROUNDS: usize = 6;
/// Calls that the neighbour has on their way.
const STREAMS: usize = 2;

/// What is called.
#[derive(Clone)]
enum Blow {
    Probe,
    Offer,
    List,
    Fetch,
    Load(PathBuf),
}

/// A guest, what is called of it, and what the call may come to.
struct Attack {
    name: &'static str,
    attacker: Arc<Connection>,
    bench: Arc<Bench>,
    blow: Blow,
    ends: &'static [&'static str],
}

/// What a call comes to: the code of its fault, or the text it found.
async fn strike(attack: &Attack) -> String {
    let told = |fault: Fault| fault.advice().map_or("fault".to_owned(), |it| it.code.clone());
    let connection = &attack.attacker;
    match &attack.blow {
        Blow::Probe => connection.probe().await.map_or_else(told, |found| {
            found.first().map_or("nothing found".to_owned(), |finding| finding.check.clone())
        }),
        Blow::Offer => connection.capabilities().await.map_or_else(told, |_| "an offer".into()),
        Blow::List => {
            let page = connection.list(Entity::Department, None, None).await;
            page.map_or_else(told, |_| "a page".into())
        }
        Blow::Fetch => {
            let ids = [SourceId::parse("a").unwrap()];
            let found = connection.fetch(Entity::Employee, &ids).await;
            found.map_or_else(told, |_| "records".into())
        }
        Blow::Load(file) => {
            let (bench, file) = (Arc::clone(&attack.bench), file.clone());
            let loaded = tokio::task::spawn_blocking(move || bench.host.load(&file).is_ok()).await;
            if loaded.unwrap() { "loaded" } else { "refused" }.to_owned()
        }
    }
}

/// Counts a tenant's calls, each a request over HTTP and a page of fifty records.
struct Neighbour {
    served: Arc<AtomicU64>,
    _platform: Server,
}

impl Neighbour {
    fn start(bench: &Bench) -> Self {
        let items: Vec<_> =
            (0..50).map(|n| serde_json::json!({"id": n, "name": "x".repeat(200)})).collect();
        let body = serde_json::json!({ "items": items }).to_string();
        let head = "HTTP/1.1 200 OK\r\ncontent-type: application/json\r\nconnection: close\r\n";
        let whole = format!("{head}content-length: {}\r\n\r\n{body}", body.len()).into_bytes();
        let platform = Server::start(move |_| Reply::Raw(whole.clone()));
        let settings = [("url", &*platform.url("/")), ("items", "/items"), ("id", "/id")];
        let mut spec = spec(&bench.guest("courier", &FULL), &settings, &[&platform.grant()]);
        spec.tenant = TenantId::parse("neighbour").unwrap();
        spec.limits.call = Duration::from_secs(20);
        let connection = Arc::new(Connection::new(spec).unwrap());
        let served = Arc::new(AtomicU64::new(0));
        for _ in 0..STREAMS {
            let (connection, served) = (Arc::clone(&connection), Arc::clone(&served));
            tokio::spawn(async move {
                loop {
                    let page = connection.list(Entity::Department, None, None).await.unwrap();
                    assert_eq!(page.records.len(), 50);
                    served.fetch_add(1, Ordering::Relaxed);
                }
            });
        }
        Self { served, _platform: platform }
    }

    /// Calls a second, as long as `watch` lasts.
    async fn rate(&self, watch: impl Future<Output = ()>) -> f64 {
        let (before, began) = (self.served.load(Ordering::Relaxed), Instant::now());
        watch.await;
        let served = self.served.load(Ordering::Relaxed) - before;
        f64::from(u32::try_from(served).unwrap()) / began.elapsed().as_secs_f64()
    }

    async fn undisturbed(&self) -> f64 {
        self.rate(tokio::time::sleep(QUIET)).await
    }
}

/// One round: the longest that a call took beyond its deadline, and the share that the neighbour kept.
async fn round(attack: &Arc<Attack>, neighbour: &Neighbour) -> (Duration, f64) {
    let before = neighbour.undisturbed().await;
    let stop = Arc::new(AtomicBool::new(false));
    let tasks: Vec<_> = (0..LIMITS.instances)
        .map(|_| {
            let (attack, stop) = (Arc::clone(attack), Arc::clone(&stop));
            tokio::spawn(async move {
                let mut longest = Duration::ZERO;
                while !stop.load(Ordering::Relaxed) {
                    let began = Instant::now();
                    let came_to = strike(&attack).await;
                    longest = longest.max(began.elapsed());
                    let Attack { name, ends, .. } = &*attack;
                    assert!(ends.contains(&&*came_to), "{name} came to {came_to}");
                    tokio::time::sleep(BREATH).await;
                }
                longest
            })
        })
        .collect();
    let during = neighbour.rate(tokio::time::sleep(CALL + QUIET)).await;
    stop.store(true, Ordering::Relaxed);
    let mut longest = Duration::ZERO;
    for task in tasks {
        longest = longest.max(task.await.unwrap());
    }
    let after = neighbour.undisturbed().await;
    (longest.saturating_sub(CALL), during / f64::midpoint(before, after))
}

/// Makes attacks of guests.
struct Arsenal {
    bench: Arc<Bench>,
    attacks: Vec<Attack>,
}

impl Arsenal {
    fn add(&mut self, name: &'static str, guest: &str, blow: Blow, ends: &'static [&'static str]) {
        let plugin = self
            .bench
            .guest(guest, if guest == "start" || guest == "flood" { &FULL[..1] } else { &FULL });
        self.push(name, &plugin, &[], &[], blow, ends);
    }

    fn send(&mut self, name: &'static str, url: &str, grant: &str, ends: &'static [&'static str]) {
        let plugin = self.bench.guest("courier", &FULL);
        self.push(name, &plugin, &[("url", url)], &[grant], Blow::Probe, ends);
    }

    fn push(
        &mut self,
        name: &'static str,
        plugin: &Arc<Plugin>,
        settings: &[(&str, &str)],
        grants: &[&str],
        blow: Blow,
        ends: &'static [&'static str],
    ) {
        let mut spec = spec(plugin, settings, grants);
        spec.limits = Limits { call: CALL, ..LIMITS };
        let attacker = Arc::new(Connection::new(spec).unwrap());
        let bench = Arc::clone(&self.bench);
        self.attacks.push(Attack { name, attacker, bench, blow, ends });
    }
}

fn of_guests(arsenal: &mut Arsenal) {
    let late: &[&str] = &["plugin::deadline"];
    let broken: &[&str] = &["plugin::contract"];
    arsenal.add("endless loop", "loop", Blow::Probe, late);
    arsenal.add("loop through host calls", "loop", Blow::Fetch, late);
    arsenal.add("loop while it starts", "start", Blow::Probe, late);
    arsenal.add("memory bomb", "hoard", Blow::Probe, &["plugin::memory"]);
    arsenal.add("table bomb", "hoard", Blow::Offer, &["plugin::table"]);
    arsenal.add("deep recursion", "trap", Blow::Offer, &["plugin::stack"]);
    arsenal.add("trap", "trap", Blow::Probe, &["plugin::trap"]);
    arsenal.add("log flood", "flood", Blow::Probe, &["nothing found", "plugin::deadline"]);
    arsenal.add("text that is no UTF-8", "boundary", Blow::Probe, broken);
    arsenal.add("list outside its memory", "boundary", Blow::Offer, broken);
    arsenal.add("32 MiB over the boundary", "boundary", Blow::List, broken);
    arsenal.add("2 GiB of randomness", "boundary", Blow::Fetch, broken);
    arsenal.add("fault of no kind", "thief", Blow::Offer, broken);
    let snoop = arsenal.bench.guest("snoop", &["plugin"]);
    let own = &["nothing", "mine"];
    arsenal.push("cache of another tenant", &snoop, &[], &[], Blow::Probe, own);
    let bomb = arsenal.bench.file("bomb", &instance_bomb());
    let bomb = arsenal.bench.host.load(&bomb).unwrap();
    arsenal.push("instance bomb", &bomb, &[], &[], Blow::Probe, broken);
    let wat = r#"(module (memory (export "memory") 1)
        (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (i32.const 1024)))"#;
    let forged = manifest("other");
    let forged = with_section(component(wat, &["plugin"]), "rollcall:manifest", forged.as_bytes());
    let forged = arsenal.bench.file("forged", &forged);
    arsenal.push("forged manifest", &bomb, &[], &[], Blow::Load(forged), &["refused"]);
}

/// The servers of the attacks; the first one is what no attack may reach.
fn of_servers(arsenal: &mut Arsenal) -> Vec<Server> {
    let inside = Server::start(|_| Reply::json("inside"));
    let huge = b"HTTP/1.1 200 OK\r\ncontent-length: 10737418240\r\n\r\n".to_vec();
    let replies: [(&str, Reply, &[&str]); 4] = [
        ("dripping response", Reply::Drip, &["1"]),
        ("response that never comes", Reply::Silent, &["1"]),
        ("response of 10 GB", Reply::Raw(huge), &["2"]),
        ("response without end", Reply::Endless, &["1", "2"]),
    ];
    let target = format!("location: {}\r\n", inside.url("/"));
    let local = format!("localhost:{}", inside.address.port());
    let mut servers = vec![inside];
    for (name, reply, ends) in replies {
        let server = Server::start(move |_| reply.clone());
        arsenal.send(name, &server.url("/"), &server.grant(), ends);
        servers.push(server);
    }
    let server = Server::start(move |_| Reply::with("302 Found", &target, "moved"));
    arsenal.send("redirect inside", &server.url("/"), &server.grant(), &["moved"]);
    arsenal.send("private address", "http://169.254.169.254/", &server.grant(), &["0"]);
    arsenal.send("name of a private address", &format!("https://{local}/"), &local, &["0"]);
    let thief = arsenal.bench.guest("thief", &FULL);
    let header = [("url", "https://evil.test/"), ("items", "x-key"), ("id", "{secret:app_secret}")];
    let grants = [&*server.grant()];
    arsenal.push("secret in a header", &thief, &header, &grants, Blow::Probe, &["0"]);
    servers.push(server);
    servers
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_neighbour_keeps_working_and_every_attack_ends_in_time() {
    let bench = Arc::new(Bench::new());
    let neighbour = Neighbour::start(&bench);
    let mut arsenal = Arsenal { bench, attacks: Vec::new() };
    of_guests(&mut arsenal);
    let servers = of_servers(&mut arsenal);
    println!("{:<28}{:>12}{:>12}{:>8}", "attack", "late, ms", "share, %", "rounds");
    let mut failed = Vec::new();
    for attack in arsenal.attacks {
        let attack = Arc::new(attack);
        let mut rounds = Vec::new();
        let met = |&(late, share): &(Duration, f64)| late <= LATE && share >= SHARE;
        while rounds.len() < ROUNDS && !rounds.last().is_some_and(met) {
            rounds.push(round(&attack, &neighbour).await);
        }
        let (late, share) = rounds[rounds.len() - 1];
        let (late, share) = (late.as_secs_f64() * 1000.0, share * 100.0);
        println!("{:<28}{late:>12.1}{share:>12.0}{:>8}", attack.name, rounds.len());
        if !rounds.last().is_some_and(met) {
            failed.push(format!("{}: {rounds:?}", attack.name));
        }
    }
    assert_eq!(servers[0].seen(), Vec::<String>::new(), "what is inside was reached");
    assert!(failed.is_empty(), "in {ROUNDS} rounds none met both promises:\n{}", failed.join("\n"));
}
