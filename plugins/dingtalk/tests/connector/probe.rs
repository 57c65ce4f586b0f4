//! What a probe finds, and what it tells an administrator to do.

use rollcall_dingtalk::DingTalk;
use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Fault, Finding, Plugin};
use serde_json::{Value, json};

use crate::{
    CHILDREN, MEMBERS, ROSTER, SCOPES, TOKEN, USER, bare, connection, department, ok, range,
    wrapped,
};

const SWIPES: &str = "/attendance/listRecord";

fn probe(host: &Scripted) -> Vec<Finding> {
    DingTalk::probe(host).unwrap()
}

fn failed(findings: &[Finding]) -> Vec<(&str, &str)> {
    let failed = findings.iter().filter(|finding| !finding.passed);
    failed.map(|f| (f.check.as_str(), f.remedy.as_deref().unwrap_or(""))).collect()
}

fn somebody(fields: Value) -> Reply {
    let mut person = json!({"userid": "u1", "name": "Example"});
    person.as_object_mut().unwrap().extend(fields.as_object().unwrap().clone());
    ok(json!({"has_more": false, "list": [person]}))
}

fn nothing() -> Reply {
    Reply::json(&json!({"errcode": 0, "recordresult": []}))
}

#[test]
fn a_connection_that_is_set_up_has_nothing_to_mend() {
    let host = connection()
        .answers("GET", SCOPES, range(&[1], &[]))
        .answers("POST", CHILDREN, ok(json!([department(7)])))
        .answers("POST", MEMBERS, ok(json!({"has_more": false, "list": []})))
        .answers("POST", MEMBERS, somebody(json!({"mobile": "", "remark": ""})))
        .answers("POST", USER, ok(json!({"userid": "u1"})))
        .answers("POST", SWIPES, nothing());
    let findings = probe(&host);
    assert_eq!(failed(&findings), []);
    let checks: Vec<&str> = findings.iter().map(|finding| finding.check.as_str()).collect();
    assert_eq!(
        checks,
        [
            "credentials",
            "permission qyapi_base",
            "address-book range: all staff",
            "permission qyapi_get_department_list",
            "permission qyapi_get_department_member",
            "permission fieldMobile",
            "permission fieldEmail",
            "permission qyapi_get_member",
            "roster: not set up, `agent_id` is not set",
            "permission qyapi_get_attendance_data",
        ]
    );
}

#[test]
fn a_roster_is_looked_at_where_it_is_set_up() {
    let code = |code: &str| json!({"fieldCode": code, "fieldValueList": []});
    let asked = |roster: Reply| {
        let host = connection()
            .with_setting("agent_id", "7")
            .with_setting("roster_fields", "sys01-employeeType,mistyped")
            .answers("GET", SCOPES, range(&[], &["u1", "u2"]))
            .answers("POST", USER, ok(json!({"userid": "u1"})))
            .answers("POST", ROSTER, roster)
            .answers("POST", SWIPES, nothing());
        let findings = probe(&host);
        let failed = failed(&findings);
        failed.into_iter().map(|(check, remedy)| format!("{check}: {remedy}")).collect::<Vec<_>>()
    };
    let entry = |id: &str, fields: Value| json!({"userId": id, "fieldDataList": fields});
    let found = asked(Reply::json(&json!({"result": [
        entry("u1", json!([])), entry("u2", json!([code("sys01-employeeType")]))
    ]})));
    let [told] = found.as_slice() else { panic!("{found:?}") };
    assert!(told.starts_with("roster: 1 of 2 fields: nobody of 2 people has these: mistyped;"));
    let whole = json!([code("sys01-employeeType"), code("mistyped")]);
    assert_eq!(asked(Reply::json(&json!({"result": [entry("u1", whole)]}))), Vec::<String>::new());
    let denied = json!({
        "code": "Forbidden.AccessDenied.AccessTokenPermissionDenied",
        "accessdenieddetail": {"requiredScopes": ["qyapi_hrm_read_user"]}
    });
    let found = asked(Reply::json(&denied).with_status(403));
    let [told] = found.as_slice() else { panic!("{found:?}") };
    assert!(told.starts_with("permission qyapi_hrm_read_user: enable the permission"), "{told}");
}

#[test]
fn everything_that_is_missing_is_found_at_once() {
    let denied = || wrapped(60_011, "[qyapi_x_y]");
    let host = connection()
        .answers("GET", SCOPES, range(&[7], &[]))
        .answers("POST", CHILDREN, denied())
        .answers("POST", MEMBERS, somebody(json!({})))
        .answers("POST", USER, denied())
        .answers("POST", SWIPES, denied());
    let findings = probe(&host);
    let failed = failed(&findings);
    let checks: Vec<&str> = failed.iter().map(|(check, _)| *check).collect();
    assert_eq!(
        checks,
        [
            "permission qyapi_get_department_list",
            "permission fieldMobile",
            "permission fieldEmail",
            "permission qyapi_get_member",
            "permission qyapi_get_attendance_data",
        ]
    );
    assert!(failed[0].1.contains("missing: qyapi_x_y"), "{failed:?}");
    assert!(findings.iter().any(|f| f.check == "address-book range: 1 departments and 0 people"));
}

#[test]
fn wrong_credentials_and_an_empty_range_end_the_probe() {
    let refused = Reply::json(&json!({"code": "invalidClientIdOrSecret", "message": ""}));
    let findings = probe(&bare().answers("POST", TOKEN, refused.with_status(400)));
    assert_eq!((findings.len(), failed(&findings)[0].0), (1, "credentials"));
    let findings = probe(&connection().answers("GET", SCOPES, range(&[], &[])));
    let failed = failed(&findings);
    assert!(failed[0].1.contains("widen the address-book range"), "{failed:?}");
}

#[test]
fn a_platform_that_fails_is_no_finding() {
    let host = connection().answers("GET", SCOPES, wrapped(-1, "busy"));
    assert!(matches!(DingTalk::probe(&host), Err(Fault::Unavailable(_))));
}
