//! What is repeated and what is not.

use std::time::Duration;

use rollcall::host::{Connection, Limits, RetryLimits};
use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::port::provider::Provider as _;

use super::server::{Reply, Server};
use super::{Bench, FULL, LIMITS, blamed, connect, spec};

fn retrying(attempts: u32) -> Limits {
    let retry = RetryLimits { attempts, first: Duration::from_millis(1), ..LIMITS.retry };
    Limits { retry, call: Duration::from_secs(10), ..LIMITS }
}

#[tokio::test]
async fn a_busy_platform_is_asked_again_as_often_as_allowed() {
    let bench = Bench::new();
    let plugin = bench.guest("moody", &FULL);
    for (attempts, expected) in [(3, Ok(())), (2, Err(Fault::RateLimited(None)))] {
        let mut spec = spec(&plugin, &[], &[]);
        spec.limits = retrying(attempts);
        let connection = Connection::new(spec).unwrap();
        assert_eq!(connection.list(Entity::Department, None, None).await.map(drop), expected);
    }
}

#[tokio::test]
async fn a_failing_platform_is_asked_again_a_broken_plugin_is_not() {
    let answers = std::sync::atomic::AtomicUsize::new(0);
    let server =
        Server::start(move |_| match answers.fetch_add(1, std::sync::atomic::Ordering::SeqCst) {
            0 => Reply::Raw(vec![]),
            1 => Reply::json("<html>"),
            _ => Reply::json(r#"{"items":[{"id":1}]}"#),
        });
    let bench = Bench::new();
    let settings = [("url", &*server.url("/")), ("items", "/items"), ("id", "/id")];
    let mut spec = spec(&bench.guest("courier", &FULL), &settings, &[&server.grant()]);
    spec.limits = retrying(5);
    let connection = Connection::new(spec).unwrap();
    assert_eq!(connection.list(Entity::Department, None, None).await.unwrap().records.len(), 1);
    assert_eq!(connection.requests(), 3);
    let trapping = connect(&bench.guest("trap", &FULL), &[], &[]);
    assert_eq!(blamed(&trapping.probe().await.unwrap_err()).0, "plugin::trap");
}
