//! Refusals in every envelope, and answers that are none.

use rollcall_sdk::testing::Reply;
use rollcall_sdk::{Denied, Fault};
use serde_json::json;

use crate::{MEMBERS, TOKEN, bare, brief, people, refusal, token, wrapped};

fn fault(reply: Reply) -> Fault {
    people(&brief().answers("POST", MEMBERS, reply), Some("7"), None).unwrap_err()
}

#[test]
fn the_gateways_inner_code_counts_wherever_it_stands() {
    assert_eq!(fault(wrapped(90_018, "busy")), Fault::RateLimited(1_000));
    let in_words =
        json!({"errcode": 88, "sub_code": "", "errmsg": "ding talk error[subcode=90002,submsg=x]"});
    assert_eq!(fault(Reply::json(&in_words)), Fault::RateLimited(1_000));
    let bare = json!({"errcode": "90018", "errmsg": "busy"});
    assert_eq!(fault(Reply::json(&bare)), Fault::RateLimited(1_000));
    assert!(matches!(fault(refusal(88)), Fault::Invalid(_)));
}

#[test]
fn missing_permissions_are_named_and_nothing_else_of_the_words() {
    let message =
        "应用尚未开通所需的权限：[qyapi_get_department_member,Contact.User.Read]，张三 13800138000";
    let Fault::Forbidden(advice) = fault(wrapped(60_011, message)) else { panic!("not forbidden") };
    assert!(
        advice.remedy.ends_with("; missing: qyapi_get_department_member, Contact.User.Read"),
        "{}",
        advice.remedy
    );
    assert!(advice.message.contains("(request id r1)"), "{}", advice.message);
}

#[test]
fn the_address_to_be_allowed_is_told() {
    let Fault::Forbidden(advice) =
        fault(wrapped(60_020, "not allowed, request ip=203.0.113.9 corp"))
    else {
        panic!("not forbidden")
    };
    assert!(advice.remedy.ends_with(": 203.0.113.9"), "{}", advice.remedy);
}

#[test]
fn a_used_up_month_is_nothing_to_wait_for() {
    let Fault::Forbidden(advice) = fault(refusal(90_020)) else { panic!("not forbidden") };
    assert!(advice.message.contains("month") && advice.remedy.contains("edition"));
}

#[test]
fn a_blocked_address_waits_five_minutes_and_a_page_is_no_listing() {
    let punished =
        json!({"status": 1111, "wait": 5, "source": "x5", "punish": "deny", "uuid": "u"});
    assert_eq!(fault(Reply::json(&punished)), Fault::RateLimited(300_000));
    let page = Reply::text("<html>blocked</html>").with_header("Content-Type", "text/html");
    let Fault::Unavailable(advice) = fault(page) else { panic!("not unavailable") };
    assert!(advice.message.contains("text/html") && advice.remedy.contains("five minutes"));
    for half in [r#"{"errcode":0,"result":{"list":[{"#, "", "[]", "null"] {
        assert!(matches!(fault(Reply::text(half)), Fault::Unavailable(_)), "{half}");
    }
    assert!(matches!(fault(Reply::text("no").with_status(404)), Fault::Invalid(_)));
    assert!(matches!(fault(Reply::text("no").with_status(407)), Fault::Forbidden(_)));
}

#[test]
fn what_the_host_denies_says_what_to_grant_or_set() {
    let denied = |denied: Denied| {
        let host = bare()
            .with_setting("detail", "list")
            .answers("POST", TOKEN, token("t1", 7200))
            .denies("POST", MEMBERS, denied);
        people(&host, Some("7"), None).unwrap_err()
    };
    let Fault::Forbidden(advice) = denied(Denied::NotGranted("oapi.dingtalk.com".into())) else {
        panic!("not forbidden")
    };
    assert!(advice.remedy.contains("grant `oapi.dingtalk.com`"), "{}", advice.remedy);
    assert!(matches!(denied(Denied::NoSecret("client_secret".into())), Fault::Unauthorized(_)));
    assert!(matches!(denied(Denied::Deadline), Fault::Unavailable(_)));
    assert!(matches!(denied(Denied::Network("reset".into())), Fault::Unavailable(_)));
    assert!(matches!(denied(Denied::TooLarge(9)), Fault::Invalid(_)));
    assert!(matches!(denied(Denied::Invalid("x".into())), Fault::Invalid(_)));
}
