//! How the platform says no: secrets, tokens, addresses, rights, budgets.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::wecom::Endpoint;
use simulator::{Fault, FaultRule, RateLimits};

use crate::support::{APP, CONTACTS, Client, company, start};

fn code(answer: &Value) -> i64 {
    answer["errcode"].as_i64().unwrap()
}

async fn root(client: &Client) -> i64 {
    code(&client.get("department/get?id=1").await)
}

#[tokio::test]
async fn a_token_is_the_secrets_own_and_the_same_until_it_ends() {
    let client = start(company(20)).await;
    let (app, contacts) = (client.token(APP).await, client.token(CONTACTS).await);
    assert_ne!(app, contacts);
    client.sim.advance(Duration::from_hours(1));
    let path = format!("gettoken?corpid={}&corpsecret={APP}", client.sim.app_id());
    let again = client.bare(&path).await;
    assert_eq!(again["access_token"].as_str(), Some(&*app));
    assert!((3_500..=3_600).contains(&again["expires_in"].as_i64().unwrap()), "{again}");
    client.sim.advance(Duration::from_hours(1));
    assert_eq!(
        code(&client.bare(&format!("department/get?id=1&access_token={app}")).await),
        40_014
    );
    assert_ne!(client.token(APP).await, app);
    assert_eq!(code(&client.bare("department/get?id=1").await), 41_001);
    client.sim.inject(FaultRule::times(Fault::ExpiredToken, 1));
    assert_eq!([root(&client).await, root(&client).await], [42_001, 0]);
}

#[tokio::test]
async fn a_refusal_carries_a_hint_the_address_and_where_to_read_more() {
    let client = start(company(20).seen_address("198.51.100.9")).await;
    client.sim.revoke_scope("企业可信IP");
    let answer = client.get("department/get?id=1").await;
    assert_eq!(code(&answer), 60_020);
    let words = answer["errmsg"].as_str().unwrap();
    assert!(words.starts_with("not allow to access from your ip, hint: ["), "{words}");
    assert!(words.contains("], from ip: 198.51.100.9, more info at https://"), "{words}");
    assert!(words.ends_with("e=60020"), "{words}");
    let ids = client.get_as(CONTACTS, "department/simplelist").await;
    assert_eq!(code(&ids), 0, "contacts sync has a list of its own");
}

#[tokio::test]
async fn wrong_secrets_shut_their_sender_out_for_an_hour() {
    let client = start(company(20)).await;
    let corp = client.sim.app_id().to_owned();
    let ask = async |secret: &str| {
        code(&client.bare(&format!("gettoken?corpid={corp}&corpsecret={secret}")).await)
    };
    assert_eq!(code(&client.bare("gettoken?corpid=ww&corpsecret=x").await), 40_013);
    assert_eq!(code(&client.bare("gettoken?corpsecret=x").await), 41_002);
    assert_eq!(ask("").await, 41_004);
    for _ in 0..10 {
        assert_eq!(ask("wrong").await, 40_001);
    }
    assert_eq!(ask(APP).await, 45_009);
    client.sim.advance(Duration::from_hours(1));
    assert_eq!(ask(APP).await, 0);
}

#[tokio::test]
async fn contacts_sync_reads_ids_only_unless_it_is_an_old_one() {
    let newer = start(company(20)).await;
    for path in [
        "department/list",
        "department/get?id=1",
        "user/list?department_id=1",
        "user/simplelist?department_id=1",
        "user/get?userid=E000001",
    ] {
        assert_eq!(code(&newer.get_as(CONTACTS, path).await), 48_009, "{path}");
    }
    let older = start(company(20).older_contacts()).await;
    let card = older.get_as(CONTACTS, "user/get?userid=E000001").await;
    assert!(card["mobile"].is_string(), "{card}");
    older.sim.revoke_scope("通讯录同步 - API接口同步");
    assert_eq!(code(&older.get_as(CONTACTS, "user/get?userid=E000001").await), 48_002);
}

#[tokio::test]
async fn check_in_is_for_apps_on_its_list_and_for_the_old_system_secret() {
    let client = start(company(20).checkin_secret("simulator-checkin-0001")).await;
    client.sim.revoke_scope("打卡 - 可调用接口的应用");
    let now = client.sim.now();
    let body = json!({"opencheckindatatype": 3, "starttime": now - 60, "endtime": now, "useridlist": ["E000001"]});
    let path = "checkin/getcheckindata";
    assert_eq!(code(&client.post(path, body.clone()).await), 48_002);
    assert_eq!(code(&client.post_as(CONTACTS, path, body.clone()).await), 48_002);
    assert_eq!(code(&client.post_as("simulator-checkin-0001", path, body).await), 0);
    let tree = client.get_as("simulator-checkin-0001", "department/list").await;
    assert_eq!(code(&tree), 48_002);
}

#[tokio::test]
async fn each_call_has_its_own_budget_of_a_minute() {
    let client = start(company(20).rate_limits(RateLimits::Documented)).await;
    let body = json!({"starttime": 1, "endtime": 1, "useridlist": ["E000001"]});
    let mut codes = Vec::new();
    for _ in 0..101 {
        codes.push(code(&client.post("checkin/getcheckin_daydata", body.clone()).await));
    }
    assert!(codes[..100].iter().all(|code| *code == 0), "{codes:?}");
    assert_eq!(codes[100], 45_009);
    assert_eq!(root(&client).await, 0);
    client.sim.advance(Duration::from_mins(1));
    assert_eq!(code(&client.post("checkin/getcheckin_daydata", body).await), 0);
    assert_eq!(client.sim.requests().of(Endpoint::DayReports), 102);
}

#[tokio::test]
async fn faults_speak_the_platforms_language() {
    let client = start(company(20).most_rows(3)).await;
    assert_eq!(code(&client.get("department/list").await), 45_029);
    client.sim.inject(FaultRule::times(Fault::RateLimited, 1));
    assert_eq!(root(&client).await, 45_009);
    client.sim.inject(FaultRule::times(Fault::ServerError, 1));
    assert_eq!(root(&client).await, -1);
    assert_eq!(code(&client.get("agent/get?agentid=7").await), 301_002);
    assert_eq!(code(&client.get("agent/get?agentid=x").await), 40_056);
    assert_eq!(code(&client.post("department/get?id=1", json!({})).await), 40_058);
    assert_eq!(client.get("getcallbackip").await["ip_list"].as_array().unwrap().len(), 2);
}
