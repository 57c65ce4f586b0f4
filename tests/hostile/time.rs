//! One deadline for guest and host time.

use std::sync::Arc;

use rollcall::model::entity::Entity;
use rollcall::model::ids::SourceId;
use rollcall::port::provider::Provider as _;

use super::server::{Reply, Server};
use super::{Bench, FULL, LIMITS, blamed, connect, in_time, probe};

#[tokio::test]
async fn a_loop_is_stopped_and_the_next_call_works() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("loop", &FULL), &[], &[]);
    let fault = in_time(&LIMITS, connection.probe()).await.unwrap_err();
    let (code, message) = blamed(&fault);
    assert_eq!(code, "plugin::deadline");
    assert_eq!(message, "plugin `loop` in `plugin.probe` ran past 400ms");
    let page = connection.list(Entity::Department, None, None).await.unwrap();
    assert_eq!(page.records, vec![]);
}

#[tokio::test]
async fn a_loop_through_the_host_is_stopped() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("loop", &FULL), &[], &[]);
    let ids = [SourceId::parse("a").unwrap()];
    let fault = in_time(&LIMITS, connection.fetch(Entity::Employee, &ids)).await.unwrap_err();
    assert_eq!(blamed(&fault).0, "plugin::deadline");
}

#[tokio::test]
async fn a_loop_before_the_first_call_is_stopped() {
    let bench = Bench::new();
    let connection = connect(&bench.guest("start", &["plugin"]), &[], &[]);
    let fault = in_time(&LIMITS, connection.probe()).await.unwrap_err();
    assert_eq!(blamed(&fault).0, "plugin::deadline");
}

#[tokio::test]
async fn a_neighbour_works_on_while_guests_loop() {
    let bench = Bench::new();
    let busy = Arc::new(connect(&bench.guest("loop", &FULL), &[], &[]));
    let neighbour = connect(&bench.guest("trap", &FULL), &[], &[]);
    let looping: Vec<_> = (0..4)
        .map(|_| {
            let busy = Arc::clone(&busy);
            tokio::spawn(async move { busy.probe().await })
        })
        .collect();
    let mut served = 0;
    while looping.iter().any(|task| !task.is_finished()) {
        neighbour.list(Entity::Department, None, None).await.unwrap();
        served += 1;
        tokio::task::yield_now().await;
    }
    assert!(served > 3, "the neighbour got {served} calls on one thread with four loops");
    for task in looping {
        assert!(task.await.unwrap().is_err());
    }
}

#[tokio::test]
async fn a_response_that_drips_or_never_comes_ends_with_the_call() {
    let bench = Bench::new();
    let plugin = bench.guest("courier", &FULL);
    for reply in [Reply::Drip, Reply::Silent] {
        let server = Server::start(move |_| reply.clone());
        let connection = connect(&plugin, &[("url", &server.url("/"))], &[&server.grant()]);
        let (denied, _) = in_time(&LIMITS, probe(&connection)).await;
        assert_eq!(denied, "1", "`deadline`, with time left to say so");
    }
}
