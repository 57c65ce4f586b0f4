//! People by department, and those in none.

use rollcall_sdk::{Fault, Level};
use serde_json::{Value, json};

use crate::{
    COUNT, MEMBERS, SCOPES, SIMPLE, USER, all, body, brief, connection, ok, people, person, range,
    refusal, wrapped,
};

pub(crate) fn listing(names: &[&str], next: Option<i64>) -> Value {
    let list: Vec<Value> = names.iter().map(|id| person(id)).collect();
    match next {
        Some(cursor) => json!({"has_more": true, "next_cursor": cursor, "list": list}),
        None => json!({"has_more": false, "list": list}),
    }
}

#[test]
fn each_person_of_a_department_is_read_in_full() {
    let host = connection()
        .answers("POST", SIMPLE, ok(listing(&["u1", "u2"], Some(100))))
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", USER, ok(person("u2")))
        .answers("POST", SIMPLE, ok(listing(&["u3"], None)))
        .answers("POST", USER, ok(person("u3")));
    let (found, evidence) = all(|cursor| people(&host, Some("7"), cursor));
    assert_eq!(found, ["u1", "u2", "u3"]);
    assert_eq!((evidence, host.left()), (vec![], 0));
    assert_eq!(body(&host, 1), json!({"dept_id": 7, "cursor": 100, "size": 100}));
}

#[test]
fn listings_alone_stay_in_the_host() {
    let host = brief().answers("POST", MEMBERS, ok(listing(&["u1", "u2"], Some(100)))).answers(
        "POST",
        MEMBERS,
        ok(listing(&["u3"], None)),
    );
    let (found, _) = all(|cursor| people(&host, Some("7"), cursor));
    assert_eq!(found, ["u1", "u2", "u3"]);
}

#[test]
fn people_of_the_root_come_with_the_platforms_own_count() {
    let host = brief()
        .answers("GET", SCOPES, range(&[1], &[]))
        .answers("POST", COUNT, ok(json!({"count": 4410})))
        .answers("POST", MEMBERS, ok(listing(&["boss"], None)));
    let (found, evidence) = all(|cursor| people(&host, None, cursor));
    assert_eq!(found, ["boss"]);
    assert_eq!(
        (evidence[0].scope.as_deref(), evidence[0].total),
        (Some("all-members"), Some(4410))
    );
}

#[test]
fn a_count_that_may_not_be_read_is_no_count_and_one_that_fails_is_asked_for_again() {
    let host = brief()
        .answers("GET", SCOPES, range(&[1], &[]))
        .answers("POST", COUNT, wrapped(60_011, "no"))
        .answers("POST", MEMBERS, ok(listing(&[], None)));
    assert_eq!(people(&host, None, None).unwrap().evidence.unwrap().total, None);
    assert_eq!(host.logged()[0].0, Level::Warn);
    let host = brief().answers("GET", SCOPES, range(&[1], &[])).answers("POST", COUNT, refusal(-1));
    assert!(matches!(people(&host, None, None), Err(Fault::Unavailable(_))));
}

#[test]
fn under_a_partial_range_people_granted_by_name_are_read_by_id() {
    let host = connection()
        .answers("GET", SCOPES, range(&[7], &["u1", "u2", "u3"]))
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", USER, refusal(60_121))
        .answers("POST", USER, refusal(50_002));
    let (found, evidence) = all(|cursor| people(&host, None, cursor));
    assert_eq!(found, ["u1"], "who left and who is out of range is left out");
    assert_eq!((evidence.len(), evidence[0].total), (1, None));
    assert_eq!(host.logged().len(), 1);
}

#[test]
fn a_listing_that_does_not_move_on_is_a_fault() {
    for stuck in [
        json!({"has_more": true, "next_cursor": 0, "list": [person("u1")]}),
        json!({"has_more": true, "list": [person("u1")]}),
        json!({"has_more": "perhaps", "list": [person("u1")]}),
        json!({"has_more": false}),
        json!({"has_more": false, "list": [{"name": "nobody"}]}),
    ] {
        let host = connection().answers("POST", SIMPLE, ok(stuck.clone()));
        assert!(people(&host, Some("7"), None).is_err(), "{stuck}");
    }
}

#[test]
fn a_cursor_of_another_department_is_stale() {
    for (within, cursor) in
        [(Some("7"), "members,8,100"), (None, "members,8,100"), (None, "below,1,0"), (None, "x")]
    {
        assert_eq!(people(&connection(), within, Some(cursor)), Err(Fault::StaleCursor));
    }
}
