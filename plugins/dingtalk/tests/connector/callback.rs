//! Deliveries over HTTP and over the long connection, against vectors that the platform published.

use rollcall_dingtalk::DingTalk;
use rollcall_sdk::testing::Scripted;
use rollcall_sdk::{Answer, Callback, Delivery, EVENT, Fault, Hint, Kind, Refused};
use serde_json::{Value, json};

use crate::MANIFEST;

/// Vector 2 of the DingTalk fact sheet, section 5.6: its key has bits in the last character that no byte needs.
const TIME: &str = "1445827045067";
const NONCE: &str = "nEXhMP4r";
const SIGNATURE: &str = "5a65ceeef9aab2d149439f82dc191dd6c5cbe2c0";
const SEALED: &str = "1a3NBxmCFwkCJvfoQ7WhJHB+iX3qHPsc9JbaDznE1i03peOk1LaOQoRz3+nlyGNhwmwJ3vDMG+OzrHMeiZI7gTRWVdUBmfxjZ8Ej23JVYa9VrYeJ5as7XM/ZpulX8NEQis44w53h1qAgnC3PRzM7Zc/D6Ibr0rgUathB6zRHP8PYrfgnNOS9PhSBdHlegK+AGGanfwjXuQ9+0pZcy0w9lQ==";

fn host(owner: &str) -> Scripted {
    let host = Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("client_id", owner)
        .with_secret_text("callback_token", "123456")
        .with_secret_text("callback_aes_key", "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij");
    host.at(1_445_827_046_000);
    host
}

fn suite() -> Scripted {
    host("suite4xxxxxxxxxxxxxxx")
}

fn delivery(signature: &str, nonce: &str, sealed: &str) -> Delivery {
    Delivery {
        method: "POST".to_owned(),
        query: format!("signature={signature}&timestamp={TIME}&nonce={nonce}"),
        headers: Vec::new(),
        body: json!({"encrypt": sealed}).to_string().into_bytes(),
    }
}

fn receive(host: &Scripted, delivery: &Delivery) -> Result<Answer, Refused> {
    <DingTalk as Callback<_>>::receive(host, delivery)
}

/// Sends what the connector itself encrypted back to it, as the platform's own packet with another word.
fn sent_back(host: &Scripted, answer: &Answer) -> Result<Answer, Refused> {
    let body: Value = serde_json::from_slice(&answer.body).unwrap();
    let text = |name: &str| body[name].as_str().unwrap().to_owned();
    let query = format!(
        "msg_signature={}&timeStamp={}&nonce={}",
        text("msg_signature"),
        text("timeStamp"),
        text("nonce")
    );
    let body = json!({"encrypt": text("encrypt")}).to_string().into_bytes();
    receive(host, &Delivery { method: "POST".to_owned(), query, headers: Vec::new(), body })
}

#[test]
fn the_published_packet_opens_and_the_check_of_the_address_is_answered_with_success() {
    let host = suite();
    let answer = receive(&host, &delivery(SIGNATURE, NONCE, SEALED)).unwrap();
    assert_eq!((answer.status, &answer.event, &answer.event_id), (200, &None, &None));
    let word = sent_back(&host, &answer).unwrap();
    assert_eq!(word.event.as_deref(), Some(b"success".as_slice()), "in the other spelling too");
}

#[test]
fn what_is_forged_stale_cut_off_or_for_others_is_refused_by_name() {
    let refused = |host: &Scripted, delivery: &Delivery| receive(host, delivery).unwrap_err();
    let forged = |refused: Refused| matches!(refused, Refused::Forged(_));
    let broken = |refused: Refused| matches!(refused, Refused::Broken(_));
    assert!(forged(refused(&suite(), &delivery(SIGNATURE, "xxxxx", SEALED))));
    assert!(forged(refused(&suite(), &delivery("", NONCE, SEALED))));
    assert!(forged(refused(&suite(), &delivery(SIGNATURE, NONCE, &SEALED[4..]))));
    let Refused::Forged(advice) = refused(&host("dingother"), &delivery(SIGNATURE, NONCE, SEALED))
    else {
        panic!("not forged")
    };
    assert!(advice.message.contains("suite4xxxxxxxxxxxxxxx"), "{}", advice.message);
    let host = suite();
    host.at(1_445_827_045_067 + 3_600_001);
    assert!(matches!(refused(&host, &delivery(SIGNATURE, NONCE, SEALED)), Refused::Stale(_)));
    let unsigned = Delivery { query: String::new(), ..delivery(SIGNATURE, NONCE, SEALED) };
    assert!(broken(refused(&suite(), &unsigned)));
    for body in ["", "[]", "{}", r#"{"encrypt":7}"#] {
        let delivery = Delivery { body: body.into(), ..delivery(SIGNATURE, NONCE, SEALED) };
        assert!(broken(refused(&suite(), &delivery)), "{body}");
    }
}

#[test]
fn without_both_secrets_nothing_is_taken() {
    let host = Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("client_id", "suite4xxxxxxxxxxxxxxx")
        .with_secret_text("callback_token", "123456");
    let refused = receive(&host, &delivery(SIGNATURE, NONCE, SEALED)).unwrap_err();
    assert!(matches!(refused, Refused::Unready(_)));
}

#[test]
fn another_owner_can_be_set() {
    let host = host("dingapp").with_setting("callback_owner", "suite4xxxxxxxxxxxxxxx");
    assert!(receive(&host, &delivery(SIGNATURE, NONCE, SEALED)).is_ok());
}

#[test]
fn the_long_connection_is_taken_at_its_word_with_what_its_frame_says() {
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let delivery = Delivery {
        method: EVENT.to_owned(),
        query: String::new(),
        headers: vec![header("eventtype", "user_add_org"), header("eventid", "e-1")],
        body: br#"{"timeStamp":"1685501863357","userId":["u1"]}"#.to_vec(),
    };
    let answer = receive(&suite(), &delivery).unwrap();
    assert_eq!(answer.event_id.as_deref(), Some("e-1"));
    assert_eq!(String::from_utf8(answer.body).unwrap(), r#"{"status":"SUCCESS"}"#);
    assert_eq!(hints(&answer.event.unwrap()), [hint(Kind::Employee, "u1", false)]);
}

fn hint(kind: Kind, id: &str, gone: bool) -> Hint {
    Hint { kind, id: id.to_owned(), gone }
}

fn hints(event: &[u8]) -> Vec<Hint> {
    <DingTalk as Callback<Scripted>>::hints(&suite(), event).unwrap()
}

#[test]
fn events_point_at_whom_they_are_about_whatever_the_case_of_their_names() {
    let of = |event: Value| hints(event.to_string().as_bytes());
    assert_eq!(
        of(json!({"EventType": "user_leave_org", "userId": ["u1", "u1"]})),
        [hint(Kind::Employee, "u1", true)]
    );
    assert_eq!(
        of(json!({"EventType": "user_modify_org", "UserId": "u1"})),
        [hint(Kind::Employee, "u1", false)]
    );
    assert_eq!(
        of(json!({"EventType": "org_dept_remove", "deptId": [7]})),
        [hint(Kind::Department, "7", true)]
    );
    assert_eq!(
        of(json!({"EventType": "attendance_check_record", "DataList": [{"userId": "u2"}]})),
        [hint(Kind::CheckIn, "u2", false), hint(Kind::AttendanceDay, "u2", false)]
    );
    assert_eq!(
        of(json!({"EventType": "attendance_schedule_change", "dataList": [{"userIds": ["u3"]}]})),
        [hint(Kind::AttendanceDay, "u3", false)]
    );
    assert_eq!(of(json!({"EventType": "label_user_change"})), []);
}

#[test]
fn an_event_that_does_not_say_whom_it_is_about_is_a_fault_and_everything_is_read() {
    for event in [
        r#"{"EventType":"user_add_org"}"#,
        r#"{"EventType":"attendance_check_record","dataList":[]}"#,
        r#"{"userId":["u1"]}"#,
        "success",
    ] {
        let found = <DingTalk as Callback<Scripted>>::hints(&suite(), event.as_bytes());
        assert!(matches!(found, Err(Fault::Invalid(_))), "{event}");
    }
}
