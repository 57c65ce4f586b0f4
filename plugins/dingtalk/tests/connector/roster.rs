//! People with their roster: joined where it may be read, left out and told where not.

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Fault, Kind, Level};
use serde_json::{Value, json};

use crate::people::listing;
use crate::{
    MEMBERS, ROSTER, SCOPES, SIMPLE, USER, all, body, brief, connection, ids, ok, people, person,
    range, refusal,
};

fn set_up(host: Scripted) -> Scripted {
    host.with_setting("agent_id", "2345678901")
}

fn fields(grade: &str) -> Value {
    json!([{
        "fieldCode": "sys01-positionLevel", "fieldName": "岗位职级", "groupId": "sys01",
        "fieldValueList": [{"itemIndex": 0, "value": grade, "label": grade}]
    }])
}

/// Who is in the roster, with a grade.
fn roster(entries: &[(&str, &str)]) -> Reply {
    let entry = |(id, grade): &(&str, &str)| json!({"userId": id, "corpId": "c", "fieldDataList": fields(grade)});
    Reply::json(&json!({"result": entries.iter().map(entry).collect::<Vec<_>>()}))
}

fn denied(word: &str) -> Reply {
    let detail = json!({"requiredScopes": ["qyapi_hrm_read_user"]});
    Reply::json(
        &json!({"code": word, "requestid": "R-1", "message": "no", "accessdenieddetail": detail}),
    )
    .with_status(403)
}

const NOT_GRANTED: &str = "Forbidden.AccessDenied.AccessTokenPermissionDenied";

fn payloads(content: &Content<Reply>) -> Vec<Value> {
    let Content::Built(items) = content else { panic!("not built") };
    items.iter().map(|item| serde_json::from_str(&item.payload).unwrap()).collect()
}

fn fetch(host: &Scripted, names: &[&str]) -> Result<Content<Reply>, Fault> {
    crate::fetch::fetch(host, Kind::Employee, names)
}

#[test]
fn people_come_with_the_fields_that_are_asked_for_and_who_has_none_without() {
    let host = set_up(connection())
        .with_setting("roster_fields", "sys01-positionLevel, 6d60f3f6-87a0-4e8d")
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", USER, ok(person("u2")))
        .answers("POST", ROSTER, roster(&[("u1", "P7"), ("stranger", "P9")]));
    let found = payloads(&fetch(&host, &["u1", "u2"]).unwrap());
    assert_eq!(
        found,
        [json!({"userid": "u1", "name": "Example", "roster": fields("P7")}), person("u2")]
    );
    assert_eq!(
        body(&host, 0),
        json!({
            "appAgentId": 2_345_678_901_u64, "userIdList": ["u1", "u2"],
            "fieldFilterList": ["sys01-positionLevel", "6d60f3f6-87a0-4e8d"]
        })
    );
    let request = host.requests().pop().unwrap();
    assert_eq!(request.url, format!("https://api.dingtalk.com{ROSTER}"));
    let token = ("x-acs-dingtalk-access-token".to_owned(), "t1".to_owned());
    assert!(request.headers.contains(&token), "the new generation wants it in a header");
}

#[test]
fn a_department_is_read_in_parts_of_25_with_one_call_to_the_roster_each() {
    let names: Vec<String> = (1..=27).map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let mut host = set_up(connection()).answers("POST", SIMPLE, ok(listing(&names, None)));
    for (nth, id) in names.iter().enumerate() {
        if nth == 25 {
            host = host.answers("POST", ROSTER, roster(&[("u1", "P1"), ("u25", "P2")]));
        }
        host = host.answers("POST", USER, ok(person(id)));
    }
    let host = host.answers("POST", ROSTER, roster(&[("u27", "P3")]));
    let (found, _) = all(|cursor| people(&host, Some("7"), cursor));
    assert_eq!(found, names);
    assert_eq!((host.left(), &body(&host, 0)["userIdList"]), (0, &json!(["u26", "u27"])));
}

#[test]
fn a_longer_listing_than_the_roster_takes_is_asked_for_in_parts() {
    let names: Vec<String> = (1..=101).map(|n| format!("u{n}")).collect();
    let names: Vec<&str> = names.iter().map(String::as_str).collect();
    let host = set_up(brief())
        .answers("POST", MEMBERS, ok(listing(&names, None)))
        .answers("POST", ROSTER, roster(&[("u1", "P1")]))
        .answers("POST", ROSTER, roster(&[("u101", "P9")]));
    let found = payloads(&people(&host, Some("7"), None).unwrap().content);
    assert_eq!((&found[0]["roster"], &found[100]["roster"]), (&fields("P1"), &fields("P9")));
    let asked = [1, 0].map(|back| body(&host, back)["userIdList"].as_array().unwrap().len());
    assert_eq!(asked, [100, 1]);
}

#[test]
fn one_person_alone_and_a_listing_have_it_too() {
    let host = set_up(connection())
        .answers("GET", SCOPES, range(&[], &["u1"]))
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", ROSTER, roster(&[("u1", "P7")]));
    let page = people(&host, None, None).unwrap();
    assert_eq!(payloads(&page.content)[0]["roster"], fields("P7"));
    let names = ["u1", "u2"];
    let host = set_up(brief()).answers("POST", MEMBERS, ok(listing(&names, None))).answers(
        "POST",
        ROSTER,
        roster(&[("u2", "P7")]),
    );
    let page = people(&host, Some("7"), None).unwrap();
    assert_eq!(ids(&page.content), names);
    let found = payloads(&page.content);
    assert_eq!((&found[0], &found[1]["roster"]), (&person("u1"), &fields("P7")));
    let host = set_up(brief()).answers("POST", MEMBERS, ok(listing(&[], None)));
    assert_eq!(people(&host, Some("7"), None).unwrap().content, Content::Empty);
}

#[test]
fn a_roster_that_may_not_be_read_costs_nobody_and_is_told_once() {
    let host = set_up(connection())
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", ROSTER, denied(NOT_GRANTED))
        .answers("POST", USER, ok(person("u2")))
        .answers("POST", USER, ok(person("u3")))
        .answers("POST", ROSTER, roster(&[("u3", "P7")]));
    assert_eq!(payloads(&fetch(&host, &["u1"]).unwrap()), [person("u1")]);
    assert_eq!(payloads(&fetch(&host, &["u2"]).unwrap()), [person("u2")], "not asked again");
    host.at(600_000);
    assert_eq!(payloads(&fetch(&host, &["u3"]).unwrap())[0]["roster"], fields("P7"), "but later");
    let logged = host.logged();
    let [(Level::Warn, line)] = logged.as_slice() else { panic!("{logged:?}") };
    assert!(
        line.contains("without their roster") && line.contains("qyapi_hrm_read_user"),
        "{line}"
    );
}

#[test]
fn a_busy_roster_is_asked_again_and_one_that_is_none_is_a_fault() {
    let answered = |reply: Reply| {
        let host = set_up(connection()).answers("POST", USER, ok(person("u1")));
        fetch(&host.answers("POST", ROSTER, reply), &["u1"])
    };
    let busy = answered(denied("Forbidden.AccessDenied.QpsLimitForAppkeyAndApi"));
    assert!(matches!(busy, Err(Fault::RateLimited(_))), "{busy:?}");
    let down = answered(Reply::json(&json!({"code": "ServiceUnavailable"})).with_status(500));
    assert!(matches!(down, Err(Fault::Unavailable(_))), "{down:?}");
    for strange in [
        json!({"result": null}),
        json!({}),
        json!({"result": [{"fieldDataList": []}]}),
        json!({"result": [{"userId": "u1", "fieldDataList": "none"}]}),
    ] {
        let fault = answered(Reply::json(&strange));
        assert!(matches!(fault, Err(Fault::Invalid(_))), "{strange}: {fault:?}");
    }
}

#[test]
fn a_token_that_the_roster_refuses_is_asked_for_anew() {
    let refused = Reply::json(&json!({"code": "InvalidAuthentication", "message": "no"}));
    let host = set_up(connection())
        .answers("POST", USER, ok(person("u1")))
        .answers("POST", ROSTER, refused.with_status(400))
        .answers("POST", crate::TOKEN, crate::token("t2", 7200))
        .answers("POST", ROSTER, roster(&[("u1", "P7")]));
    assert_eq!(payloads(&fetch(&host, &["u1"]).unwrap())[0]["roster"], fields("P7"));
}

#[test]
fn nobody_is_asked_for_when_nobody_is_there() {
    let host = set_up(connection()).answers("POST", USER, refusal(60_121));
    assert_eq!(fetch(&host, &["gone"]), Ok(Content::Empty));
}
