//! People by department and by name, and the count of the whole company.

use rollcall_sdk::{Content, Fault, Level};
use serde_json::{Value, json};

use crate::{
    AGENT, MEMBER_IDS, MEMBERS, PEOPLE_IDS, PERSON, TOKEN, all, body, connection, counted, ids,
    members, ok, payloads, people, person, refusal, token,
};

fn rows(people: &[(&str, u64)], next: &str) -> rollcall_sdk::testing::Reply {
    let rows: Vec<Value> =
        people.iter().map(|(id, of)| json!({"userid": id, "department": of})).collect();
    ok(json!({"next_cursor": next, "dept_user": rows}))
}

fn app(users: &[String], tags: &[u64]) -> rollcall_sdk::testing::Reply {
    let users: Vec<Value> = users.iter().map(|id| json!({"userid": id})).collect();
    ok(json!({"agentid": 1_000_002, "allow_userinfos": {"user": users},
              "allow_partys": {"partyid": [7]}, "allow_tags": {"tagid": tags}, "close": 0}))
}

fn card(id: &str) -> rollcall_sdk::testing::Reply {
    ok(person(id))
}

#[test]
fn the_people_of_a_department_are_one_listing() {
    let host = connection().answers("GET", MEMBERS, members(&["e1", "e2"]));
    let page = people(&host, Some("7"), None).unwrap();
    assert!(matches!(page.content, Content::Sliced(_)));
    assert_eq!((ids(&page.content), page.next), (vec!["e1".into(), "e2".into()], None));
    let host = connection().answers("GET", MEMBERS, members(&[]));
    assert_eq!(people(&host, Some("7"), None).unwrap().content, Content::Empty);
    let host = connection().answers("GET", MEMBERS, ok(json!({})));
    assert!(matches!(people(&host, Some("7"), None), Err(Fault::Unavailable(_))));
}

#[test]
fn everyone_is_counted_once_whatever_their_departments() {
    let host = counted()
        .answers("POST", PEOPLE_IDS, rows(&[("e1", 7), ("e1", 12), ("e2", 7)], "c2"))
        .answers("POST", PEOPLE_IDS, rows(&[("E2", 9), ("e3", 9)], ""));
    let page = people(&host, None, None).unwrap();
    let evidence = page.evidence.unwrap();
    assert_eq!((evidence.total, evidence.scope), (Some(3), None));
    assert_eq!(body(&host, 1), json!({"cursor": "", "limit": 10_000}));
    assert_eq!(body(&host, 0), json!({"cursor": "c2", "limit": 10_000}));
}

#[test]
fn a_cursor_that_repeats_is_no_end() {
    let host = counted().answers("POST", PEOPLE_IDS, rows(&[("e1", 7)], "c2")).answers(
        "POST",
        PEOPLE_IDS,
        rows(&[("e2", 7)], "c2"),
    );
    assert!(matches!(people(&host, None, None), Err(Fault::Unavailable(_))));
}

#[test]
fn too_many_to_count_are_not_counted() {
    let host = counted();
    for page in 0..40 {
        host.then("POST", PEOPLE_IDS, Ok(rows(&[("e1", 7)], &format!("c{page}"))));
    }
    let page = people(&host, None, None).unwrap();
    assert_eq!((page.evidence, host.left()), (None, 0));
    assert_eq!(host.logged()[0].0, Level::Warn);
    let host = counted().denies("POST", PEOPLE_IDS, rollcall_sdk::Denied::TooLarge(16 << 20));
    assert_eq!(people(&host, None, None).unwrap().evidence, None);
}

#[test]
fn people_granted_one_by_one_are_read_one_by_one() {
    let granted: Vec<String> = (0..42).map(|n| format!("e{n:02}")).collect();
    let host =
        connection().with_setting("agent_id", "1000002").answers("GET", AGENT, app(&granted, &[3]));
    for id in &granted[..40] {
        host.then("GET", PERSON, Ok(card(id)));
    }
    host.then("GET", AGENT, Ok(app(&granted, &[3])));
    host.then("GET", PERSON, Ok(card("e40")));
    // Somebody who left keeps nobody from being read.
    host.then("GET", PERSON, Ok(refusal(60_111)));
    let pages = all(|cursor| people(&host, None, cursor));
    assert_eq!((pages[0].len(), &pages[1], host.left()), (40, &vec!["e40".to_owned()], 0));
    let tags = "the visible range grants 1 tags; who is in them is not read".to_owned();
    assert!(host.logged().contains(&(Level::Warn, tags)));
}

#[test]
fn a_card_is_the_record_without_the_envelope() {
    let host = connection()
        .with_setting("agent_id", "1000002")
        .answers("GET", AGENT, app(&["e1".to_owned()], &[]))
        .answers("GET", PERSON, card("e1"));
    let page = people(&host, None, None).unwrap();
    assert_eq!(payloads(&page.content), [person("e1")]);
}

#[test]
fn a_department_that_is_too_large_is_read_one_by_one() {
    let host = connection()
        .answers("GET", MEMBERS, refusal(45_029))
        .answers("GET", MEMBER_IDS, members(&["e2", "e1"]))
        .answers("GET", PERSON, card("e1"))
        .answers("GET", PERSON, card("e2"));
    assert_eq!(ids(&people(&host, Some("7"), None).unwrap().content), ["e1", "e2"]);
    let many: Vec<String> = (0..10_001).map(|n| format!("e{n:05}")).collect();
    let many: Vec<&str> = many.iter().map(String::as_str).collect();
    let host = connection().answers("GET", MEMBERS, members(&many)).answers(
        "GET",
        MEMBER_IDS,
        members(&many),
    );
    for id in &many[..40] {
        host.then("GET", PERSON, Ok(card(id)));
    }
    let page = people(&host, Some("7"), None).unwrap();
    assert_eq!((ids(&page.content).len(), page.next.as_deref()), (40, Some("after:e00039")));
}

#[test]
fn a_cursor_without_what_it_belongs_to_is_stale() {
    let host = connection();
    assert_eq!(people(&host, None, Some("after:e1")).unwrap_err(), Fault::StaleCursor);
    host.then("GET", MEMBER_IDS, Ok(members(&["e1"])));
    assert_eq!(people(&host, Some("7"), Some("part,1")).unwrap_err(), Fault::StaleCursor);
}

#[test]
fn a_department_that_is_gone_is_a_fault_of_its_part() {
    let host = connection().answers("GET", MEMBERS, refusal(60_003));
    assert_eq!(people(&host, Some("7"), None).unwrap_err(), Fault::NotFound);
}

#[test]
fn a_count_that_fails_is_told() {
    let host = counted().answers("POST", PEOPLE_IDS, refusal(48_002));
    let Err(Fault::Forbidden(advice)) = people(&host, None, None) else { panic!("no fault") };
    assert!(advice.remedy.contains("通讯录同步"), "{}", advice.remedy);
    let host = counted().answers("POST", PEOPLE_IDS, refusal(42_001)).answers(
        "GET",
        TOKEN,
        token("t-2", 7200),
    );
    host.then("POST", PEOPLE_IDS, Ok(rows(&[], "")));
    assert_eq!(people(&host, None, None).unwrap().evidence.unwrap().total, Some(0));
}
