//! Misbehaviour: each fault looks as its name says and ends when it should.

use std::time::{Duration, Instant};

use serde_json::Value;
use simulator::feishu::Endpoint;
use simulator::{Fault, FaultRule, RateLimits, Simulator};

use crate::support::{Client, company, start};

const PATH: &str = "contact/v3/departments/0/children";
const DEEP: [(&str, &str); 2] = [("fetch_child", "true"), ("page_size", "10")];

async fn body(client: &Client) -> reqwest::Result<String> {
    client.send(client.getting(PATH, &DEEP)).await?.text().await
}

async fn sound(client: &Client) {
    assert_eq!(client.get(PATH, &DEEP).await.items().len(), 10);
}

#[tokio::test]
async fn too_many_requests_say_how_long_to_wait() {
    let client = start(Simulator::builder().people(300).rate_limit_reset(3)).await;
    client.sim.inject(FaultRule::times(Fault::RateLimited, 1));
    let answer = client.get(PATH, &DEEP).await;
    assert_eq!((answer.status, answer.code()), (429, 99_991_400));
    assert_eq!(answer.reset.as_deref(), Some("3"));
    sound(&client).await;
}

#[tokio::test]
async fn budgets_are_kept_and_refill() {
    let limits = RateLimits::Each { per_second: 1_000, per_minute: 5 };
    let client = start(Simulator::builder().people(300).rate_limits(limits)).await;
    for _ in 0..5 {
        sound(&client).await;
    }
    let answer = client.get(PATH, &DEEP).await;
    assert_eq!((answer.status, answer.code()), (429, 99_991_400));
    let reset: u64 = answer.reset.unwrap().parse().unwrap();
    assert!((1..=60).contains(&reset));
    client.sim.advance(Duration::from_secs(reset));
    sound(&client).await;
}

#[tokio::test]
async fn a_server_error_speaks_its_familys_code() {
    let client = company(300).await;
    client.sim.inject(FaultRule::times(Fault::ServerError, 2));
    let contact = client.get(PATH, &DEEP).await;
    assert_eq!((contact.status, contact.code()), (500, 40003));
    let attendance = client.flows(&["x".to_owned()], 0, 1).await;
    assert_eq!((attendance.status, attendance.code()), (500, 1_225_000));
    sound(&client).await;
}

#[tokio::test]
async fn a_reset_comes_before_any_byte() {
    let client = company(300).await;
    client.sim.inject(FaultRule::times(Fault::Reset, 1));
    let error = body(&client).await.unwrap_err();
    assert!(error.is_request(), "{error:?}");
    let causes: Vec<String> =
        std::iter::successors(std::error::Error::source(&error), |error| error.source())
            .map(ToString::to_string)
            .collect();
    assert!(causes.iter().any(|cause| cause.contains("reset")), "{causes:?}");
    sound(&client).await;
}

#[tokio::test]
async fn a_slow_body_takes_its_time_and_is_whole() {
    let client = start(Simulator::builder().people(300).slow_step(Duration::from_millis(5))).await;
    client.sim.inject(FaultRule::times(Fault::Slow, 1));
    let begun = Instant::now();
    let text = body(&client).await.unwrap();
    assert!(begun.elapsed() >= Duration::from_millis(95));
    assert!(serde_json::from_str::<Value>(&text).is_ok());
}

#[tokio::test]
async fn a_dripping_body_outlasts_any_patience() {
    let client = start(Simulator::builder().people(300).slow_step(Duration::from_millis(50))).await;
    client.sim.inject(FaultRule::times(Fault::Drip, 1));
    let request = client.getting(PATH, &DEEP).timeout(Duration::from_millis(120));
    let error = match request.send().await {
        Ok(response) => response.text().await.unwrap_err(),
        Err(error) => error,
    };
    assert!(error.is_timeout(), "{error:?}");
}

#[tokio::test]
async fn a_truncated_list_ends_too_early() {
    let client = company(300).await;
    client.sim.inject(FaultRule::times(Fault::TruncatedList, 1).on(Endpoint::Children));
    let answer = client.get(PATH, &DEEP).await;
    assert_eq!((answer.items().len(), &answer.data()["has_more"]), (10, &Value::Bool(false)));
    assert!(answer.data().get("page_token").is_none());
    assert!(client.tree().await.len() > 10);
}

#[tokio::test]
async fn truncated_json_and_html_are_not_json() {
    let client = company(300).await;
    client.sim.inject(FaultRule::times(Fault::TruncatedBody, 1));
    let cut = body(&client).await.unwrap();
    assert!(cut.starts_with("{\"code\":0") && serde_json::from_str::<Value>(&cut).is_err());
    client.sim.inject(FaultRule::times(Fault::Html, 1));
    assert!(body(&client).await.unwrap().starts_with("<!DOCTYPE html>"));
    sound(&client).await;
}

#[tokio::test]
async fn wrong_types_are_json_of_the_wrong_types() {
    let client = company(300).await;
    client.sim.inject(FaultRule::times(Fault::WrongTypes, 1));
    let item = client.get(PATH, &DEEP).await.items().remove(0);
    assert!(item["name"].is_array() && item["status"].is_number(), "{item}");
    sound(&client).await;
}

#[tokio::test]
async fn a_repeated_token_leads_to_the_same_page() {
    let client = company(300).await;
    let first = client.get(PATH, &DEEP).await;
    client.sim.inject(FaultRule::times(Fault::RepeatedToken, 1).after(1));
    let first_again = client.get(PATH, &DEEP).await;
    assert_eq!(first.body, first_again.body);
    let token = first.data()["page_token"].as_str().unwrap();
    let query = [DEEP[0], DEEP[1], ("page_token", token)];
    let second = client.get(PATH, &query).await;
    assert_eq!(second.data()["page_token"], token);
    assert_eq!(second.data()["has_more"], true);
}

#[tokio::test]
async fn an_expired_token_stays_expired_and_a_new_one_works() {
    let mut client = company(300).await;
    client.sim.inject(FaultRule::times(Fault::ExpiredToken, 1));
    assert_eq!(client.get(PATH, &DEEP).await.code(), 99_991_663);
    assert_eq!(client.get(PATH, &DEEP).await.code(), 99_991_663, "the stale token is of no use");
    client.token = client.new_token().await;
    sound(&client).await;
}

#[tokio::test]
async fn an_empty_tree_has_no_departments_while_it_lasts() {
    let client = company(300).await;
    client.sim.set_faults([FaultRule::rate(Fault::EmptyTree, 1.0)]);
    assert!(client.tree().await.is_empty());
    client.sim.set_faults([]);
    sound(&client).await;
}

#[tokio::test]
async fn a_shorter_listing_agrees_with_its_own_counts() {
    let client = company(600).await;
    client.sim.set_faults([FaultRule::rate(Fault::ShorterList, 1.0)]);
    let root = client.get("contact/v3/departments/0", &[]).await;
    let counted = root.data()["department"]["member_count"].as_u64().unwrap();
    let listed = client.user_ids(600).await.len() as u64;
    assert_eq!(counted, listed);
    assert!((80..160).contains(&listed), "{listed}");
}

#[tokio::test]
async fn a_rate_strikes_about_that_share_and_the_same_requests_again() {
    let run = async || {
        let client =
            start(Simulator::builder().people(50).faults([FaultRule::rate(Fault::Html, 0.3)]))
                .await;
        let mut struck = Vec::new();
        for _ in 0..100 {
            struck.push(body(&client).await.unwrap().starts_with('<'));
        }
        struck
    };
    let (one, two) = (run().await, run().await);
    assert!((15..45).contains(&one.iter().filter(|hit| **hit).count()));
    assert_eq!(one, two);
}
