//! Guests that keep something, trap, loop or misbehave, recorded and replayed.

use std::path::Path;
use std::sync::Arc;

use rollcall::host::{Build, Connection, OsRandom, Plugin, Recorded, Recorder, Replayed, replay};
use rollcall::model::entity::Entity;
use rollcall::model::ids::SourceId;
use rollcall::port::provider::Provider as _;

use super::server::{Reply, Server};
use super::{Bench, FULL, SECRET, probe, spec};

fn recorded(
    plugin: &Arc<Plugin>,
    settings: &[(&str, &str)],
    grants: &[&str],
    file: &Path,
) -> (Connection, Arc<Recorder>) {
    let recorder = Arc::new(Recorder::create(file, &OsRandom).unwrap());
    let spec = spec(plugin, settings, grants);
    (Connection::recorded(spec, &recorder).unwrap(), recorder)
}

async fn again(plugin: &Arc<Plugin>, file: &Path) -> Replayed {
    let replayed = replay(plugin, file, Build::Same).await.unwrap();
    assert_eq!(replayed.differs, None);
    replayed
}

fn text(file: &Path) -> String {
    String::from_utf8(zstd::decode_all(std::fs::File::open(file).unwrap()).unwrap()).unwrap()
}

#[tokio::test]
async fn what_an_instance_keeps_between_calls_is_kept_in_a_replay() {
    let bench = Bench::new();
    let file = bench.folder.path().join("moody");
    let plugin = bench.guest("moody", &FULL);
    let (connection, recorder) = recorded(&plugin, &[], &[], &file);
    assert_eq!(probe(&connection).await.0, "1");
    assert_eq!(probe(&connection).await.0, "2");
    // Grows, so that the next call begins in a new instance.
    connection.capabilities().await.unwrap();
    assert_eq!(probe(&connection).await.0, "1");
    connection.list(Entity::Department, None, None).await.unwrap_err();
    connection.fetch(Entity::Employee, &[]).await.unwrap_err();
    let Recorded { calls, left_out, .. } = recorder.finish().unwrap();
    assert_eq!((calls, left_out), (6, 0));
    assert_eq!(again(&plugin, &file).await.calls, 6);
}

#[tokio::test]
async fn an_instance_does_not_go_on_once_a_call_of_it_is_left_out() {
    let bench = Bench::new();
    let file = bench.folder.path().join("nosy");
    let plugin = bench.guest("nosy", &FULL);
    let (connection, recorder) = recorded(&plugin, &[], &[], &file);
    assert_eq!(probe(&connection).await.0, "1");
    // Told a stand-in for the department, it fails.
    let department = SourceId::parse("zzzz").unwrap();
    connection.list(Entity::Employee, Some(&department), None).await.unwrap();
    assert_eq!(probe(&connection).await.0, "1", "what it knows of that call is in no recording");
    assert_eq!(probe(&connection).await.0, "2");
    let Recorded { calls, left_out, .. } = recorder.finish().unwrap();
    assert_eq!((calls, left_out), (3, 1));
    assert_eq!(again(&plugin, &file).await.calls, 3);
}

#[tokio::test]
async fn a_trap_is_repeated_and_a_deadline_is_left_out() {
    let bench = Bench::new();
    let file = bench.folder.path().join("run");
    for (guest, calls, left_out) in [("trap", 3, 0), ("hoard", 2, 0), ("loop", 1, 1)] {
        let plugin = bench.guest(guest, &FULL);
        let (connection, recorder) = recorded(&plugin, &[], &[], &file);
        connection.probe().await.unwrap_err();
        if guest != "loop" {
            connection.capabilities().await.unwrap_err();
        }
        if guest != "hoard" {
            connection.list(Entity::Department, None, None).await.unwrap();
        }
        let written = recorder.finish().unwrap();
        assert_eq!((written.calls, written.left_out), (calls, left_out), "{guest}");
        let replayed = again(&plugin, &file).await;
        assert_eq!((replayed.calls, replayed.left_out), (calls, left_out), "{guest}");
    }
}

#[tokio::test]
async fn a_secret_that_a_server_repeats_in_any_way_is_in_no_recording() {
    let bench = Bench::new();
    let file = bench.folder.path().join("run");
    let plugin = bench.guest("courier", &FULL);
    // As it is, and in an encoding that nothing covers.
    let backwards: String = SECRET.chars().rev().collect();
    let echo = serde_json::json!({ "echo": SECRET, "backwards": backwards }).to_string();
    let server = Server::start(move |_| Reply::json(&echo));
    let settings = [
        ("url", &*server.url("/?s={secret:app_secret}")),
        ("body", r#"{"s":"{secret:app_secret}"}"#),
        ("type", "application/json"),
    ];
    let (connection, recorder) = recorded(&plugin, &settings, &[&server.grant()], &file);
    probe(&connection).await;
    assert!(server.seen()[0].contains("s3cr3t"), "it was really sent");
    assert_eq!(recorder.finish().unwrap().calls, 1);
    let told = text(&file);
    assert!(told.contains("{secret:app_secret}"), "{told}");
    for form in ["s3cr3t", "quoted", "detouq", "t3rc3s"] {
        assert!(!told.contains(form), "{form} in {told}");
    }
    again(&plugin, &file).await;
}

#[tokio::test]
async fn refusals_and_the_cache_are_repeated_without_a_network() {
    let bench = Bench::new();
    let file = bench.folder.path().join("run");
    let plugin = bench.guest("courier", &FULL);
    let (connection, recorder) = recorded(&plugin, &[("url", "https://evil.test/")], &[], &file);
    assert_eq!(probe(&connection).await.0, "0", "not granted");
    recorder.finish().unwrap();
    assert_eq!(again(&plugin, &file).await.effects, 4);

    let plugin = bench.guest("snoop", &["plugin"]);
    let (connection, recorder) = recorded(&plugin, &[], &[], &file);
    assert_eq!(probe(&connection).await.0, "nothing");
    assert_eq!(probe(&connection).await.0, "mine");
    recorder.finish().unwrap();
    assert_eq!(again(&plugin, &file).await.calls, 2);
    assert!(text(&file).contains("\"recall\""));
}
