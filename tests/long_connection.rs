//! A long connection keeps to the rules of the network, and says what an administrator has to change.
#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::path::Path;
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use rollcall::host::{
    Connection, ConnectionSpec, Grant, HostError, Limits, OsRandom, PluginHost, Secret,
    SecretSource, Stream,
};
use rollcall::model::ids::{ConnectionId, TenantId};
use rollcall::model::link::{LinkState, LinkStatus};
use rollcall::port::clock::Clock;
use rollcall::port::inbox::{Answer, Delivery, Inbox};
use simulator::Simulator;
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

struct Always;
impl Clock for Always {
    fn now_ms(&self) -> i64 {
        1_774_940_400_000
    }
}

struct One(&'static str);
impl SecretSource for One {
    fn secret(&self, name: &str) -> Option<Secret> {
        (name == "app_secret").then(|| Secret::new(self.0.to_owned()))
    }
}

#[derive(Default)]
struct Shelf(Mutex<Vec<Delivery>>);

#[async_trait]
impl Inbox for Shelf {
    async fn receive(&self, delivery: Delivery) -> Answer {
        self.0.lock().unwrap().push(delivery);
        Answer { status: 200, content_type: String::new(), body: Vec::new() }
    }
}

struct Rig {
    sim: Simulator,
    shelf: Arc<Shelf>,
    status: watch::Receiver<LinkStatus>,
    stop: CancellationToken,
}

/// A connection made of a plugin's file, reaching only what is granted.
fn made_of(file: &Path, open_host: &str, grants: &[String], secret: &'static str) -> Connection {
    let settings = [("open_host", open_host), ("app_id", "cli_simulator0001")];
    Connection::new(ConnectionSpec {
        plugin: PluginHost::new(None).unwrap().load(file).unwrap(),
        tenant: TenantId::parse("acme").unwrap(),
        connection: ConnectionId::parse("feishu").unwrap(),
        settings: settings.map(|(name, value)| (name.to_owned(), value.to_owned())).into(),
        secrets: Arc::new(One(secret)),
        grants: grants.iter().map(|text| Grant::parse(text).unwrap()).collect(),
        limits: Limits::STANDARD,
        clock: Arc::new(Always),
        random: Arc::new(OsRandom),
    })
    .unwrap()
}

const SECRET: &str = "simulator-secret-0001";

/// Keeps a long connection to a simulated platform, or to whatever else `open_host` names.
async fn start(
    open_host: Option<&str>,
    grants: impl Fn(&Simulator) -> Vec<String>,
    secret: &'static str,
) -> Rig {
    let builder = Simulator::builder().people(60).seed(4).days(1);
    let sim = builder.long_connection_pace(1, 0, 1).start("127.0.0.1:0").await.unwrap();
    let (url, shelf) = (sim.url(), Arc::new(Shelf::default()));
    let file = Path::new("plugins/feishu.wasm");
    let connection = made_of(file, open_host.unwrap_or(&url), &grants(&sim), secret);
    let (stream, status) = Stream::new(&connection, shelf.clone()).unwrap();
    let stop = CancellationToken::new();
    tokio::spawn(stream.run(stop.clone()));
    Rig { sim, shelf, status, stop }
}

fn own(sim: &Simulator) -> Vec<String> {
    vec![sim.url().replace("http://", "")]
}

impl Rig {
    async fn until(&mut self, wanted: impl FnMut(&LinkStatus) -> bool) -> LinkStatus {
        let found = tokio::time::timeout(Duration::from_secs(30), self.status.wait_for(wanted));
        found.await.unwrap().unwrap().clone()
    }

    /// Why there is no connection.
    async fn refused(mut self) -> String {
        let status = self.until(|status| status.state == LinkState::Waiting).await;
        self.stop.cancel();
        status.last_error.unwrap()
    }
}

#[tokio::test]
async fn events_are_delivered_as_the_platform_sent_them() {
    let mut rig = start(None, own, SECRET).await;
    rig.until(|status| status.state == LinkState::Connected).await;
    rig.sim.step(1);
    let sent = rig.sim.events_since(0);
    rig.until(|status| status.events == sent.len() as u64).await;
    let shelf = rig.shelf.0.lock().unwrap();
    let mut bodies: Vec<&str> =
        shelf.iter().map(|it| std::str::from_utf8(&it.body).unwrap()).collect();
    bodies.sort_unstable();
    let mut sent: Vec<&str> = sent.iter().map(String::as_str).collect();
    sent.sort_unstable();
    assert_eq!(bodies, sent);
    for delivery in shelf.iter() {
        assert_eq!(delivery.method, "EVENT");
        assert!(delivery.headers.contains(&("x-rollcall-stream".into(), "feishu".into())));
        assert!(delivery.headers.iter().any(|(name, _)| name == "message_id"));
    }
    rig.stop.cancel();
}

#[tokio::test]
async fn no_host_is_reached_that_is_not_granted() {
    let told = start(None, |_| Vec::new(), SECRET).await.refused().await;
    assert!(told.contains("127.0.0.1:") && told.contains("`grants.hosts`"), "{told}");
}

#[tokio::test]
async fn a_wrong_secret_is_told_without_it() {
    let told = start(None, own, "not the secret").await.refused().await;
    assert!(told.contains("10014") && told.contains("`app_id`"), "{told}");
    assert!(!told.contains("not the secret"), "{told}");
}

#[tokio::test]
async fn the_address_that_the_platform_names_needs_a_grant_of_its_own() {
    let front = front().await;
    let url = format!("http://{front}");
    let told = start(Some(&url), |_| vec![front.clone()], SECRET).await.refused().await;
    assert!(told.contains("`ws.example`") && told.contains("`grants.hosts`"), "{told}");
    assert!(!told.contains("opens-the-door"), "{told}");
}

/// A platform that names another host than its own.
async fn front() -> String {
    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    tokio::spawn(async move {
        while let Ok((mut stream, _)) = listener.accept().await {
            let mut asked = vec![0; 4_096];
            assert!(stream.read(&mut asked).await.unwrap() > 0);
            let body =
                r#"{"code":0,"data":{"URL":"wss://ws.example/ws/v2?ticket=opens-the-door"}}"#;
            let head = format!(
                "HTTP/1.1 200 OK\r\ncontent-length: {}\r\nconnection: close\r\n\r\n",
                body.len()
            );
            stream.write_all((head + body).as_bytes()).await.unwrap();
        }
    });
    address
}

#[tokio::test]
async fn a_plugin_without_a_long_connection_says_what_to_do() {
    let sim = Simulator::builder().people(5).start("127.0.0.1:0").await.unwrap();
    let file = std::fs::read("plugins/feishu.wasm").unwrap();
    // A key of the same length that nobody knows.
    let text = memchr::memmem::find(&file, b"\"long_connection\"").unwrap();
    let without = [&file[..text], b"\"none_connection\"", &file[text + 17..]].concat();
    let folder = tempfile::tempdir().unwrap();
    std::fs::write(folder.path().join("feishu.wasm"), without).unwrap();
    let connection = made_of(&folder.path().join("feishu.wasm"), &sim.url(), &[], SECRET);
    let error = Stream::new(&connection, Arc::new(Shelf::default())).err().unwrap();
    assert!(matches!(error, HostError::NoLongConnection { .. }), "{error}");
    let told = error.to_string();
    assert!(told.contains("`feishu`") && told.contains("`events: long_connection`"), "{told}");
}
