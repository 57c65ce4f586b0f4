//! A customer who opens no port: what happens on the platform reaches the EHR over a long connection, however it fares.

use std::time::Duration;

use serde_json::Value;
use simulator::feishu::Endpoint;
use simulator::{Churn, Fault, FaultRule, Simulator};

use crate::live::{Daemon, all_worked_off, status, tally, until};
use crate::rig::Rig;

/// A company in which nobody leaves: what a listing alone can tell is left out.
async fn rig() -> Rig {
    // Somebody who led a department and moves changes the managers of others, of whom no event tells.
    let churn =
        Churn { hires: 3, leavers: 0, moves: 0, titles: 2, late_punches: 2, reorganise: false };
    let again = [Duration::from_millis(200); 100];
    let builder = Simulator::builder().people(60).seed(9).days(2).churn(churn).push_repeats(again);
    let rig = Rig::start(builder.long_connection_pace(1, 0, 1)).await;
    rig.write_tenant("    events: long_connection\n");
    rig.json(&["sync"]);
    rig
}

fn daemon(rig: &Rig) -> Daemon {
    let daemon = Daemon::start(rig);
    until("a first run", || {
        status(rig).is_some_and(|status| status["connections"][0]["runs"].as_u64() > Some(0))
    });
    until("a long connection", || link(rig)["state"] == "connected");
    daemon
}

fn link(rig: &Rig) -> Value {
    status(rig).map_or(Value::Null, |status| status["long_connections"][0].clone())
}

fn people(rig: &Rig) -> i64 {
    rig.value("select count(*) from employees")
}

#[tokio::test(flavor = "multi_thread")]
async fn a_hire_is_in_the_ehr_over_a_connection_that_is_cut_and_heals() {
    let rig = rig().await;
    let before = people(&rig);
    let daemon = daemon(&rig);
    rig.simulator.step(1);
    all_worked_off(&rig);
    assert_eq!(people(&rig) - before, 3);
    rig.simulator.cut_long_connections();
    rig.simulator.step(1);
    all_worked_off(&rig);
    assert_eq!(people(&rig) - before, 6);
    let (told, link) = (status(&rig).unwrap(), link(&rig));
    assert_eq!(told["connections"][0]["runs"], 1, "the run of the daemon's start alone");
    assert_eq!((&link["state"], &link["reconnects"]), (&"connected".into(), &1.into()), "{link}");
    assert_eq!(link["events"].as_u64(), Some(rig.simulator.pushes().acknowledged), "{link}");
    assert!(link["last_error"].is_string() && link["last_event_ms"].is_i64(), "{link}");
    assert_eq!(rig.simulator.long_connections(), (1, 2), "one at a time");
    drop(daemon);
    rig.nobody_is_missing();
}

#[tokio::test(flavor = "multi_thread")]
async fn whatever_befalls_the_connection_no_event_is_lost_or_counted_twice() {
    let rig = rig().await;
    let daemon = daemon(&rig);
    for fault in [Fault::Fragments, Fault::Duplicates, Fault::LostAck, Fault::Cut, Fault::Farewell]
    {
        rig.simulator.inject(FaultRule::times(fault, 2).on(Endpoint::Stream));
    }
    for _ in 0..3 {
        rig.simulator.step(1);
        all_worked_off(&rig);
    }
    let (pushes, tally) = (rig.simulator.pushes(), tally(&rig));
    assert_eq!(tally["received"].as_u64(), Some(pushes.acknowledged), "{tally} {pushes:?}");
    assert!(tally["duplicate"].as_u64() >= Some(4), "{tally}");
    drop(daemon);
    rig.nobody_is_missing();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_silent_connection_is_given_up_and_its_events_come_over_the_next() {
    let rig = rig().await;
    let daemon = daemon(&rig);
    rig.simulator.inject(FaultRule::times(Fault::Silence, 1).on(Endpoint::Stream));
    rig.simulator.step(1);
    all_worked_off(&rig);
    let link = link(&rig);
    assert!(
        link["last_error"].as_str().is_some_and(|it| it.contains("nothing was heard")),
        "{link}"
    );
    drop(daemon);
    rig.nobody_is_missing();
}

#[tokio::test(flavor = "multi_thread")]
async fn a_saved_configuration_opens_and_closes_the_connection() {
    let rig = rig().await;
    let _daemon = daemon(&rig);
    rig.write_tenant("");
    until("the connection to be closed", || rig.simulator.long_connections() == (0, 1));
    until("the status to tell", || link(&rig) == Value::Null);
    rig.write_tenant("    events: long_connection\n");
    until("another connection", || rig.simulator.long_connections() == (1, 2));
}
