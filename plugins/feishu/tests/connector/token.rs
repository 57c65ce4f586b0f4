//! The token: kept, given up in time, replaced once when it is refused.

use rollcall_sdk::Fault;
use rollcall_sdk::testing::Reply;
use serde_json::json;

use crate::{ROOT_CHILDREN, TOKEN, bare, body, connection, departments, ok, refusal, token};

const EXPIRED: i64 = 99_991_663;

fn authorization(host: &rollcall_sdk::testing::Scripted, back: usize) -> Option<String> {
    let requests = host.requests();
    let headers = &requests[requests.len() - 1 - back].headers;
    headers.iter().find(|(name, _)| name == "Authorization").map(|(_, value)| value.clone())
}

#[test]
fn the_secret_is_named_only_in_the_request_for_a_token() {
    let host = connection().answers("GET", ROOT_CHILDREN, ok(json!({})));
    departments(&host, None).unwrap();
    assert_eq!(
        body(&host, 1),
        json!({"app_id": "cli_example0001", "app_secret": "{secret:app_secret}"})
    );
    assert_eq!(authorization(&host, 1), None);
    assert_eq!(authorization(&host, 0).as_deref(), Some("Bearer t-1"));
    assert!(host.requests()[0].url.starts_with("https://open.feishu.cn/open-apis/auth/"));
}

#[test]
fn a_token_is_used_until_ten_minutes_before_its_end() {
    let host = connection();
    for _ in 0..2 {
        host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
        departments(&host, None).unwrap();
        host.at(6_599_000);
    }
    host.at(6_600_000);
    host.then("POST", TOKEN, Ok(token("t-2", 7200)));
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn the_platform_says_how_long_a_token_lives() {
    let host = bare().answers("POST", TOKEN, token("t-1", 1800));
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    host.at(1_200_000);
    host.then("POST", TOKEN, Ok(token("t-2", 7200)));
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn a_short_life_is_used_by_half() {
    let host = bare().answers("POST", TOKEN, token("t-1", 4));
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    host.at(1_999);
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    host.at(2_000);
    host.then("POST", TOKEN, Ok(token("t-2", 4)));
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn a_refused_token_is_replaced_and_the_call_repeated_whatever_the_status() {
    for code in [EXPIRED, 99_991_671, 99_991_664] {
        for status in [200, 400, 401] {
            let host = connection()
                .answers("GET", ROOT_CHILDREN, refusal(code).with_status(status))
                .answers("POST", TOKEN, token("t-2", 7200))
                .answers("GET", ROOT_CHILDREN, ok(json!({})));
            departments(&host, None).unwrap();
            assert_eq!(authorization(&host, 0).as_deref(), Some("Bearer t-2"));
            assert_eq!(host.left(), 0);
        }
    }
}

#[test]
fn a_second_refusal_ends_the_call_and_the_token() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, refusal(EXPIRED))
        .answers("POST", TOKEN, token("t-2", 7200))
        .answers("GET", ROOT_CHILDREN, refusal(EXPIRED));
    let Err(Fault::Unauthorized(advice)) = departments(&host, None) else { panic!("no fault") };
    assert_eq!(advice.code, "99991663");
    assert!(advice.remedy.contains("`app_secret`"), "{}", advice.remedy);
    assert_eq!((host.requests().len(), host.left()), (4, 0));
    host.then("POST", TOKEN, Ok(token("t-3", 7200)));
    host.then("GET", ROOT_CHILDREN, Ok(ok(json!({}))));
    departments(&host, None).unwrap();
    assert_eq!(authorization(&host, 0).as_deref(), Some("Bearer t-3"));
}

#[test]
fn a_token_that_the_platform_hands_out_again_gets_its_one_repetition_too() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, refusal(EXPIRED))
        .answers("POST", TOKEN, token("t-1", 7200))
        .answers("GET", ROOT_CHILDREN, ok(json!({})));
    departments(&host, None).unwrap();
    assert_eq!((host.requests().len(), host.left()), (4, 0));
}

#[test]
fn a_token_that_another_call_has_replaced_meanwhile_is_taken_not_dropped() {
    use rollcall_sdk::Host as _;
    let key = "tenant_access_token https://open.feishu.cn cli_example0001";
    let host = bare().answers("GET", ROOT_CHILDREN, refusal(EXPIRED)).answers(
        "GET",
        ROOT_CHILDREN,
        ok(json!({})),
    );
    host.remember(key, "t-old", 100);
    host.meanwhile_remember(key, "t-new");
    departments(&host, None).unwrap();
    assert_eq!(authorization(&host, 0).as_deref(), Some("Bearer t-new"));
    assert_eq!(host.recall(key).as_deref(), Some("t-new"));
}

#[test]
fn a_permission_granted_later_meets_a_new_token() {
    let host = connection()
        .answers("GET", ROOT_CHILDREN, refusal(99_991_672))
        .answers("POST", TOKEN, token("t-2", 7200))
        .answers("GET", ROOT_CHILDREN, ok(json!({})));
    assert!(matches!(departments(&host, None), Err(Fault::Forbidden(_))));
    departments(&host, None).unwrap();
    assert_eq!(host.left(), 0);
}

#[test]
fn an_answer_without_a_usable_token_is_a_fault() {
    let strange = [
        json!({"code": 0}),
        json!({"code": 0, "tenant_access_token": 7}),
        json!({"code": 0, "tenant_access_token": ""}),
        json!({"code": 0, "tenant_access_token": "a\r\nb"}),
        json!({"code": 0, "tenant_access_token": "{secret:app_secret}"}),
    ];
    for answer in strange {
        let host = bare().answers("POST", TOKEN, Reply::json(&answer));
        assert!(matches!(departments(&host, None), Err(Fault::Invalid(_))), "{answer}");
        assert_eq!(host.requests().len(), 1);
    }
}

#[test]
fn two_apps_do_not_share_a_token() {
    use rollcall_sdk::Host as _;
    let host = connection().answers("GET", ROOT_CHILDREN, ok(json!({})));
    departments(&host, None).unwrap();
    assert!(host.recall("tenant_access_token https://open.feishu.cn cli_example0001").is_some());
    assert!(host.recall("tenant_access_token https://open.feishu.cn cli_example0002").is_none());
}
