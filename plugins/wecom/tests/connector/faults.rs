//! What is no code: answers that are not the platform's, values of the wrong type, what the host denies.

use rollcall_sdk::testing::Reply;
use rollcall_sdk::{Denied, Fault};
use serde_json::{Value, json};

use crate::{MEMBERS, connection, people};

fn fault(reply: Reply) -> Fault {
    let host = connection().answers("GET", MEMBERS, reply);
    people(&host, Some("7"), None).unwrap_err()
}

fn coded(code: Value, words: &str) -> Reply {
    Reply::json(&json!({"errcode": code, "errmsg": words}))
}

#[test]
fn a_code_nobody_knows_is_judged_by_its_status() {
    let unknown = |status| fault(coded(json!(7_777_777), "refused").with_status(status));
    assert!(matches!(unknown(401), Fault::Unauthorized(_)));
    assert!(matches!(unknown(403), Fault::Forbidden(_)));
    assert!(matches!(unknown(429), Fault::RateLimited(0)));
    assert!(matches!(unknown(502), Fault::Unavailable(_)));
    let Fault::Invalid(advice) = unknown(200) else { panic!("not invalid") };
    assert_eq!(advice.code, "7777777");
}

#[test]
fn a_code_written_as_a_string_is_a_code() {
    assert_eq!(fault(coded(json!("60003"), "")), Fault::NotFound);
}

#[test]
fn of_the_platforms_words_only_a_hint_and_an_address_are_told() {
    for words in [
        "hint: [<script>]",
        "hint: [",
        "hint: [], from ip: 10.0.0.300",
        "from ip: zhangsan, more info",
        "from ip: ",
    ] {
        let Fault::Forbidden(advice) = fault(coded(json!(60_020), words)) else {
            panic!("{words}")
        };
        assert!(!advice.message.contains("hint"), "{}", advice.message);
        assert!(!advice.remedy.contains("saw"), "{}", advice.remedy);
    }
    let Fault::Forbidden(advice) = fault(coded(json!(60_020), "x, from ip: 2001:db8::7, more"))
    else {
        panic!("not forbidden")
    };
    assert!(advice.remedy.ends_with("; the platform saw 2001:db8::7"), "{}", advice.remedy);
}

#[test]
fn a_web_page_or_half_a_document_is_no_empty_page() {
    let html = || {
        Reply::text("<html>sign in</html>").with_header("Content-Type", "text/html; charset=utf-8")
    };
    for reply in [
        html(),
        html().with_status(502),
        Reply::text(r#"{"errcode":0,"errmsg":"ok","userlist":[{"userid":"e1"#),
        Reply::text(""),
        Reply::json(&json!({"data": {"items": []}})),
        Reply::json(&json!([0])),
        coded(json!({"nested": 0}), ""),
        coded(json!(true), ""),
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
    let gateway = html().with_status(429).with_header("Retry-After", "3");
    assert_eq!(fault(gateway), Fault::RateLimited(3_000));
    assert_eq!(
        fault(html().with_status(429).with_header("Retry-After", "86400")),
        Fault::RateLimited(300_000)
    );
}

#[test]
fn a_list_of_the_wrong_type_is_told_with_its_place() {
    let reply = crate::ok(json!({"userlist": {"0": {}}}));
    let Fault::Invalid(advice) = fault(reply) else { panic!("not invalid") };
    assert!(advice.message.contains("`/userlist`"), "{}", advice.message);
    assert_eq!(advice.code, "shape");
}

#[test]
fn what_the_host_denies_is_told_with_what_to_do() {
    let denied = |denied: Denied| {
        let host = connection().denies("GET", MEMBERS, denied);
        people(&host, Some("7"), None).unwrap_err()
    };
    assert!(matches!(denied(Denied::Network("reset".into())), Fault::Unavailable(_)));
    assert!(matches!(denied(Denied::Deadline), Fault::Unavailable(_)));
    assert!(matches!(denied(Denied::Invalid("url".into())), Fault::Invalid(_)));
    let Fault::Forbidden(advice) = denied(Denied::NotGranted("qyapi.weixin.qq.com".into())) else {
        panic!("not forbidden");
    };
    assert!(advice.remedy.contains("grant `qyapi.weixin.qq.com`"), "{}", advice.remedy);
}
