//! The simulated platform in a process of its own, the connector against it, and the timing that the benchmarks share.

mod prepared;

use std::io::{BufRead as _, BufReader};
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::app::SystemClock;
use rollcall::host::{self, ConnectionSpec, Grant, PluginHost, Secret, SecretSource};
use rollcall::model::ids::{ConnectionId, TenantId};
use simulator::Simulator;

/// What the simulator's process prints once it listens.
pub(crate) struct Platform {
    pub(crate) url: String,
    pub(crate) app_id: String,
    pub(crate) app_secret: String,
    child: Child,
}

impl Platform {
    /// Feishu.
    pub(crate) fn start(people: u32) -> Self {
        Self::start_with(&[people.to_string()])
    }

    /// Whatever this benchmark serves when it is called with `serve` and these words.
    pub(crate) fn start_with(words: &[String]) -> Self {
        let mut child = Command::new(std::env::current_exe().unwrap())
            .arg("serve")
            .args(words)
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let mut line = String::new();
        BufReader::new(child.stdout.take().unwrap()).read_line(&mut line).unwrap();
        let words: Vec<&str> = line.split_whitespace().collect();
        let [url, app_id, app_secret] = words[..] else { panic!("the simulator said {line:?}") };
        let (url, app_id, app_secret) = (url.into(), app_id.into(), app_secret.into());
        Self { url, app_id, app_secret, child }
    }
}

impl Drop for Platform {
    fn drop(&mut self) {
        drop(self.child.kill());
        drop(self.child.wait());
    }
}

/// Serves Feishu until stdin closes.
pub(crate) async fn serve(people: u32) {
    serve_company(Simulator::builder().people(people).seed(1).days(1)).await;
}

/// Serves a company until stdin closes.
pub(crate) async fn serve_company(company: simulator::Builder) {
    let simulator = company.start("127.0.0.1:0").await.unwrap();
    let url = prepared::serve(simulator.url().as_str()).await;
    println!("{url} {} {}", simulator.app_id(), simulator.app_secret());
    tokio::task::spawn_blocking(|| std::io::stdin().read_line(&mut String::new()))
        .await
        .unwrap()
        .unwrap();
}

pub(crate) struct OneSecret(pub(crate) String);

impl SecretSource for OneSecret {
    fn secret(&self, name: &str) -> Option<Secret> {
        name.ends_with("_secret").then(|| Secret::new(self.0.clone()))
    }
}

/// CPU seconds of this process, user and system. By the scheduler's clock: what `/proc/self/stat` tells is sampled in ticks
/// of 10 ms, and work that waits for the network in between is seldom met by one.
pub(crate) fn cpu() -> f64 {
    let told = rustix::time::clock_gettime(rustix::time::ClockId::ProcessCPUTime);
    Duration::try_from(told).unwrap().as_secs_f64()
}

#[derive(Default)]
pub(crate) struct Timed {
    pub(crate) wall: Vec<f64>,
    pub(crate) cpu: Vec<f64>,
}

impl Timed {
    /// Forgets what was timed so far, while the platform prepared its answers.
    pub(crate) fn warmed_up(&mut self) {
        self.wall.clear();
        self.cpu.clear();
    }

    /// Times `work`. The disk is at rest when it begins: what was written before is nobody's time.
    pub(crate) async fn time<T>(&mut self, work: impl Future<Output = T>) -> T {
        let at_rest = std::process::Command::new("sync").status().unwrap();
        assert!(at_rest.success());
        let (wall, before) = (Instant::now(), cpu());
        let out = work.await;
        self.wall.push(wall.elapsed().as_secs_f64());
        self.cpu.push(cpu() - before);
        out
    }
}

/// Feishu's connector as a component, set up against the platform.
pub(crate) fn component(platform: &Platform, cache: &Path, tenant: TenantId) -> host::Connection {
    let settings = [("open_host", platform.url.as_str()), ("app_id", &platform.app_id)];
    component_of("feishu", &settings, platform, cache, tenant)
}

/// A connector as a component, set up against the platform.
pub(crate) fn component_of(
    plugin: &str,
    settings: &[(&str, &str)],
    platform: &Platform,
    cache: &Path,
    tenant: TenantId,
) -> host::Connection {
    let setting = |(name, value): &(&str, &str)| ((*name).to_owned(), (*value).to_owned());
    let host = PluginHost::new(Some(cache.to_owned())).unwrap();
    host.ignore_rates();
    let address = platform.url.trim_start_matches("http://");
    let connection = host::Connection::new(ConnectionSpec {
        plugin: host.load(Path::new(&format!("plugins/{plugin}.wasm"))).unwrap(),
        tenant,
        connection: ConnectionId::parse(plugin).unwrap(),
        settings: settings.iter().map(setting).collect(),
        secrets: Arc::new(OneSecret(platform.app_secret.clone())),
        grants: vec![Grant::parse(&format!("private:{address}")).unwrap()],
        limits: host::Limits::STANDARD,
        clock: Arc::new(SystemClock),
        random: Arc::new(host::OsRandom),
    });
    connection.unwrap()
}
