//! The probe names what is missing, and keeps an absent field apart from an empty one.

use std::collections::BTreeSet;

use rollcall_feishu::Feishu;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Fault, Finding, Plugin};
use serde_json::{Value, json};

use crate::{
    MANIFEST, MEMBERS, ROOT_CHILDREN, SCOPES, TOKEN, USERS_BATCH, bare, body, connection, ok,
    refusal,
};

const TASKS: &str = "/open-apis/attendance/v1/user_tasks/query";

fn probe(host: &Scripted) -> Vec<Finding> {
    let findings = <Feishu as Plugin<_>>::probe(host).unwrap();
    for finding in &findings {
        assert_eq!(finding.passed, finding.remedy.is_none(), "{finding:?}");
    }
    assert_eq!(host.left(), 0, "{findings:?}");
    findings
}

fn failed(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|f| !f.passed).map(|f| f.check.as_str()).collect()
}

fn full_department() -> Value {
    json!({"open_department_id": "od-1", "department_id": "RAD", "name": "Radiology",
           "parent_department_id": "0", "member_count": 3})
}

/// A person with every permission granted and hardly anything filled in.
fn full_person() -> Value {
    json!({"user_id": "e1", "name": "", "status": {"is_frozen": false}, "department_ids": [],
           "email": "", "mobile": "", "gender": 0})
}

fn tree() -> Reply {
    ok(json!({"has_more": false, "items": [full_department()]}))
}

fn members(person: Value) -> Reply {
    ok(json!({"has_more": false, "items": [person]}))
}

fn no_attendance_problem() -> Reply {
    ok(json!({"user_task_results": [], "unauthorized_user_ids": []}))
}

#[test]
fn a_connection_that_has_everything_passes_every_check() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, tree())
        .answers("GET", MEMBERS, members(full_person()))
        .answers("POST", TASKS, no_attendance_problem());
    host.at(1_767_196_800_000);
    let findings = probe(&host);
    assert_eq!(failed(&findings), [""; 0]);
    assert_eq!(body(&host, 0)["user_ids"], json!(["e1"]));
    assert_eq!(body(&host, 0)["check_date_from"], json!(20_260_101));
    let checked: BTreeSet<String> = findings
        .iter()
        .filter_map(|f| f.check.strip_prefix("permission ").map(str::to_owned))
        .collect();
    let manifest: Value = serde_json::from_str(MANIFEST).unwrap();
    let asked = manifest["permissions"].as_array().unwrap();
    let asked: BTreeSet<String> =
        asked.iter().map(|p| p["scope"].as_str().unwrap().to_owned()).collect();
    assert_eq!(checked, asked, "the manifest asks for what the probe checks");
}

#[test]
fn an_absent_field_is_a_missing_permission_and_an_empty_one_is_not() {
    let mut person = full_person();
    person.as_object_mut().unwrap().remove("mobile");
    let host = connection()
        .answers("GET", ROOT_CHILDREN, tree())
        .answers("GET", MEMBERS, members(person))
        .answers("POST", TASKS, no_attendance_problem());
    let findings = probe(&host);
    assert_eq!(failed(&findings), ["permission contact:user.phone:readonly"]);
    let remedy = findings.iter().find_map(|f| f.remedy.as_deref()).unwrap();
    assert!(remedy.contains("mobile") && remedy.contains("publish"), "{remedy}");
}

#[test]
fn a_field_that_one_person_has_is_granted() {
    let mut without = full_person();
    without.as_object_mut().unwrap().remove("email");
    let host = connection()
        .answers("GET", ROOT_CHILDREN, tree())
        .answers("GET", MEMBERS, ok(json!({"items": [without, full_person()]})))
        .answers("POST", TASKS, no_attendance_problem());
    assert_eq!(failed(&probe(&host)), [""; 0]);
}

#[test]
fn wrong_credentials_end_the_probe() {
    for code in [10_015, 99_991_543] {
        let host = bare().answers("POST", TOKEN, refusal(code));
        let findings = probe(&host);
        assert_eq!(failed(&findings), ["credentials"]);
        let remedy = findings[0].remedy.as_deref().unwrap();
        assert!(remedy.contains("`app_secret`") && remedy.contains(&code.to_string()), "{remedy}");
    }
}

#[test]
fn a_missing_contact_permission_is_named() {
    let reply = Reply::json(&json!({"code": 99_991_672, "error": {"permission_violations": [
        {"subject": "contact:contact.base:readonly"}
    ]}}));
    let host = connection().answers("GET", ROOT_CHILDREN, reply);
    let findings = probe(&host);
    assert_eq!(failed(&findings), ["permission contact:contact.base:readonly"]);
    assert!(findings[1].remedy.as_deref().unwrap().contains("missing: contact:contact.base"));
}

#[test]
fn a_partial_range_is_told_in_figures() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, refusal(40_004))
        .answers("GET", SCOPES, ok(json!({"department_ids": ["od-1"], "user_ids": ["e1"]})))
        .answers("GET", USERS_BATCH, members(full_person()))
        .answers("POST", TASKS, no_attendance_problem());
    let findings = probe(&host);
    assert_eq!(failed(&findings), [""; 0]);
    assert_eq!(findings[2].check, "contact range: 1 departments and 1 people");
}

#[test]
fn a_range_of_nobody_fails() {
    let host = connection().answers("GET", ROOT_CHILDREN, refusal(40_004)).answers(
        "GET",
        SCOPES,
        ok(json!({})),
    );
    assert_eq!(failed(&probe(&host)), ["contact range: 0 departments and 0 people"]);
}

#[test]
fn somebody_is_looked_for_in_the_smallest_departments() {
    let items = json!([
        {"open_department_id": "od-empty", "name": "A", "parent_department_id": "0", "member_count": 0},
        {"open_department_id": "od-large", "name": "B", "parent_department_id": "0", "member_count": 90},
        {"open_department_id": "od-small", "name": "C", "parent_department_id": "0", "member_count": 2},
    ]);
    let host = connection()
        .answers("GET", ROOT_CHILDREN, refusal(43_010))
        .answers("GET", ROOT_CHILDREN, ok(json!({"items": items})))
        .answers("GET", MEMBERS, ok(json!({})))
        .answers("GET", MEMBERS, members(full_person()))
        .answers("POST", TASKS, no_attendance_problem());
    assert_eq!(failed(&probe(&host)), [""; 0]);
    assert!(host.requests()[4].url.contains("department_id=od-small"));
}

#[test]
fn nobody_to_be_seen_is_a_finding() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, tree())
        .answers("GET", MEMBERS, ok(json!({})))
        .answers("GET", MEMBERS, ok(json!({})));
    assert_eq!(failed(&probe(&host)), ["people"]);
}

#[test]
fn a_missing_data_range_is_kept_apart_from_a_missing_permission() {
    let range =
        [refusal(1_220_005), refusal(1_220_004), ok(json!({"unauthorized_user_ids": ["e1"]}))];
    for reply in range {
        let host = connection()
            .answers("GET", ROOT_CHILDREN, tree())
            .answers("GET", MEMBERS, members(full_person()))
            .answers("POST", TASKS, reply);
        assert_eq!(failed(&probe(&host)), ["attendance data range"]);
    }
    let host = connection()
        .answers("GET", ROOT_CHILDREN, tree())
        .answers("GET", MEMBERS, members(full_person()))
        .answers("POST", TASKS, refusal(99_991_672));
    assert_eq!(failed(&probe(&host)), ["permission attendance:task:readonly"]);
}

#[test]
fn attendance_without_user_ids_is_told() {
    let host = connection()
        .with_setting("user_id_type", "open_id")
        .answers("GET", ROOT_CHILDREN, tree())
        .answers("GET", MEMBERS, members(full_person()));
    assert_eq!(failed(&probe(&host)), ["permission attendance:task:readonly"]);
}

#[test]
fn a_platform_that_fails_ends_the_probe() {
    let host = connection().answers("GET", ROOT_CHILDREN, refusal(1500));
    assert!(matches!(<Feishu as Plugin<_>>::probe(&host), Err(Fault::Unavailable(_))));
    let host = connection().answers("GET", ROOT_CHILDREN, refusal(99_991_400));
    assert!(matches!(<Feishu as Plugin<_>>::probe(&host), Err(Fault::RateLimited(_))));
}
