//! Single objects: one that is gone does not hide the others.

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind};
use rollcall_wecom::WeCom;
use serde_json::json;

use crate::{
    DEPARTMENT, PERSON, TREE_IDS, connection, department, ids, ok, payloads, person, query,
    refusal, tree_ids,
};

fn fetch(host: &Scripted, kind: Kind, ids: &[&str]) -> Result<Content<Reply>, Fault> {
    let ids: Vec<String> = ids.iter().map(|id| (*id).to_owned()).collect();
    <WeCom as Directory<_>>::fetch(host, kind, &ids)
}

#[test]
fn people_are_known_by_the_spelling_of_the_directory() {
    let host = connection().answers("GET", PERSON, ok(person("LiLei"))).answers(
        "GET",
        PERSON,
        refusal(40_003),
    );
    let found = fetch(&host, Kind::Employee, &["lilei", "gone"]).unwrap();
    assert_eq!(ids(&found), ["LiLei"]);
    assert_eq!(query(&host, 1), "access_token=t-app&userid=lilei");
}

#[test]
fn a_department_is_the_same_on_its_own_as_in_the_listing() {
    let host = connection()
        .answers("GET", TREE_IDS, tree_ids(&[(12, 7), (13, 12)]))
        .answers("GET", DEPARTMENT, ok(json!({"department": department(12, 7)})))
        .answers("GET", DEPARTMENT, ok(json!({"department": department(13, 12)})))
        .answers("GET", DEPARTMENT, refusal(60_123));
    let found = fetch(&host, Kind::Department, &["12", "13", "14"]).unwrap();
    let tops: Vec<_> = payloads(&found).iter().map(|d| d.get("top").is_some()).collect();
    assert_eq!((ids(&found), tops), (vec!["12".into(), "13".into()], vec![true, false]));
}

#[test]
fn nobody_is_nobody_and_too_many_are_refused_before_they_are_sent() {
    let host = connection();
    assert_eq!(fetch(&host, Kind::Employee, &[]).unwrap(), Content::Empty);
    assert!(matches!(fetch(&host, Kind::Employee, &["e"; 51]), Err(Fault::Invalid(_))));
    assert_eq!(fetch(&host, Kind::CheckIn, &["e"]).unwrap_err(), Fault::Unsupported);
    assert_eq!(host.requests().len(), 0);
}

#[test]
fn a_refusal_that_is_about_the_app_is_no_absence() {
    let host = connection().answers("GET", PERSON, refusal(60_011));
    assert!(matches!(fetch(&host, Kind::Employee, &["e1"]), Err(Fault::Forbidden(_))));
}
