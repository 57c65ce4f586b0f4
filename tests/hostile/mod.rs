//! Guests that misbehave, written as core modules in text form and made components here, and a server that misbehaves too.
//!
//! A guest is a `.wat` file beside this one. It speaks the canonical ABI by hand, so that it can also break its rules.

mod bounds;
mod cache;
mod connector;
mod exfiltration;
mod loading;
mod logs;
mod neighbour;

mod network;
mod pages;
mod recording;
mod retries;
mod secrets;
mod server;
mod tenants;
mod time;

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::{Duration, Instant};

use rollcall::host::{
    Connection, ConnectionSpec, Grant, HostError, Limits, OsRandom, Plugin, PluginHost,
    RetryLimits, Secret, SecretSource,
};
use rollcall::model::fault::Fault;
use rollcall::model::ids::{ConnectionId, TenantId};
use rollcall::port::clock::Clock;
use rollcall::port::provider::Provider as _;
use wit_component::{ComponentEncoder, StringEncoding, embed_component_metadata};
use wit_parser::Resolve;

/// What a connection of these tests is given unless a test says otherwise.
pub(crate) const LIMITS: Limits = Limits {
    call: Duration::from_millis(400),
    retry: RetryLimits { attempts: 1, ..Limits::STANDARD.retry },
    ..Limits::STANDARD
};

/// How much later than its deadline a call may end here. The promise is 100 ms; a loaded test machine gets more.
pub(crate) const SLACK: Duration = Duration::from_millis(1500);

/// The interfaces that most guests here export.
pub(crate) const FULL: [&str; 2] = ["plugin", "directory"];

/// A component of a core module in text form that exports some interfaces of the contract.
pub(crate) fn component(wat: &str, exports: &[&str]) -> Vec<u8> {
    let exports: Vec<_> =
        exports.iter().map(|it| format!("export rollcall:plugin/{it}@0.1.0;")).collect();
    let exports = exports.join("\n");
    component_in(
        wat,
        &format!(
            "package test:guest;\nworld guest {{ include rollcall:plugin/imports@0.1.0;\n{exports} }}"
        ),
    )
}

/// A component of a core module in text form, in a world written out.
pub(crate) fn component_in(wat: &str, world: &str) -> Vec<u8> {
    let mut module = wat::parse_str(wat).unwrap();
    let mut resolve = Resolve::default();
    resolve
        .push_path(Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/wit/since_v0_1"))
        .unwrap();
    let package = resolve.push_str("guest.wit", world).unwrap();
    let world = resolve.select_world(&[package], None).unwrap();
    embed_component_metadata(&mut module, &resolve, world, StringEncoding::UTF8).unwrap();
    ComponentEncoder::default().module(&module).unwrap().validate(true).encode().unwrap()
}

/// Adds a custom section.
pub(crate) fn with_section(mut component: Vec<u8>, name: &str, content: &[u8]) -> Vec<u8> {
    let named = [leb(name.len()), name.as_bytes().to_vec(), content.to_vec()].concat();
    component.push(0);
    component.extend(leb(named.len()));
    component.extend(named);
    component
}

fn leb(mut value: usize) -> Vec<u8> {
    let mut out = Vec::new();
    loop {
        let byte = u8::try_from(value & 0x7f).unwrap();
        value >>= 7;
        out.push(if value == 0 { byte } else { byte | 0x80 });
        if value == 0 {
            return out;
        }
    }
}

/// A manifest that asks for the host in the setting `url` and for one secret.
pub(crate) fn manifest(name: &str) -> String {
    let settings: Vec<_> = ["url", "body", "type", "items", "id"]
        .iter()
        .map(|name| serde_json::json!({ "name": name }))
        .collect();
    serde_json::json!({
        "name": name, "version": "1.0.0", "contract": "0.1.0", "about": "a guest of the tests",
        "hosts": ["{setting:url}"], "settings": settings,
        "secrets": [{ "name": "app_secret", "about": "the app's secret" }, { "name": "unset" }],
    })
    .to_string()
}

/// A place for plugin files, with a host.
pub(crate) struct Bench {
    pub(crate) folder: tempfile::TempDir,
    pub(crate) host: PluginHost,
}

impl Bench {
    pub(crate) fn new() -> Self {
        Self { folder: tempfile::tempdir().unwrap(), host: PluginHost::new(None).unwrap() }
    }

    /// Writes a plugin file.
    pub(crate) fn file(&self, name: &str, bytes: &[u8]) -> PathBuf {
        let path = self.folder.path().join(format!("{name}.wasm"));
        std::fs::write(&path, bytes).unwrap();
        path
    }

    pub(crate) fn refused(&self, name: &str, bytes: &[u8]) -> String {
        let error = self.host.load(&self.file(name, bytes)).unwrap_err();
        told(&error)
    }

    /// Loads a guest of this folder under its own name.
    pub(crate) fn guest(&self, name: &str, exports: &[&str]) -> Arc<Plugin> {
        let wat = std::fs::read_to_string(
            Path::new(env!("CARGO_MANIFEST_DIR")).join("tests/hostile").join(format!("{name}.wat")),
        );
        let component = component(&wat.unwrap(), exports);
        let plugin = with_section(component, "rollcall:manifest", manifest(name).as_bytes());
        self.host.load(&self.file(name, &plugin)).unwrap()
    }
}

/// An error and its causes.
pub(crate) fn told(error: &HostError) -> String {
    let mut text = error.to_string();
    let mut cause = std::error::Error::source(error);
    while let Some(inner) = cause {
        text = format!("{text}: {inner}");
        cause = inner.source();
    }
    text
}

/// Secrets of the tests.
pub(crate) struct Secrets;

/// Not a secret of anything.
pub(crate) const SECRET: &str = "s3cr3t \"quoted\" & more";

impl SecretSource for Secrets {
    fn secret(&self, name: &str) -> Option<Secret> {
        (name == "app_secret").then(|| Secret::new(SECRET.to_owned()))
    }
}

/// Always the same moment.
pub(crate) struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_700_000_000_000
    }
}

/// A connection to set up: the guest, its settings, what is granted.
pub(crate) fn spec(
    plugin: &Arc<Plugin>,
    settings: &[(&str, &str)],
    grants: &[&str],
) -> ConnectionSpec {
    ConnectionSpec {
        plugin: Arc::clone(plugin),
        tenant: TenantId::parse("acme").unwrap(),
        connection: ConnectionId::parse("test").unwrap(),
        settings: settings
            .iter()
            .map(|(k, v)| ((*k).to_owned(), (*v).to_owned()))
            .collect::<BTreeMap<_, _>>(),
        secrets: Arc::new(Secrets),
        grants: grants.iter().map(|it| Grant::parse(it).unwrap()).collect(),
        limits: LIMITS,
        clock: Arc::new(Still),
        random: Arc::new(OsRandom),
    }
}

pub(crate) fn connect(
    plugin: &Arc<Plugin>,
    settings: &[(&str, &str)],
    grants: &[&str],
) -> Connection {
    Connection::new(spec(plugin, settings, grants)).unwrap()
}

/// Code and message of a fault that blames the plugin.
pub(crate) fn blamed(fault: &Fault) -> (String, String) {
    match fault {
        Fault::Plugin(advice) => {
            assert!(!advice.remedy.is_empty());
            (advice.code.clone(), advice.message.clone())
        }
        other => panic!("{other:?}"),
    }
}

/// Runs a call and checks that it ends in time.
pub(crate) async fn in_time<T>(limits: &Limits, call: impl Future<Output = T>) -> T {
    let began = Instant::now();
    let out = call.await;
    let took = began.elapsed();
    assert!(took < limits.call + SLACK, "took {took:?}, {:?} allowed", limits.call);
    out
}

/// Calls `probe` of a guest that answers with one finding: its `check` and `remedy`.
pub(crate) async fn probe(connection: &Connection) -> (String, Option<String>) {
    let mut findings = connection.probe().await.unwrap();
    assert_eq!(findings.len(), 1);
    let finding = findings.remove(0);
    (finding.check, finding.remedy)
}
