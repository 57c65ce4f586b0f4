//! The connector over a scripted host: no network, no component, the same code. `cargo test` runs it in a moment.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use rollcall_sdk::testing::{Reply, Scripted};
use rollcall_sdk::{Content, Directory, Fault, Kind, Page};
use serde_json::json;
use starter_provider::StarterProvider;

const MANIFEST: &str = include_str!("../manifest.json");

/// A connection that asks for its token first, then for what the test expects.
fn connection() -> Scripted {
    let token = Reply::json(&json!({"access_token": "t-1", "expires_in": 3600}));
    Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("base_url", "https://api.example")
        .with_setting("client_id", "me")
        .with_secret("client_secret")
        .answers("POST", "/oauth/token", token)
}

fn people(host: &Scripted, cursor: Option<&str>) -> Result<Page<Reply>, Fault> {
    <StarterProvider as Directory<_>>::enumerate(host, Kind::Employee, None, cursor)
}

#[test]
fn the_cursor_is_followed_to_the_end() {
    let first = json!({"items": [{"id": "p1"}], "next": "a/b", "total": 2});
    let last = json!({"items": [{"id": "p2"}], "next": null, "total": 2});
    let host = connection().answers("GET", "/v1/people", Reply::json(&first)).answers(
        "GET",
        "/v1/people",
        Reply::json(&last),
    );
    let page = people(&host, None).unwrap();
    assert_eq!(page.evidence.and_then(|evidence| evidence.total), Some(2));
    let page = people(&host, page.next.as_deref()).unwrap();
    assert_eq!(page.next, None);
    assert!(matches!(page.content, Content::Sliced(_)));
    assert!(host.requests()[2].url.ends_with("cursor=a%2Fb"));
}

#[test]
fn a_refused_token_is_replaced_once() {
    let token = Reply::json(&json!({"access_token": "t-2", "expires_in": 3600}));
    let host = connection()
        .answers("GET", "/v1/people", Reply::json(&json!({})).with_status(401))
        .answers("POST", "/oauth/token", token)
        .answers("GET", "/v1/people", Reply::json(&json!({"items": []})));
    assert_eq!(people(&host, None).unwrap().content, Content::Empty);
    assert_eq!(host.left(), 0);
}

#[test]
fn a_web_page_is_no_empty_listing() {
    let host = connection().answers("GET", "/v1/people", Reply::text("<html>sign in</html>"));
    assert!(matches!(people(&host, None), Err(Fault::Unavailable(_))));
}

#[test]
fn the_secret_is_named_and_never_known() {
    let host = connection().answers("GET", "/v1/people", Reply::json(&json!({"items": []})));
    people(&host, None).unwrap();
    let body = String::from_utf8(host.requests()[0].body.clone()).unwrap();
    assert_eq!(body, r#"{"client_id":"me","client_secret":"{secret:client_secret}"}"#);
}
