//! People by department, and those in none.

use rollcall_sdk::{Fault, Level};
use serde_json::{Value, json};

use crate::{
    MEMBERS, ROOT, SCOPES, USERS_BATCH, all, connection, ids, ok, people, person, query, refusal,
};

const OUTSIDE: i64 = 40_004;

fn listing(names: &[&str], next: Option<&str>) -> Value {
    let items: Vec<Value> = names.iter().map(|id| person(id)).collect();
    match next {
        Some(token) => json!({"has_more": true, "page_token": token, "items": items}),
        None => json!({"has_more": false, "items": items}),
    }
}

#[test]
fn people_of_a_department_are_listed_page_by_page() {
    let host = connection()
        .answers("GET", MEMBERS, ok(listing(&["e1", "e2"], Some("a/b=="))))
        .answers("GET", MEMBERS, ok(listing(&["e3"], None)));
    let (pages, evidence) = all(|cursor| people(&host, Some("od-1"), cursor));
    assert_eq!(pages, [vec!["e1", "e2"], vec!["e3"]]);
    assert_eq!(evidence, []);
    assert_eq!(
        query(&host, 0),
        "department_id=od-1&user_id_type=user_id&department_id_type=open_department_id&page_size=50\
         &page_token=a%2Fb%3D%3D"
    );
}

#[test]
fn people_in_no_department_come_with_the_platforms_own_count() {
    let host = connection()
        .answers("GET", MEMBERS, ok(listing(&["boss"], Some("next"))))
        .answers("GET", ROOT, ok(json!({"department": {"member_count": 4410}})))
        .answers("GET", MEMBERS, ok(listing(&["aide"], None)));
    let (pages, evidence) = all(|cursor| people(&host, None, cursor));
    assert_eq!(pages.concat(), ["boss", "aide"]);
    assert_eq!(evidence.len(), 1);
    assert_eq!(
        (evidence[0].scope.as_deref(), evidence[0].total),
        (Some("all-members"), Some(4410))
    );
    assert!(host.requests()[1].url.contains("department_id=0&"));
}

#[test]
fn a_count_that_may_not_be_read_is_no_count() {
    let host =
        connection().answers("GET", MEMBERS, ok(json!({}))).answers("GET", ROOT, refusal(OUTSIDE));
    let page = people(&host, None, None).unwrap();
    assert_eq!(page.evidence.unwrap().total, None);
    assert_eq!(host.logged()[0].0, Level::Warn);
    let host = connection().answers("GET", MEMBERS, ok(json!({}))).answers(
        "GET",
        ROOT,
        ok(json!({"department": {"name": "Example"}})),
    );
    assert_eq!(people(&host, None, None).unwrap().evidence.unwrap().total, None);
}

#[test]
fn a_count_that_cannot_be_read_just_now_is_asked_for_again() {
    let host =
        connection().answers("GET", MEMBERS, ok(json!({}))).answers("GET", ROOT, refusal(1500));
    assert!(matches!(people(&host, None, None), Err(Fault::Unavailable(_))));
}

#[test]
fn under_a_partial_range_people_granted_by_name_are_read_by_id() {
    let host = connection()
        .answers("GET", MEMBERS, refusal(OUTSIDE))
        .answers("GET", SCOPES, ok(json!({
            "has_more": true, "page_token": "2", "user_ids": ["e1", "e2"], "department_ids": ["od-1"]
        })))
        .answers("GET", USERS_BATCH, ok(listing(&["e1", "e2"], None)))
        .answers("GET", SCOPES, ok(json!({"has_more": false, "group_ids": ["g"]})));
    let (pages, evidence) = all(|cursor| people(&host, None, cursor));
    assert_eq!(pages, [vec!["e1", "e2"], vec![]]);
    assert_eq!(evidence.len(), 1);
    assert!(evidence[0].scope.as_deref().unwrap().starts_with("partial:4:"), "{evidence:?}");
    assert_eq!(evidence[0].total, None);
    assert!(host.requests()[3].url.ends_with("&user_ids=e1&user_ids=e2"));
}

#[test]
fn a_long_page_of_grants_is_read_in_fifties() {
    let granted: Vec<String> = (0..120).map(|n| format!("e{n}")).collect();
    let batch = |from: usize, to: usize| {
        let names: Vec<&str> = granted[from..to].iter().map(String::as_str).collect();
        ok(listing(&names, None))
    };
    let host = connection()
        .answers("GET", MEMBERS, refusal(OUTSIDE))
        .answers("GET", SCOPES, ok(json!({"has_more": false, "user_ids": granted})))
        .answers("GET", USERS_BATCH, batch(0, 50))
        .answers("GET", USERS_BATCH, batch(100, 120))
        .answers("GET", USERS_BATCH, batch(50, 100));
    let (pages, _) = all(|cursor| people(&host, None, cursor));
    assert_eq!(pages.concat().len(), 120);
    assert_eq!(host.left(), 0);
}

#[test]
fn a_department_outside_the_range_is_told_as_such() {
    let host = connection().answers("GET", MEMBERS, refusal(OUTSIDE));
    let Err(Fault::Forbidden(advice)) = people(&host, Some("od-1"), None) else {
        panic!("no fault");
    };
    assert!(advice.remedy.contains("contact range"), "{}", advice.remedy);
    assert_eq!(host.left(), 0);
}

#[test]
fn a_cursor_of_another_department_is_stale() {
    for (within, cursor) in [
        (Some("od-1"), "members,od-2,x"),
        (Some("od-1"), "granted,,0,0"),
        (Some("od-1"), "named,e1"),
        (None, "members,od-2,x"),
        (None, "below,0,0,x"),
    ] {
        let host = connection();
        assert_eq!(people(&host, within, Some(cursor)).unwrap_err(), Fault::StaleCursor);
    }
}

#[test]
fn people_without_the_id_that_is_set_name_the_missing_permission() {
    let host = connection().answers("GET", MEMBERS, ok(json!({"items": [{"open_id": "ou_1"}]})));
    let Err(Fault::Forbidden(advice)) = people(&host, Some("od-1"), None) else {
        panic!("no fault");
    };
    assert!(advice.message.contains("`user_id`"), "{}", advice.message);
    assert!(advice.remedy.contains("contact:user.employee_id:readonly"), "{}", advice.remedy);
    let host = connection().with_setting("user_id_type", "open_id").answers(
        "GET",
        MEMBERS,
        ok(json!({"items": [{"open_id": "ou_1"}]})),
    );
    assert_eq!(ids(&people(&host, Some("od-1"), None).unwrap().content), ["ou_1"]);
}
