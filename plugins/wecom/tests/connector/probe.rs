//! The probe names what is missing, and whose list it is missing on.

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Fault, Finding, Plugin};
use rollcall_wecom::WeCom;
use serde_json::{Value, json};

use crate::{
    AGENT, MEMBERS, TOKEN, TREE_IDS, bare, body, connection, members, ok, refusal, token, tree_ids,
};

const REPORTS: &str = "/cgi-bin/checkin/getcheckin_daydata";
const PLACES: &[(u64, u64)] = &[(1, 0), (7, 1)];

fn probe(host: &Scripted) -> Vec<Finding> {
    let findings = <WeCom as Plugin<_>>::probe(host).unwrap();
    for finding in &findings {
        assert_eq!(finding.passed, finding.remedy.is_none(), "{finding:?}");
    }
    assert_eq!(host.left(), 0, "{findings:?}");
    findings
}

fn failed(findings: &[Finding]) -> Vec<&str> {
    findings.iter().filter(|f| !f.passed).map(|f| f.check.as_str()).collect()
}

/// Somebody whom an older app sees whole.
fn full(id: &str) -> Value {
    json!({"userid": id, "name": "Example", "position": "", "mobile": "13800000000", "gender": "1",
           "email": "e@example.com", "biz_mail": "e@corp.example", "status": 1})
}

fn people(person: Value) -> Reply {
    ok(json!({"userlist": [person]}))
}

#[test]
fn an_older_connection_that_has_everything_passes_every_check() {
    let app = ok(json!({"agentid": 1_000_002, "allow_partys": {"partyid": [1]}, "close": 0}));
    let host = connection()
        .with_secret("contacts_secret")
        .with_setting("agent_id", "1000002")
        .answers("GET", TREE_IDS, tree_ids(PLACES))
        .answers("GET", TOKEN, token("t-contacts", 7200))
        .answers("GET", TREE_IDS, tree_ids(PLACES))
        .answers("GET", AGENT, app)
        .answers("GET", MEMBERS, people(full("e1")))
        .answers("POST", REPORTS, ok(json!({"datas": []})));
    host.at(1_767_200_400_000);
    let findings = probe(&host);
    assert_eq!(failed(&findings), [""; 0]);
    assert_eq!(
        body(&host, 0),
        json!({"starttime": 1_767_196_800, "endtime": 1_767_196_800, "useridlist": ["e1"]})
    );
}

#[test]
fn fields_that_newer_apps_do_not_get_are_named() {
    let mut person = full("e1");
    for name in ["mobile", "email", "biz_mail"] {
        person.as_object_mut().unwrap().remove(name);
    }
    person["gender"] = json!("0");
    let host = connection()
        .answers("GET", TREE_IDS, tree_ids(PLACES))
        .answers("GET", MEMBERS, members(&[]))
        .answers("GET", MEMBERS, people(person))
        .answers("POST", REPORTS, ok(json!({"datas": []})));
    let findings = probe(&host);
    assert_eq!(failed(&findings), ["mobile, mail and gender of people"]);
    let remedy = findings.iter().find_map(|f| f.remedy.as_deref()).unwrap();
    assert!(remedy.contains("mobile, email, biz_mail, gender"), "{remedy}");
}

#[test]
fn wrong_credentials_end_the_probe() {
    let host = bare().answers("GET", TOKEN, refusal(40_001));
    let findings = probe(&host);
    assert_eq!(failed(&findings), ["app_secret"]);
    assert!(findings[0].remedy.as_deref().unwrap().contains("code 40001"));
}

#[test]
fn an_address_that_is_not_trusted_is_shown() {
    let host = connection().answers("GET", TREE_IDS, refusal(60_020));
    let findings = probe(&host);
    assert_eq!(failed(&findings), ["企业可信IP and the app's secret"]);
    assert!(findings[1].remedy.as_deref().unwrap().contains("203.0.113.7"));
}

#[test]
fn a_range_that_is_smaller_than_the_company_is_told_in_figures() {
    let host = connection()
        .with_secret("contacts_secret")
        .answers("GET", TREE_IDS, tree_ids(&[(7, 1)]))
        .answers("GET", TOKEN, token("t-contacts", 7200))
        .answers("GET", TREE_IDS, tree_ids(&[(1, 0), (7, 1), (8, 1)]))
        .answers("GET", MEMBERS, people(full("e1")))
        .answers("POST", REPORTS, ok(json!({"datas": []})));
    assert_eq!(failed(&probe(&host)), ["应用可见范围: 1 of 3 departments"]);
    let host = connection().answers("GET", TREE_IDS, tree_ids(&[]));
    assert_eq!(failed(&probe(&host)), ["应用可见范围"]);
}

#[test]
fn an_app_that_is_off_or_another_is_told() {
    let off = ok(json!({"agentid": 1_000_002, "close": 1}));
    for app in [off, refusal(301_002)] {
        let host = connection()
            .with_setting("agent_id", "1000002")
            .answers("GET", TREE_IDS, tree_ids(PLACES))
            .answers("GET", AGENT, app)
            .answers("GET", MEMBERS, people(full("e1")))
            .answers("POST", REPORTS, ok(json!({"datas": []})));
        assert_eq!(failed(&probe(&host)), ["agent_id"]);
    }
}

#[test]
fn nobody_to_be_seen_is_a_finding() {
    let host = connection()
        .answers("GET", TREE_IDS, tree_ids(&[(7, 1)]))
        .answers("GET", MEMBERS, members(&[]))
        .answers("GET", MEMBERS, members(&[]));
    assert_eq!(failed(&probe(&host)), ["people"]);
}

#[test]
fn check_in_names_its_own_list_and_an_unknown_person_is_no_refusal() {
    for (reply, missing) in
        [(refusal(48_002), true), (refusal(301_088), true), (refusal(301_021), false)]
    {
        let host = connection()
            .answers("GET", TREE_IDS, tree_ids(PLACES))
            .answers("GET", MEMBERS, people(full("e1")))
            .answers("POST", REPORTS, reply);
        let findings = probe(&host);
        assert_eq!(failed(&findings) == ["打卡 - 可调用接口的应用"], missing, "{findings:?}");
    }
}

#[test]
fn a_platform_that_fails_ends_the_probe() {
    let host = connection().answers("GET", TREE_IDS, refusal(-1));
    assert!(matches!(<WeCom as Plugin<_>>::probe(&host), Err(Fault::Unavailable(_))));
    let host = connection().answers("GET", TREE_IDS, refusal(45_009));
    assert!(matches!(<WeCom as Plugin<_>>::probe(&host), Err(Fault::RateLimited(_))));
}
