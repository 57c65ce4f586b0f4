//! Steps: what changes, what is told of it, and that it is always the same.

use std::collections::HashSet;
use std::time::Duration;

use serde_json::Value;
use simulator::{Churn, Simulator};

use crate::support::{Client, company, start, text};

fn events(client: &Client, since: u32) -> Vec<Value> {
    let events = client.sim.events_since(since);
    events.iter().map(|event| serde_json::from_str(event).unwrap()).collect()
}

fn of_type<'a>(events: &'a [Value], kind: &str) -> Vec<&'a Value> {
    let found: Vec<&Value> =
        events.iter().filter(|event| event["header"]["event_type"] == kind).collect();
    assert!(!found.is_empty(), "no {kind}");
    found
}

async fn everyone(client: &Client) -> HashSet<String> {
    client.user_ids(10_000).await.into_iter().collect()
}

#[tokio::test]
async fn hires_appear_and_leavers_vanish_from_listings() {
    let churn =
        Churn { hires: 5, leavers: 3, moves: 0, titles: 0, late_punches: 0, reorganise: false };
    let client = start(Simulator::builder().people(300).churn(churn)).await;
    let before = everyone(&client).await;
    client.sim.step(1);
    let after = everyone(&client).await;
    let events = events(&client, 0);
    let ids = |kind| -> HashSet<String> {
        of_type(&events, kind)
            .into_iter()
            .map(|event| text(&event["event"]["object"], "user_id"))
            .collect()
    };
    let (hired, left) = (ids("contact.user.created_v3"), ids("contact.user.deleted_v3"));
    assert_eq!((hired.len(), left.len()), (5, 3));
    let expected: HashSet<String> =
        before.union(&hired).filter(|id| !left.contains(*id)).cloned().collect();
    assert_eq!(after, expected);
    assert_eq!(client.sim.truth().people, 302);
    let gone = format!("contact/v3/users/{}", left.iter().next().unwrap());
    let record = client.get(&gone, &[("user_id_type", "user_id")]).await;
    assert_eq!(record.data()["user"]["status"]["is_resigned"], true);
}

#[tokio::test]
async fn a_deleted_user_names_the_old_departments_only_in_the_old_object() {
    let client = company(300).await;
    client.sim.step(2);
    let events = events(&client, 0);
    for event in of_type(&events, "contact.user.deleted_v3") {
        let (object, old) = (&event["event"]["object"], &event["event"]["old_object"]);
        assert_eq!(object["department_ids"], serde_json::json!([]));
        assert!(!old["department_ids"].as_array().unwrap().is_empty());
        assert_eq!(old["open_id"], object["open_id"]);
    }
}

#[tokio::test]
async fn a_moved_person_is_told_with_the_old_departments() {
    let client = company(300).await;
    client.sim.step(4);
    let events = events(&client, 0);
    let moved: Vec<&Value> = of_type(&events, "contact.user.updated_v3")
        .into_iter()
        .filter(|event| event["event"]["old_object"].get("department_ids").is_some())
        .collect();
    assert!(!moved.is_empty());
    for event in moved {
        let (object, old) = (&event["event"]["object"], &event["event"]["old_object"]);
        assert_ne!(object["department_ids"], old["department_ids"]);
        assert!(old.get("job_title").is_none(), "only what changed");
    }
}

#[tokio::test]
async fn departments_come_go_and_are_renamed() {
    let client = company(600).await;
    client.sim.step(6);
    let events = events(&client, 0);
    let created = of_type(&events, "contact.department.created_v3");
    assert!(created[0]["event"]["object"]["order"].is_number(), "a number in events");
    let renamed = of_type(&events, "contact.department.updated_v3");
    assert!(renamed.iter().any(|event| {
        let old = &event["event"]["old_object"];
        old.get("name").is_some_and(|name| *name != event["event"]["object"]["name"])
    }));
    let deleted = of_type(&events, "contact.department.deleted_v3");
    let gone = text(&deleted[0]["event"]["object"], "open_department_id");
    let answer = client.get(&format!("contact/v3/departments/{gone}"), &[]).await;
    assert_eq!(answer.code(), 41017);
    assert_eq!(client.tree().await.len() as u64, client.sim.truth().departments);
}

#[tokio::test]
async fn a_late_punch_is_told_and_then_listed_as_a_correction() {
    let client = company(300).await;
    let before = client.sim.truth().punches;
    client.sim.step(3);
    let events = events(&client, 0);
    let punch = &of_type(&events, "attendance.user_flow.created_v1")[0]["event"];
    let at: i64 = text(punch, "check_time").parse().unwrap();
    let found =
        client.flows(&[text(punch, "employee_id")], at, at + 1).await.list("user_flow_results");
    assert_eq!(found[0]["record_id"], punch["record_id"]);
    assert_eq!((&found[0]["type"], &punch["type"]), (&serde_json::json!(2), &serde_json::json!(2)));
    assert_ne!(client.sim.truth().punches, before);
}

#[tokio::test]
async fn the_same_seed_and_steps_tell_the_same_story() {
    let run = async |steps: &[u32]| {
        let client = company(400).await;
        for n in steps {
            client.sim.step(*n);
        }
        (client.sim.events_since(0), client.sim.truth())
    };
    let (one, two) = (run(&[5]).await, run(&[2, 3]).await);
    assert_eq!(one, two);
    let ids: HashSet<&str> =
        one.0.iter().map(|event| &event[..event.find("event_type").unwrap()]).collect();
    assert_eq!(ids.len(), one.0.len(), "event ids are unique");
}

#[tokio::test]
async fn events_since_a_step_leave_out_what_came_before() {
    let client = company(400).await;
    client.sim.step(2);
    assert_eq!(client.sim.steps(), 2);
    assert!(client.sim.events_since(2).is_empty());
    client.sim.step(1);
    let newer = client.sim.events_since(2);
    let all = client.sim.events_since(0);
    assert_eq!(all[all.len() - newer.len()..], newer);
}

#[tokio::test]
async fn time_brings_new_punches_and_another_date() {
    let client = company(300).await;
    let before = client.sim.truth();
    assert_eq!(client.sim.today(), "2026-03-31");
    client.sim.advance(Duration::from_hours(24));
    assert_eq!(client.sim.today(), "2026-04-01");
    let after = client.sim.truth();
    assert!(after.punches > before.punches + 300, "{before:?} {after:?}");
    assert!(after.days > before.days);
}
