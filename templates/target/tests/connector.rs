//! The target over a scripted host: no network, no component, the same code. `cargo test` runs it in a moment.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Change, Fault, Kind, Receipt, Target, Verb};
use serde_json::json;
use starter_target::StarterTarget;

const MANIFEST: &str = include_str!("../manifest.json");

fn connection() -> Scripted {
    Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("base_url", "https://hr.example")
        .with_secret("api_key")
}

fn change(key: &str, verb: Verb) -> Change {
    let fields = r#"{"display_name":"Example","job_title":null}"#.to_owned();
    Change { key: key.to_owned(), kind: Kind::Employee, verb, id: None, fields }
}

fn apply(host: &Scripted, changes: &[Change]) -> Vec<Result<Receipt, Fault>> {
    <StarterTarget as Target<_>>::apply(host, changes)
}

#[test]
fn a_record_is_written_under_its_key_with_its_fields_as_they_are() {
    let host = connection().answers(
        "PUT",
        "/v1/people/feishu%3Aemployee%3Ae1",
        Reply::json(&json!({"id": "t1"})),
    );
    let results = apply(&host, &[change("feishu:employee:e1", Verb::Upsert)]);
    assert_eq!(results, [Ok(Receipt { id: "t1".to_owned(), before: None })]);
    let body = String::from_utf8(host.requests()[0].body.clone()).unwrap();
    assert_eq!(body, r#"{"display_name":"Example","job_title":null}"#);
}

#[test]
fn one_refused_change_leaves_the_others_in_force() {
    let host = connection()
        .answers("PUT", "/v1/people/a", Reply::json(&json!({"id": "t1"})))
        .answers("PUT", "/v1/people/b", Reply::json(&json!({})).with_status(422))
        .answers("PUT", "/v1/people/c", Reply::json(&json!({"id": "t3"})));
    let changes = ["a", "b", "c"].map(|key| change(key, Verb::Upsert));
    let results = apply(&host, &changes);
    assert!(matches!(results.as_slice(), [Ok(_), Err(Fault::Invalid(_)), Ok(_)]), "{results:?}");
}

#[test]
fn a_retirement_may_be_repeated() {
    let host = connection()
        .answers("DELETE", "/v1/people/a", Reply::json(&json!({"id": "t1"})))
        .answers("DELETE", "/v1/people/a", Reply::json(&json!({})).with_status(404));
    let twice = [change("a", Verb::Retire), change("a", Verb::Retire)];
    assert!(apply(&host, &twice).iter().all(Result::is_ok));
}

#[test]
fn a_busy_system_is_not_asked_again_in_the_same_call() {
    let busy = Reply::json(&json!({})).with_status(429).with_header("Retry-After", "2");
    let host = connection().answers("PUT", "/v1/people/a", busy);
    let results = apply(&host, &["a", "b"].map(|key| change(key, Verb::Upsert)));
    assert_eq!(results, [Err(Fault::RateLimited(2_000)), Err(Fault::RateLimited(2_000))]);
    assert_eq!(host.requests().len(), 1);
}
