//! Single objects by id.

use rollcall_dingtalk::DingTalk;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind};
use serde_json::json;

use crate::{DEPARTMENT, USER, connection, department, ids, ok, person, refusal};

pub(crate) fn fetch(host: &Scripted, kind: Kind, names: &[&str]) -> Result<Content<Reply>, Fault> {
    let names: Vec<String> = names.iter().map(|name| (*name).to_owned()).collect();
    <DingTalk as Directory<_>>::fetch(host, kind, &names)
}

#[test]
fn one_bad_id_hides_nobody_else() {
    let host = connection()
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", USER, refusal(33_012))
        .answers("POST", USER, refusal(50_002))
        .answers("POST", USER, ok(person("u4")));
    let found = fetch(&host, Kind::Employee, &["u1", "gone", "hidden", "u4"]).unwrap();
    assert_eq!(ids(&found), ["u1", "u4"]);
    let Content::Built(items) = found else { panic!("not built") };
    assert_eq!(items[0].payload, person("u1").to_string());
}

#[test]
fn departments_are_fetched_by_their_number() {
    let host = connection().answers("POST", DEPARTMENT, ok(department(7)));
    assert_eq!(ids(&fetch(&host, Kind::Department, &["7"]).unwrap()), ["7"]);
    let found = fetch(&connection(), Kind::Department, &["seven"]);
    assert_eq!(found, Ok(Content::Empty), "what is no number is no department's");
}

#[test]
fn a_failure_is_nobodys_absence_and_the_batch_is_bounded() {
    let host = connection().answers("POST", USER, refusal(-1));
    assert!(matches!(fetch(&host, Kind::Employee, &["u1"]), Err(Fault::Unavailable(_))));
    let host = connection().answers("POST", USER, ok(json!([])));
    assert!(matches!(fetch(&host, Kind::Employee, &["u1"]), Err(Fault::Invalid(_))));
    let many = vec!["u"; 51];
    assert!(matches!(fetch(&connection(), Kind::Employee, &many), Err(Fault::Invalid(_))));
    assert_eq!(fetch(&connection(), Kind::Leave, &["x"]), Err(Fault::Unsupported));
    assert_eq!(fetch(&connection(), Kind::Employee, &[]), Ok(Content::Empty));
}
