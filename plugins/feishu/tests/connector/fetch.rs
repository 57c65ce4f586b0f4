//! Single objects by id.

use rollcall_feishu::Feishu;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind};
use serde_json::json;

use crate::{DEPARTMENTS_BATCH, USERS_BATCH, connection, department, ids, ok, person, refusal};

fn fetch(host: &Scripted, kind: Kind, names: &[&str]) -> Result<Content<Reply>, Fault> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    <Feishu as Directory<_>>::fetch(host, kind, &names)
}

fn user(id: &str) -> String {
    format!("/open-apis/contact/v3/users/{id}")
}

#[test]
fn many_are_read_in_one_call_with_repeated_keys() {
    let host = connection().answers("GET", USERS_BATCH, ok(json!({"items": [person("e2")]})));
    let content = fetch(&host, Kind::Employee, &["e 1", "e2"]).unwrap();
    assert_eq!(ids(&content), ["e2"]);
    assert!(host.requests()[1].url.ends_with("&user_ids=e%201&user_ids=e2"));
    let host =
        connection().answers("GET", DEPARTMENTS_BATCH, ok(json!({"items": [department("od-1")]})));
    assert_eq!(ids(&fetch(&host, Kind::Department, &["od-1"]).unwrap()), ["od-1"]);
}

#[test]
fn nothing_is_asked_for_nothing_and_too_much_is_refused() {
    let host = connection();
    assert_eq!(fetch(&host, Kind::Employee, &[]).unwrap(), Content::Empty);
    assert!(matches!(fetch(&host, Kind::Employee, &["e"; 51]), Err(Fault::Invalid(_))));
    assert!(matches!(fetch(&host, Kind::CheckIn, &["7001"]), Err(Fault::Unsupported)));
    assert_eq!(host.requests().len(), 0);
}

#[test]
fn one_bad_id_does_not_hide_the_others() {
    for code in [40_007, 41_012, 99_992_351] {
        let host = connection()
            .answers("GET", USERS_BATCH, refusal(code))
            .answers("GET", &user("e1"), ok(json!({"user": {"user_id": "e1", "city": "武汉"}})))
            .answers("GET", &user("gone"), refusal(code));
        let Content::Built(items) = fetch(&host, Kind::Employee, &["e1", "gone"]).unwrap() else {
            panic!("not built");
        };
        assert_eq!(items.len(), 1);
        let payload: serde_json::Value = serde_json::from_str(&items[0].payload).unwrap();
        assert_eq!((items[0].id.as_str(), &payload["city"]), ("e1", &json!("武汉")));
    }
}

#[test]
fn a_department_that_is_gone_is_left_out() {
    let host = connection().answers("GET", DEPARTMENTS_BATCH, refusal(41_017)).answers(
        "GET",
        "/open-apis/contact/v3/departments/od-1",
        refusal(41_017),
    );
    assert_eq!(fetch(&host, Kind::Department, &["od-1"]).unwrap(), Content::Empty);
}

#[test]
fn when_no_id_at_all_is_known_the_id_type_is_doubted() {
    let host = connection()
        .answers("GET", USERS_BATCH, refusal(99_992_351))
        .answers("GET", &user("e1"), refusal(99_992_351))
        .answers("GET", &user("e2"), refusal(99_992_351));
    let Err(Fault::Invalid(advice)) = fetch(&host, Kind::Employee, &["e1", "e2"]) else {
        panic!("no fault");
    };
    assert!(advice.remedy.contains("`user_id_type`"), "{}", advice.remedy);
}

#[test]
fn a_person_outside_the_range_is_not_a_person_who_is_gone() {
    let host = connection().answers("GET", USERS_BATCH, refusal(40_007)).answers(
        "GET",
        &user("e1"),
        refusal(41_050),
    );
    assert!(matches!(fetch(&host, Kind::Employee, &["e1", "e2"]), Err(Fault::Forbidden(_))));
}
