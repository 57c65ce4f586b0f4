//! The tokens: one for each secret, kept, given up in time, replaced once when refused.

use rollcall_sdk::Fault;
use rollcall_sdk::Host as _;
use rollcall_sdk::testing::{Reply, Scripted};
use serde_json::json;

use crate::{
    MANIFEST, MEMBERS, PEOPLE_IDS, TOKEN, bare, connection, counted, members, ok, people, query,
    refusal, token,
};

const EXPIRED: i64 = 42_001;

fn list(host: &Scripted) -> Result<(), Fault> {
    people(host, Some("7"), None).map(drop)
}

#[test]
fn the_secret_is_named_only_in_the_request_for_a_token() {
    let host = connection().answers("GET", MEMBERS, members(&["e1"]));
    list(&host).unwrap();
    assert_eq!(query(&host, 1), "corpid=wwexample0001&corpsecret={secret:app_secret}");
    assert_eq!(query(&host, 0), "access_token=t-app&department_id=7");
    assert!(host.requests()[0].url.starts_with("https://qyapi.weixin.qq.com/cgi-bin/gettoken?"));
}

#[test]
fn each_secret_has_a_token_of_its_own() {
    let rows = ok(json!({"next_cursor": "", "dept_user": []}));
    let host = counted()
        .answers("POST", PEOPLE_IDS, rows)
        .answers("GET", TOKEN, token("t-app", 7200))
        .answers("GET", MEMBERS, members(&[]));
    people(&host, None, None).unwrap();
    list(&host).unwrap();
    assert_eq!(query(&host, 3), "corpid=wwexample0001&corpsecret={secret:contacts_secret}");
    assert_eq!(query(&host, 2), "access_token=t-contacts");
    assert_eq!(query(&host, 1), "corpid=wwexample0001&corpsecret={secret:app_secret}");
    assert_eq!(query(&host, 0), "access_token=t-app&department_id=7");
}

#[test]
fn an_older_company_may_read_with_contacts_sync_alone() {
    let host = Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("corp_id", "wwexample0001")
        .with_secret("contacts_secret")
        .answers("GET", TOKEN, token("t-contacts", 7200))
        .answers("GET", MEMBERS, members(&["e1"]));
    list(&host).unwrap();
    assert_eq!(query(&host, 0), "access_token=t-contacts&department_id=7");
}

#[test]
fn without_any_secret_the_apps_is_asked_for() {
    let host = Scripted::new(MANIFEST).unwrap().with_setting("corp_id", "wwexample0001");
    let Err(Fault::Unauthorized(advice)) = list(&host) else { panic!("no fault") };
    assert!(advice.remedy.contains("`app_secret`"), "{}", advice.remedy);
}

#[test]
fn a_token_is_used_until_five_minutes_before_its_end() {
    let host = connection();
    for _ in 0..2 {
        host.then("GET", MEMBERS, Ok(members(&[])));
        list(&host).unwrap();
        host.at(6_899_000);
    }
    host.at(6_900_000);
    host.then("GET", TOKEN, Ok(token("t-2", 7200)));
    host.then("GET", MEMBERS, Ok(members(&[])));
    list(&host).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn a_short_life_is_used_by_half() {
    let host = bare().answers("GET", TOKEN, token("t-1", 4));
    host.then("GET", MEMBERS, Ok(members(&[])));
    list(&host).unwrap();
    host.at(1_999);
    host.then("GET", MEMBERS, Ok(members(&[])));
    list(&host).unwrap();
    host.at(2_000);
    host.then("GET", TOKEN, Ok(token("t-2", 4)));
    host.then("GET", MEMBERS, Ok(members(&[])));
    list(&host).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn a_refused_token_is_replaced_and_the_call_repeated() {
    for code in [EXPIRED, 40_014, 40_001] {
        let host = connection()
            .answers("GET", MEMBERS, refusal(code))
            .answers("GET", TOKEN, token("t-2", 7200))
            .answers("GET", MEMBERS, members(&["e1"]));
        list(&host).unwrap();
        assert_eq!(query(&host, 0), "access_token=t-2&department_id=7");
        assert_eq!(host.left(), 0);
    }
}

#[test]
fn a_second_refusal_ends_the_call_and_the_token() {
    let host = connection()
        .answers("GET", MEMBERS, refusal(EXPIRED))
        .answers("GET", TOKEN, token("t-2", 7200))
        .answers("GET", MEMBERS, refusal(EXPIRED));
    let Err(Fault::Unauthorized(advice)) = list(&host) else { panic!("no fault") };
    assert_eq!(advice.code, "42001");
    assert_eq!((host.requests().len(), host.left()), (4, 0));
    host.then("GET", TOKEN, Ok(token("t-3", 7200)));
    host.then("GET", MEMBERS, Ok(members(&[])));
    list(&host).unwrap();
}

#[test]
fn a_secret_that_is_refused_is_not_tried_again() {
    let host = bare().answers("GET", TOKEN, refusal(40_001));
    let Err(Fault::Unauthorized(advice)) = list(&host) else { panic!("no fault") };
    assert!(advice.remedy.contains("Secret"), "{}", advice.remedy);
    assert_eq!((host.requests().len(), host.left()), (1, 0));
}

#[test]
fn an_address_that_is_barred_from_tokens_is_told_and_not_retried() {
    let host = bare().answers("GET", TOKEN, refusal(45_009));
    let Err(Fault::Forbidden(advice)) = list(&host) else { panic!("no fault") };
    assert!(advice.remedy.contains("`app_secret`") && advice.remedy.contains("an hour"));
}

#[test]
fn a_token_that_another_call_has_replaced_meanwhile_is_taken_not_dropped() {
    let key = "access_token https://qyapi.weixin.qq.com wwexample0001 app_secret";
    let host =
        bare().answers("GET", MEMBERS, refusal(EXPIRED)).answers("GET", MEMBERS, members(&[]));
    host.remember(key, "t-old", 100);
    host.meanwhile_remember(key, "t-new");
    list(&host).unwrap();
    assert_eq!(query(&host, 0), "access_token=t-new&department_id=7");
    assert_eq!(host.recall(key).as_deref(), Some("t-new"));
}

#[test]
fn an_answer_without_a_usable_token_is_a_fault() {
    let strange = [
        json!({"errcode": 0}),
        json!({"errcode": 0, "access_token": 7}),
        json!({"errcode": 0, "access_token": ""}),
        json!({"errcode": 0, "access_token": "a b"}),
        json!({"errcode": 0, "access_token": "{secret:app_secret}"}),
    ];
    for answer in strange {
        let host = bare().answers("GET", TOKEN, Reply::json(&answer));
        assert!(matches!(list(&host), Err(Fault::Invalid(_))), "{answer}");
        assert_eq!(host.requests().len(), 1);
    }
}
