//! What is no code: the rate limit's header, missing permissions by name, answers that are not the platform's.

use rollcall_sdk::testing::Reply;
use rollcall_sdk::{Denied, Fault};
use serde_json::{Value, json};

use crate::{MEMBERS, connection, people};

fn fault(reply: Reply) -> Fault {
    let host = connection().answers("GET", MEMBERS, reply);
    people(&host, Some("od-1"), None).unwrap_err()
}

fn coded(code: Value) -> Reply {
    Reply::json(&json!({"code": code, "msg": "refused"}))
}

#[test]
fn the_rate_limits_header_says_how_long_to_wait() {
    for status in [200, 400, 429] {
        let limited = || coded(json!(99_991_400)).with_status(status);
        for (reset, wait_ms) in
            [("1", 1_000), ("17", 17_000), ("86400", 300_000), ("soon", 0), ("-1", 0)]
        {
            let reply = limited().with_header("X-Ogw-Ratelimit-Reset", reset);
            assert_eq!(fault(reply), Fault::RateLimited(wait_ms), "{reset}");
        }
        assert_eq!(fault(limited()), Fault::RateLimited(0));
    }
    let gateway = Reply::text("slow down").with_status(429).with_header("Retry-After", "3");
    assert_eq!(fault(gateway), Fault::RateLimited(3_000));
}

#[test]
fn missing_permissions_are_named() {
    let reply = Reply::json(&json!({"code": 99_991_672, "msg": "denied", "error": {
        "log_id": "x",
        "permission_violations": [
            {"type": "action_privilege_required", "subject": "contact:contact.base:readonly"},
            {"type": "action_privilege_required", "subject": "contact:user.base:readonly"},
            {"type": "action_privilege_required", "subject": "<script>"},
            {"type": "action_privilege_required"}
        ]
    }}));
    let Fault::Forbidden(advice) = fault(reply) else { panic!("not forbidden") };
    let named = "; missing: contact:contact.base:readonly, contact:user.base:readonly";
    assert!(advice.remedy.ends_with(named), "{}", advice.remedy);
    assert!(advice.remedy.contains("publish"), "{}", advice.remedy);
}

#[test]
fn the_log_id_is_told_when_it_is_one() {
    let with = |name: &str, id: &str| match fault(coded(json!(40_001)).with_header(name, id)) {
        Fault::Invalid(advice) => advice.message,
        fault => panic!("{fault:?}"),
    };
    assert!(with("X-Tt-Logid", "20260101ABC").contains("(log id 20260101ABC)"));
    assert!(with("X-Request-Id", "a-b").contains("(log id a-b)"));
    assert!(!with("X-Tt-Logid", "a b <c>").contains("log id"));
}

#[test]
fn of_the_platforms_words_only_known_ones_are_told() {
    let msg =
        "field validation failed: user_ids, zhangsan Li Lei li@example.com t-abc123 (page_size)";
    let reply = Reply::json(&json!({"code": 99_992_402, "msg": msg}));
    let Fault::Invalid(advice) = fault(reply) else { panic!("not invalid") };
    let told = "; it says: field validation failed user_ids page_size";
    assert!(advice.message.ends_with(told), "{}", advice.message);
}

#[test]
fn a_code_nobody_knows_is_judged_by_its_status() {
    let unknown = |status| fault(coded(json!(7_777_777)).with_status(status));
    assert!(matches!(unknown(401), Fault::Unauthorized(_)));
    assert!(matches!(unknown(403), Fault::Forbidden(_)));
    assert!(matches!(unknown(429), Fault::RateLimited(0)));
    assert!(matches!(unknown(502), Fault::Unavailable(_)));
    let Fault::Invalid(advice) = unknown(200) else { panic!("not invalid") };
    assert_eq!(advice.code, "7777777");
}

#[test]
fn a_code_written_as_a_string_is_a_code() {
    assert!(matches!(fault(coded(json!("40012"))), Fault::StaleCursor));
}

#[test]
fn a_web_page_or_half_a_document_is_no_empty_page() {
    let html = || {
        Reply::text("<html>sign in</html>").with_header("Content-Type", "text/html; charset=utf-8")
    };
    for reply in [
        html(),
        html().with_status(502),
        Reply::text(r#"{"code":0,"data":{"items":[{"user_id":"e1"#),
        Reply::text(""),
        Reply::json(&json!({"data": {"items": []}})),
        Reply::json(&json!([0])),
        coded(json!({"nested": 0})),
        coded(json!(true)),
    ] {
        let Fault::Unavailable(advice) = fault(reply) else { panic!("not unavailable") };
        assert!(advice.code.starts_with("http-"), "{}", advice.code);
        assert!(!advice.message.contains("e1"), "{}", advice.message);
    }
    let Fault::Unavailable(advice) = fault(html().with_status(502)) else {
        panic!("not unavailable")
    };
    assert!(advice.message.contains("HTTP 502 with text/html"), "{}", advice.message);
    assert!(matches!(fault(html().with_status(404)), Fault::Invalid(_)));
    assert!(matches!(fault(html().with_status(302)), Fault::Invalid(_)));
    assert!(matches!(fault(html().with_status(407)), Fault::Forbidden(_)));
}

#[test]
fn values_of_the_wrong_type_are_told_with_their_place() {
    for (data, place) in [
        (json!({"items": {"0": {}}}), "/data/items"),
        (json!({"items": [{"user_id": 7}]}), "/data/items/0/user_id"),
        (json!({"items": [], "has_more": "yes"}), "/data/has_more"),
        (json!({"items": [], "has_more": true, "page_token": 7}), "/data/page_token"),
    ] {
        let Fault::Invalid(advice) = fault(crate::ok(data)) else { panic!("not invalid: {place}") };
        assert!(advice.message.contains(&format!("`{place}`")), "{}", advice.message);
        assert_eq!(advice.code, "shape");
    }
}

#[test]
fn what_the_host_denies_is_told_with_what_to_do() {
    let denied = |denied: Denied| {
        let host = connection().denies("GET", MEMBERS, denied);
        people(&host, Some("od-1"), None).unwrap_err()
    };
    assert!(matches!(denied(Denied::Network("reset".into())), Fault::Unavailable(_)));
    assert!(matches!(denied(Denied::Deadline), Fault::Unavailable(_)));
    assert!(matches!(denied(Denied::TooLarge(1)), Fault::Invalid(_)));
    assert!(matches!(denied(Denied::Invalid("url".into())), Fault::Invalid(_)));
    let Fault::Forbidden(advice) = denied(Denied::NotGranted("open.feishu.cn".into())) else {
        panic!("not forbidden");
    };
    assert!(advice.remedy.contains("grant `open.feishu.cn`"), "{}", advice.remedy);
    let Fault::Unauthorized(advice) = denied(Denied::NoSecret("app_secret".into())) else {
        panic!("not unauthorized");
    };
    assert!(advice.remedy.contains("`app_secret`"), "{}", advice.remedy);
}
