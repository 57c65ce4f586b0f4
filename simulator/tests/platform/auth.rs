//! Tokens: how they are handed out, how they end, and what a bad one is told.

use std::time::Duration;

use simulator::Simulator;
use simulator::feishu::{Endpoint, TokenErrors};

use crate::support::{company, start};

const PATH: &str = "contact/v3/departments/0/children";

#[tokio::test]
async fn a_token_is_the_same_until_half_an_hour_before_its_end() {
    let client = company(20).await;
    let first = client.ask_token(client.sim.app_id(), client.sim.app_secret()).await;
    assert_eq!((first.status, first.body["msg"].as_str()), (200, Some("ok")));
    assert_eq!(first.body["tenant_access_token"], client.token.as_str());
    assert!((7_100..=7_200).contains(&first.body["expire"].as_i64().unwrap()));
    client.sim.advance(Duration::from_hours(1));
    let later = client.ask_token(client.sim.app_id(), client.sim.app_secret()).await;
    assert_eq!(later.body["tenant_access_token"], client.token.as_str());
    assert!((3_500..=3_600).contains(&later.body["expire"].as_i64().unwrap()));
    client.sim.advance(Duration::from_mins(31));
    assert_ne!(client.new_token().await, client.token);
    assert_eq!(client.get(PATH, &[]).await.code(), 0, "the old one is still valid");
    client.sim.advance(Duration::from_mins(30));
    assert_eq!(client.get(PATH, &[]).await.code(), 99_991_663, "and now it is not");
}

#[tokio::test]
async fn an_expired_token_can_come_with_either_status() {
    for (style, status) in [(TokenErrors::Ok, 200), (TokenErrors::BadRequest, 400)] {
        let client = start(Simulator::builder().people(20).token_errors(style)).await;
        client.sim.expire_tokens();
        let answer = client.get(PATH, &[]).await;
        assert_eq!((answer.status, answer.code()), (status, 99_991_663));
    }
}

#[tokio::test]
async fn malformed_headers_are_told_apart() {
    let client = company(20).await;
    let bare = client.token.clone();
    for (header, code) in [
        (None, 99_991_661),
        (Some("Bearer "), 99_991_661),
        (Some(bare.as_str()), 99_991_661),
        (Some("Bearer a-someapp"), 99_991_671),
        (Some("Bearer eyJhbGciOi"), 99_991_671),
        (Some("Bearer u-someuser"), 99_991_668),
        (Some("Bearer t-unknown"), 99_991_663),
    ] {
        assert_eq!(client.get_with(PATH, header).await.code(), code, "{header:?}");
    }
}

#[tokio::test]
async fn wrong_credentials_are_refused() {
    let client = company(20).await;
    let (id, secret) = (client.sim.app_id(), client.sim.app_secret());
    assert_eq!(client.ask_token(id, "wrong").await.code(), 10015);
    assert_eq!(client.ask_token("cli_other", secret).await.code(), 99_991_543);
    let nothing = serde_json::json!({"app_id": id});
    let answer = client.post("auth/v3/tenant_access_token/internal", &[], &nothing).await;
    assert_eq!(answer.code(), 10003);
}

#[tokio::test]
async fn the_app_endpoint_gives_both_tokens() {
    let client = company(20).await;
    let body = serde_json::json!({
        "app_id": client.sim.app_id(),
        "app_secret": client.sim.app_secret(),
    });
    let answer = client.post("auth/v3/app_access_token/internal", &[], &body).await;
    assert_eq!(answer.body["tenant_access_token"], client.token.as_str());
    assert!(answer.body["app_access_token"].as_str().unwrap().starts_with("a-"));
}

#[tokio::test]
async fn unknown_paths_and_methods_have_codes_and_every_answer_a_log_id() {
    let client = company(20).await;
    let nowhere = client.get("contact/v3/planets", &[]).await;
    assert_eq!((nowhere.status, nowhere.code()), (404, 99_991_201));
    let posted = client.post(PATH, &[], &serde_json::json!({})).await;
    assert_eq!((posted.status, posted.code()), (405, 99_991_301));
    assert!(nowhere.log_id.is_some() && posted.log_id != nowhere.log_id);
    let requests = client.sim.requests();
    assert_eq!(requests.of(Endpoint::Unknown), 1);
    assert_eq!(requests.of(Endpoint::Children), 1);
    assert_eq!(requests.total, 3);
}

#[tokio::test]
async fn after_shutdown_nobody_answers() {
    let client = company(20).await;
    let request = client.getting(PATH, &[]);
    let crate::support::Client { sim, .. } = client;
    sim.shutdown().await;
    assert!(request.send().await.unwrap_err().is_connect());
}
