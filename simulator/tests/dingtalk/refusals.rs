//! How the platform says no, in each generation, and the counts it keeps.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::dingtalk::Endpoint;
use simulator::{Fault, FaultRule, RateLimits};

use crate::support::{Client, code, company, start};

async fn boss(client: &Client) -> Value {
    client.old("topapi/v2/department/get", json!({"dept_id": 1})).await
}

#[tokio::test]
async fn one_token_opens_both_generations_each_in_its_own_place() {
    let mut client = start(company(20)).await;
    let asked = json!({"appKey": client.sim.app_id(), "appSecret": client.sim.app_secret()});
    let (status, token) = client.new_post("oauth2/accessToken", asked).await;
    assert_eq!((status, token["accessToken"].as_str()), (200, Some(client.token.as_str())));
    assert_eq!(token["expireIn"], 7_200);
    client.sim.advance(Duration::from_mins(110));
    assert_eq!(client.new_token().await, client.token, "its life is extended");
    client.sim.advance(Duration::from_mins(110));
    assert_eq!(code(&boss(&client).await), 0);
    client.token = "another".to_owned();
    let old = boss(&client).await;
    assert_eq!((old["errcode"].as_i64(), code(&old)), (Some(88), 40_014));
    let (status, new) = client.new_get("contact/empLeaveRecords").await;
    assert_eq!((status, new["code"].as_str()), (400, Some("InvalidAuthentication")));
    let plain = client.old("attendance/list", json!({})).await;
    assert_eq!(plain["errcode"], 40_014);
}

#[tokio::test]
async fn wrong_credentials_are_told_by_both_generations() {
    let client = start(company(20)).await;
    let old = client.get("gettoken?appkey=ding&appsecret=no").await;
    assert_eq!(old["errcode"], 40_096);
    let asked = json!({"appKey": "ding", "appSecret": "no"});
    let (status, new) = client.new_post("oauth2/accessToken", asked).await;
    assert_eq!((status, new["code"].as_str()), (400, Some("invalidClientIdOrSecret")));
}

#[tokio::test]
async fn a_missing_permission_names_itself() {
    let client = start(company(20)).await;
    client.sim.revoke_scope("qyapi_get_department_list");
    let answer = boss(&client).await;
    assert_eq!((answer["errcode"].as_i64(), code(&answer)), (Some(88), 60_011));
    assert!(answer["sub_msg"].as_str().unwrap().contains("qyapi_get_department_list"));
    assert_eq!(code(&client.old("topapi/v2/nothing", json!({})).await), 22);
}

#[tokio::test]
async fn twenty_calls_a_second_pass_and_each_endpoint_has_its_own() {
    let client = start(company(20).rate_limits(RateLimits::Documented)).await;
    let mut codes = Vec::new();
    for _ in 0..80 {
        codes.push(code(&boss(&client).await));
    }
    assert!(codes[..20].iter().all(|code| *code == 0) && codes.contains(&90_018), "{codes:?}");
    let other = client.old("topapi/user/count", json!({})).await;
    assert_eq!(code(&other), 0);
    assert_eq!(client.sim.requests().of(Endpoint::Department), 80);
}

#[tokio::test]
async fn a_month_of_metered_calls_is_used_up_and_contacts_are_free() {
    let client = start(company(20).monthly_calls(2)).await;
    let swipes = || {
        let body = json!({
            "userIds": ["nobody"],
            "checkDateFrom": "2026-03-30 00:00:00", "checkDateTo": "2026-03-31 00:00:00"
        });
        client.old("attendance/listRecord", body)
    };
    assert_eq!(
        [code(&swipes().await), code(&swipes().await), code(&swipes().await)],
        [0, 0, 90_020]
    );
    assert_eq!(code(&boss(&client).await), 0);
    client.sim.advance(Duration::from_hours(24));
    let mut client = client;
    client.token = client.new_token().await;
    assert_eq!(code(&boss(&client).await), 0);
}

#[tokio::test]
async fn a_blocked_address_gets_neither_envelope_for_five_minutes() {
    let client = start(company(20).address_calls(3)).await;
    assert_eq!(code(&boss(&client).await), 0);
    assert_eq!(code(&boss(&client).await), 0);
    let blocked = boss(&client).await;
    assert_eq!((blocked["status"].as_i64(), blocked.get("errcode")), (Some(1_111), None));
    client.sim.advance(Duration::from_mins(5));
    assert_eq!(code(&boss(&client).await), 0);
}

#[tokio::test]
async fn faults_speak_the_platforms_own_words() {
    let client = start(company(200)).await;
    client.sim.set_faults([FaultRule::times(Fault::ServerError, 1)]);
    assert_eq!(code(&boss(&client).await), -1);
    client.sim.set_faults([FaultRule::times(Fault::RateLimited, 1)]);
    assert_eq!(code(&boss(&client).await), 90_018);
    client.sim.set_faults([FaultRule::times(Fault::WrongTypes, 1)]);
    assert!(boss(&client).await["result"].is_string());
    client.sim.set_faults([FaultRule::times(Fault::ExpiredToken, 1)]);
    assert_eq!(code(&boss(&client).await), 40_014);
}

#[tokio::test]
async fn changes_are_events_that_name_who_is_concerned() {
    let client = start(company(300)).await;
    client.sim.step(6);
    let events: Vec<Value> =
        client.sim.events_since(0).iter().map(|text| serde_json::from_str(text).unwrap()).collect();
    let of = |kind: &str| events.iter().find(|event| event["EventType"] == kind);
    for kind in ["user_add_org", "user_modify_org", "user_leave_org"] {
        assert!(of(kind).unwrap()["userId"][0].is_string(), "{kind}");
    }
    assert!(of("attendance_check_record").unwrap()["dataList"][0]["userId"].is_string());
    let ids: std::collections::HashSet<&str> =
        events.iter().filter_map(|event| event["eventId"].as_str()).collect();
    assert_eq!(ids.len(), events.len());
}
