//! What a platform pushes to a running daemon reaches the EHR, and nothing that was acknowledged is lost.

use std::net::SocketAddr;
use std::time::Duration;

use serde_json::Value;
use simulator::{CallbackKeys, Churn, Fault, FaultRule, Simulator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;

use crate::live::{Daemon, all_worked_off, status, tally, until};
use crate::pushed::{KEY, Pushed, Sender, TOKEN};
use crate::rig::Rig;

const PATH: &str = "/callbacks/acme/feishu";

/// A company in which nobody leaves or moves. What no event tells is left out: an end, which is a listing's to say, and the
/// new leader of those whom a mover led.
async fn rig() -> Rig {
    let churn =
        Churn { hires: 3, leavers: 0, moves: 0, titles: 3, late_punches: 2, reorganise: false };
    let again = [Duration::from_millis(200); 100];
    // Signatures bear the platform's time: it is the machine's, as in real life.
    let now = jiff::Timestamp::now().as_second();
    let company = Simulator::builder().people(60).seed(9).days(2).churn(churn).now(now);
    let rig = Rig::start_as_is(company.push_repeats(again).events_as(TOKEN, "t0001")).await;
    rig.write("encrypt_key", KEY);
    rig.write("token", TOKEN);
    let tenant = std::fs::read_to_string(rig.path("tenants/acme.yaml")).unwrap();
    let secrets = "secrets: { app_secret: \"file:secret\"";
    assert!(tenant.contains(secrets), "{tenant}");
    let more = ", encrypt_key: \"file:encrypt_key\", verification_token: \"file:token\"";
    rig.write("tenants/acme.yaml", &tenant.replace(secrets, &format!("{secrets}{more}")));
    rig
}

fn daemon(rig: &Rig) -> (Daemon, SocketAddr) {
    // A note that an earlier daemon could not take away would name its address.
    std::fs::remove_file(rig.path("state/daemon.json")).ok();
    let daemon = Daemon::start(rig);
    until("a first run", || {
        status(rig).is_some_and(|status| status["connections"][0]["runs"].as_u64() > Some(0))
    });
    let note = std::fs::read(rig.path("state/daemon.json")).unwrap();
    let note: Value = serde_json::from_slice(&note).unwrap();
    (daemon, note["listen"].as_str().unwrap().parse().unwrap())
}

async fn subscribe(rig: &Rig, to: SocketAddr) {
    let keys = CallbackKeys { token: TOKEN.to_owned(), key: Some(KEY.to_owned()) };
    rig.simulator.set_callback(&format!("http://{to}{PATH}"), keys).await.unwrap();
}

/// Posts over a connection of its own; `None` when there was no answer.
async fn post(to: SocketAddr, path: &str, (headers, body): &Pushed) -> Option<u16> {
    let mut stream = TcpStream::connect(to).await.ok()?;
    let mut head = format!(
        "POST {path} HTTP/1.1\r\nhost: {to}\r\nconnection: close\r\ncontent-length: {}\r\n",
        body.len()
    );
    for (name, value) in headers {
        head.extend([name, ": ", value, "\r\n"]);
    }
    head.push_str("\r\n");
    stream.write_all(&[head.as_bytes(), body].concat()).await.ok()?;
    let mut answer = Vec::new();
    stream.read_to_end(&mut answer).await.ok()?;
    let line = String::from_utf8_lossy(&answer);
    line.split(' ').nth(1)?.parse().ok()
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_is_in_the_ehr_through_its_event_without_a_full_run() {
    let rig = rig().await;
    rig.json(&["sync"]);
    let before: i64 = rig.value("select count(*) from employees");
    let (daemon, address) = daemon(&rig);
    subscribe(&rig, address).await;
    assert_eq!(tally(&rig)["handshake"], 1, "the platform tries the address first");
    rig.simulator.step(1);
    all_worked_off(&rig);
    let after: i64 = rig.value("select count(*) from employees");
    assert_eq!(after - before, 3);
    let status = status(&rig).unwrap();
    assert_eq!(status["connections"][0]["runs"], 1, "the run of the daemon's start alone");
    assert!(status["connections"][0]["looks"].as_u64() > Some(0));
    assert_eq!(tally(&rig)["lost"], 0);
    let told = String::from_utf8(rig.run(&["status"]).stdout).unwrap();
    assert!(told.contains(" received, ") && told.contains(" worked"), "{told}");
    assert_eq!(rig.simulator.pushes().acknowledged, tally(&rig)["received"].as_u64().unwrap());
    drop(daemon);
    rig.nobody_is_missing();
}

#[tokio::test(flavor = "multi_thread")]
async fn events_acknowledged_by_a_daemon_that_was_killed_are_worked_off_by_the_next() {
    let rig = rig().await;
    rig.json(&["sync"]);
    let (mut first, address) = daemon(&rig);
    subscribe(&rig, address).await;
    rig.simulator.inject(FaultRule::rate(Fault::ServerError, 1.0));
    rig.simulator.step(1);
    until("all events to be acknowledged", || rig.simulator.pushes().waiting == 0);
    let acknowledged = rig.simulator.pushes().acknowledged;
    assert!(acknowledged > 0);
    first.kill();
    let left = rig.json(&["status"]);
    assert_eq!(left["connections"][0]["events_waiting"].as_u64(), Some(acknowledged));
    rig.simulator.set_faults([]);
    let (_second, _) = daemon(&rig);
    until("what was left", || {
        let tally = tally(&rig);
        tally["worked"].as_u64() == Some(acknowledged) && tally["waiting"] == 0
    });
}

#[tokio::test(flavor = "multi_thread")]
async fn no_kill_loses_an_event_that_was_acknowledged() {
    let rig = rig().await;
    let sender = Sender::new(rig.simulator.app_id(), rig.simulator.now() * 1000);
    let event = |n: usize| sender.seal(&sender.change(&format!("ev-{n}"), "nobody"));
    let mut acknowledged = Vec::new();
    for round in 0..3 {
        let (mut daemon, address) = daemon(&rig);
        let mut tasks = tokio::task::JoinSet::new();
        for n in round * 100..(round + 1) * 100 {
            let pushed = event(n);
            tasks.spawn(async move {
                let answer = post(address, PATH, &pushed).await;
                (n, answer == Some(200))
            });
        }
        // Some are answered, some are under way, some were never sent.
        let mut answered = 0;
        while let Some(ended) = tasks.join_next().await {
            let (n, taken) = ended.unwrap();
            acknowledged.extend(taken.then_some(n));
            answered += 1;
            if answered == 10 + round * 30 {
                daemon.kill();
            }
        }
    }
    assert!(acknowledged.len() >= 100, "{}", acknowledged.len());
    let (_daemon, address) = daemon(&rig);
    let before = tally(&rig);
    for &n in &acknowledged {
        assert_eq!(post(address, PATH, &event(n)).await, Some(200));
    }
    let after = tally(&rig);
    let grown = |name: &str| after[name].as_u64().unwrap() - before[name].as_u64().unwrap();
    assert_eq!((grown("received"), grown("duplicate")), (0, acknowledged.len() as u64));
    until("everything to be worked off", || tally(&rig)["waiting"] == 0);
}

#[tokio::test(flavor = "multi_thread")]
async fn whoever_is_no_platform_learns_nothing_and_changes_nothing() {
    let rig = rig().await;
    let (_daemon, address) = daemon(&rig);
    let sender = Sender::new(rig.simulator.app_id(), rig.simulator.now() * 1000);
    let good = sender.seal(&sender.change("ev-1", "nobody"));
    for path in ["/callbacks/acme/other", "/callbacks/other/feishu", "/callbacks/-/%00"] {
        assert_eq!(post(address, path, &good).await, Some(404), "{path}");
    }
    let (headers, body) = good;
    let cut = (headers.clone(), body[..body.len() / 2].to_vec());
    assert_eq!(post(address, PATH, &cut).await, Some(401), "the signature no longer fits");
    assert_eq!(post(address, PATH, &(Vec::new(), body.clone())).await, Some(401));
    let huge = (headers, vec![b' '; (1 << 20) + 1]);
    assert_eq!(post(address, PATH, &huge).await, Some(413));
    let old = Sender::new(rig.simulator.app_id(), (rig.simulator.now() - 9 * 3600) * 1000);
    let replayed = old.seal(&old.change("ev-2", "nobody"));
    assert_eq!(post(address, PATH, &replayed).await, Some(401));
    let tally = tally(&rig);
    let counts = ["received", "forged", "stale", "broken", "waiting"].map(|name| &tally[name]);
    assert_eq!(counts, [0, 2, 1, 1, 0], "{tally}");
}
