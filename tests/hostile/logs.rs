//! A guest's log lines: bounded, in one line each, and named.

use std::io::Write;
use std::sync::Arc;
use std::sync::Mutex;

use rollcall::port::provider::Provider as _;

use super::{Bench, LIMITS, connect};

#[derive(Clone, Default)]
struct Lines(Arc<Mutex<Vec<u8>>>);

impl Write for Lines {
    fn write(&mut self, bytes: &[u8]) -> std::io::Result<usize> {
        self.0.lock().unwrap().write(bytes)
    }
    fn flush(&mut self) -> std::io::Result<()> {
        Ok(())
    }
}

/// What a call gives, and every line it logs on this thread, as JSON.
pub(crate) async fn logged<T>(call: impl Future<Output = T>) -> (T, String) {
    let lines = Lines::default();
    let writer = lines.clone();
    let subscriber = tracing_subscriber::fmt().json().with_writer(move || writer.clone()).finish();
    let guard = tracing::subscriber::set_default(subscriber);
    let out = call.await;
    drop(guard);
    let text = String::from_utf8(lines.0.lock().unwrap().clone()).unwrap();
    (out, text)
}

#[tokio::test]
async fn a_flood_is_cut_and_counted_and_names_its_tenant() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("flood", &["plugin"]), &[], &[]);
    let (found, text) = logged(connection.probe()).await;
    found.unwrap();
    let lines: Vec<serde_json::Value> =
        text.lines().map(|line| serde_json::from_str(line).unwrap()).collect();
    let said: Vec<_> = lines.iter().filter_map(|line| line["fields"]["said"].as_str()).collect();
    assert_eq!(said.iter().map(|it| it.len()).sum::<usize>(), LIMITS.log_bytes);
    assert!(said[0].starts_with("first forged  [31mline"), "{}", said[0]);
    let last = &lines.last().unwrap()["fields"];
    assert_eq!(last["message"], "plugin log cut");
    assert_eq!(last["bytes"], 10_000_000 - LIMITS.log_bytes);
    assert_eq!((&last["tenant"], &last["connection"]), (&"acme".into(), &"test".into()));
}
