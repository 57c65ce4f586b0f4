//! The token: kept, given up in time, replaced once when it is refused.

use rollcall_sdk::Fault;
use rollcall_sdk::testing::Reply;
use serde_json::json;

use crate::{SCOPES, TOKEN, bare, body, connection, departments, range, refusal, token, wrapped};

fn nothing() -> Reply {
    range(&[], &[])
}

#[test]
fn the_secret_is_named_only_in_the_body_of_the_request_for_a_token() {
    let host = connection().answers("GET", SCOPES, nothing());
    departments(&host, None).unwrap();
    assert_eq!(
        body(&host, 1),
        json!({"appKey": "dingexample0001", "appSecret": "{secret:client_secret}"})
    );
    let requests = host.requests();
    assert_eq!(requests[0].url, "https://api.dingtalk.com/v1.0/oauth2/accessToken");
    assert_eq!(requests[1].url, "https://oapi.dingtalk.com/auth/scopes?access_token=t1");
}

#[test]
fn a_token_is_used_until_ten_minutes_before_its_end() {
    let host = connection();
    for _ in 0..2 {
        host.then("GET", SCOPES, Ok(nothing()));
        departments(&host, None).unwrap();
        host.at(6_599_000);
    }
    host.at(6_600_000);
    host.then("POST", TOKEN, Ok(token("t2", 7200)));
    host.then("GET", SCOPES, Ok(nothing()));
    departments(&host, None).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn a_refused_token_is_replaced_and_the_call_repeated_once_in_every_envelope() {
    for refused in [refusal(40_014), wrapped(40_014, "no"), refusal(42_001), wrapped(40_001, "no")]
    {
        let host = connection()
            .answers("GET", SCOPES, refused.clone())
            .answers("POST", TOKEN, token("t2", 7200))
            .answers("GET", SCOPES, nothing());
        departments(&host, None).unwrap();
        assert!(host.requests()[3].url.ends_with("access_token=t2"));
        let host = connection()
            .answers("GET", SCOPES, refused.clone())
            .answers("POST", TOKEN, token("t2", 7200))
            .answers("GET", SCOPES, refused);
        assert!(matches!(departments(&host, None), Err(Fault::Unauthorized(_))));
        assert_eq!((host.requests().len(), host.left()), (4, 0));
    }
}

#[test]
fn wrong_credentials_are_told_in_the_platforms_words() {
    let reply = Reply::json(&json!({"code": "invalidClientIdOrSecret", "message": "no"}));
    let host = bare().answers("POST", TOKEN, reply.with_status(400));
    let Err(Fault::Unauthorized(advice)) = departments(&host, None) else { panic!("no fault") };
    assert_eq!(advice.code, "invalidClientIdOrSecret");
    assert!(advice.remedy.contains("`client_secret`"), "{}", advice.remedy);
}

#[test]
fn an_answer_without_a_usable_token_is_a_fault() {
    for answer in [
        json!({"expireIn": 7200}),
        json!({"accessToken": 7}),
        json!({"accessToken": ""}),
        json!({"accessToken": "a&b=c"}),
        json!({"accessToken": "{secret:client_secret}"}),
        json!([]),
    ] {
        let host = bare().answers("POST", TOKEN, Reply::json(&answer));
        assert!(departments(&host, None).is_err(), "{answer}");
        assert_eq!(host.requests().len(), 1);
    }
}
