//! What is taken of what is pushed, and where events point (fact sheet, section 5).

use rollcall_feishu::Feishu;
use rollcall_sdk::testing::Scripted;
use rollcall_sdk::{
    Answer, Callback, Cbc, Delivery, DigestAlgorithm, Fault, Hint, Host as _, KeyForm, Kind,
    Padding, Part, Refused,
};
use serde_json::{Value, json};

use crate::bare;

const NOW_MS: i64 = 1_767_229_260_000;
const SECONDS: &str = "1767229250";

/// With both secrets, at a fixed time.
fn host() -> Scripted {
    tokened(keyed(bare()))
}

fn keyed(host: Scripted) -> Scripted {
    let host = host.with_secret_text("encrypt_key", "example key");
    host.at(NOW_MS);
    host
}

fn tokened(host: Scripted) -> Scripted {
    let host = host.with_secret_text("verification_token", "vt");
    host.at(NOW_MS);
    host
}

fn event(event_type: &str, event: Value) -> Value {
    json!({
        "schema": "2.0",
        "header": {
            "event_id": "ev-1", "event_type": event_type, "create_time": "1767229200000",
            "token": "vt", "app_id": "cli_example0001", "tenant_key": "t1",
        },
        "event": event,
    })
}

fn punch() -> Value {
    event("attendance.user_flow.created_v1", json!({"employee_id": "e1", "record_id": "1"}))
}

fn plain(body: &Value) -> Delivery {
    let (method, query) = ("POST".to_owned(), String::new());
    Delivery { method, query, headers: Vec::new(), body: body.to_string().into_bytes() }
}

fn sealed(host: &Scripted, body: &[u8]) -> Delivery {
    use base64::Engine as _;
    let iv = [3; 16];
    let (secret, form, padding) = ("encrypt_key", KeyForm::Sha256OfText, Padding::Pkcs7To16);
    let data = host.encrypt_cbc(&Cbc { secret, form, padding, iv: &iv }, body).unwrap();
    let text = base64::engine::general_purpose::STANDARD.encode([&iv[..], &data].concat());
    plain(&json!({ "encrypt": text }))
}

fn signed(host: &Scripted, mut delivery: Delivery, time: &str) -> Delivery {
    let parts = [
        Part::Bytes(time.as_bytes()),
        Part::Bytes(b"nonce"),
        Part::Secret("encrypt_key"),
        Part::Bytes(&delivery.body),
    ];
    let digest = host.digest(DigestAlgorithm::Sha256, &parts, false).unwrap();
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap();
    let signature: String =
        digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
    let header = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    delivery.headers = vec![
        header("x-lark-request-timestamp", time),
        header("x-lark-request-nonce", "nonce"),
        header("x-lark-signature", &signature),
    ];
    delivery
}

fn receive(host: &Scripted, delivery: &Delivery) -> Result<Answer, Refused> {
    Feishu::receive(host, delivery)
}

/// Why a delivery was refused: the variant, and what was told.
fn why(refused: Result<Answer, Refused>) -> (&'static str, String) {
    match refused.unwrap_err() {
        Refused::Forged(advice) => ("forged", advice.message),
        Refused::Stale(advice) => ("stale", advice.message),
        Refused::Broken(advice) => ("broken", advice.message),
        Refused::Unready(advice) => ("unready", advice.message),
    }
}

fn hints(event: &Value) -> Result<Vec<(Kind, String, bool)>, Fault> {
    let hints = Feishu::hints(&bare(), event.to_string().as_bytes())?;
    Ok(hints.into_iter().map(|Hint { kind, id, gone }| (kind, id, gone)).collect())
}

#[test]
fn an_encrypted_and_signed_event_is_taken_as_it_was_before_encryption() {
    let host = host();
    let body = punch().to_string().into_bytes();
    let answer = receive(&host, &signed(&host, sealed(&host, &body), SECONDS)).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, b"{}".as_slice()));
    assert_eq!(answer.event_id.as_deref(), Some("ev-1"));
    assert_eq!(answer.event.as_deref(), Some(body.as_slice()));
}

#[test]
fn the_address_is_tried_in_the_clear_or_encrypted_without_a_signature() {
    let challenge = json!({"challenge": "c-1", "token": "vt", "type": "url_verification"});
    let host_with_key = host();
    let encrypted = sealed(&host_with_key, challenge.to_string().as_bytes());
    let in_the_clear = plain(&challenge);
    for (host, delivery) in [(host(), encrypted), (tokened(bare()), in_the_clear)] {
        let answer = receive(&host, &delivery).unwrap();
        assert_eq!(
            serde_json::from_slice::<Value>(&answer.body).unwrap(),
            json!({"challenge": "c-1"})
        );
        assert_eq!((answer.event, answer.content_type.as_str()), (None, "application/json"));
    }
    let other = json!({"challenge": "c-1", "token": "other", "type": "url_verification"});
    assert_eq!(why(receive(&tokened(bare()), &plain(&other))).0, "forged");
}

#[test]
fn the_first_version_of_events_is_taken_by_its_own_id() {
    let old = json!({
        "ts": "1767229200.123", "uuid": "u-1", "token": "vt", "type": "event_callback",
        "event": {"type": "user_add", "app_id": "cli_example0001", "employee_id": "e1"},
    });
    let answer = receive(&tokened(bare()), &plain(&old)).unwrap();
    assert_eq!(answer.event_id.as_deref(), Some("u-1"));
    assert_eq!(hints(&old).unwrap(), [(Kind::Employee, "e1".to_owned(), false)]);
}

#[test]
fn a_forged_delivery_is_refused_whatever_is_wrong_with_it() {
    let host = host();
    let body = punch().to_string();
    let good = || signed(&host, sealed(&host, body.as_bytes()), SECONDS);
    let mut touched = good();
    touched.body.push(b' ');
    let mut later = good();
    later.headers[0].1 = "1767229251".to_owned();
    let mut bare_time = good();
    bare_time.headers.remove(0);
    let foreign_key = tokened(bare().with_secret_text("encrypt_key", "another key"));
    let mut foreign = punch();
    foreign["header"]["app_id"] = json!("cli_other");
    let mut without_token = punch();
    without_token["header"]["token"] = json!("");
    let inside =
        |event: &Value| signed(&host, sealed(&host, event.to_string().as_bytes()), SECONDS);
    for (delivery, told) in [
        (touched, "does not fit"),
        (later, "does not fit"),
        (bare_time, "without a time"),
        (sealed(&host, body.as_bytes()), "no signature"),
        (plain(&punch()), "not encrypted"),
        (signed(&host, plain(&punch()), SECONDS), "not encrypted"),
        (signed(&host, sealed(&foreign_key, body.as_bytes()), SECONDS), "does not decrypt"),
        (inside(&foreign), "another app"),
        (inside(&without_token), "`verification_token`"),
    ] {
        let (kind, message) = why(receive(&host, &delivery));
        assert_eq!(kind, "forged", "{told}");
        assert!(message.contains(told), "{message} | {told}");
    }
}

#[test]
fn every_cut_of_a_delivery_is_refused() {
    let host = host();
    let whole = sealed(&host, punch().to_string().as_bytes());
    for cut in 0..whole.body.len() {
        let delivery = Delivery { body: whole.body[..cut].to_vec(), ..whole.clone() };
        let resigned = signed(&host, delivery.clone(), SECONDS);
        assert_eq!(why(receive(&host, &delivery)).0, "broken", "cut at {cut}");
        assert_eq!(why(receive(&host, &resigned)).0, "broken", "cut at {cut}, signed");
    }
    for body in [json!({"encrypt": "%%"}), json!({"encrypt": "QUJD"}), json!({"encrypt": ""})] {
        assert_eq!(why(receive(&host, &plain(&body))).0, "broken", "{body}");
    }
}

#[test]
fn what_was_signed_at_another_time_is_stale_and_a_repetition_is_not() {
    let host = host();
    let at = |time: &str| {
        receive(&host, &signed(&host, sealed(&host, punch().to_string().as_bytes()), time))
    };
    let seven_hours_ago = (NOW_MS / 1000 - 7 * 3600).to_string();
    assert!(at(&seven_hours_ago).is_ok(), "the platform repeats for 7.1 hours");
    assert!(at("2026-01-01 01:00:00 +0000 UTC").is_ok(), "not every time is digits");
    assert_eq!(why(at(&(NOW_MS / 1000 - 9 * 3600).to_string())).0, "stale");
    assert_eq!(why(at(&(NOW_MS / 1000 + 600).to_string())).0, "stale");
    assert_eq!(why(at(&(NOW_MS - 9 * 3_600_000).to_string())).0, "stale");
    let mut old = punch();
    old["header"]["create_time"] = json!((NOW_MS - 25 * 3_600_000).to_string());
    assert_eq!(why(receive(&tokened(bare()), &plain(&old))).0, "stale", "unsigned events too");
}

#[test]
fn without_its_secrets_nothing_is_verified_and_so_nothing_taken() {
    let (kind, told) = why(receive(&bare(), &plain(&punch())));
    assert_eq!(kind, "unready");
    assert!(told.contains("`encrypt_key`") && told.contains("`verification_token`"), "{told}");
    let encrypted = sealed(&host(), punch().to_string().as_bytes());
    assert_eq!(why(receive(&tokened(bare()), &encrypted)).0, "unready");
    assert!(receive(&tokened(bare()), &plain(&punch())).is_ok());
    let only_keyed = keyed(bare());
    let body = punch().to_string();
    let delivery = signed(&only_keyed, sealed(&only_keyed, body.as_bytes()), SECONDS);
    assert!(receive(&only_keyed, &delivery).is_ok());
}

#[test]
fn an_authentic_event_that_cannot_be_read_is_handed_over_and_gives_no_hints() {
    let host = host();
    let answer = receive(&host, &signed(&host, sealed(&host, b"half an ev"), SECONDS)).unwrap();
    assert_eq!((answer.event_id, answer.event.as_deref()), (None, Some(b"half an ev".as_slice())));
    assert!(matches!(Feishu::hints(&host, b"half an ev"), Err(Fault::Invalid(_))));
}

#[test]
fn what_comes_over_an_authenticated_channel_is_taken_as_it_is() {
    let delivery = Delivery { method: "EVENT".to_owned(), ..plain(&punch()) };
    let answer = receive(&bare(), &delivery).unwrap();
    assert_eq!((answer.event_id.as_deref(), answer.event), (Some("ev-1"), Some(delivery.body)));
}

#[test]
fn events_point_at_people_departments_and_days() {
    let one = |kind, id: &str, gone| vec![(kind, id.to_owned(), gone)];
    let user = json!({"object": {"open_id": "ou_1", "union_id": "on_1", "user_id": "e1"}});
    let of = |name: &str, body: &Value| hints(&event(name, body.clone())).unwrap();
    assert_eq!(of("contact.user.created_v3", &user), one(Kind::Employee, "e1", false));
    assert_eq!(of("contact.user.updated_v3", &user), one(Kind::Employee, "e1", false));
    assert_eq!(of("contact.user.deleted_v3", &user), one(Kind::Employee, "e1", true));
    let unit = json!({"object": {"open_department_id": "od-1", "department_id": "RAD"}});
    assert_eq!(of("contact.department.created_v3", &unit), one(Kind::Department, "od-1", false));
    assert_eq!(of("contact.department.deleted_v3", &unit), one(Kind::Department, "od-1", true));
    let day = [one(Kind::CheckIn, "e1", false), one(Kind::AttendanceDay, "e1", false)].concat();
    assert_eq!(hints(&punch()).unwrap(), day);
    assert_eq!(of("attendance.user_task.updated_v1", &json!({"employee_id": "e1"})), day);
    assert_eq!(of("im.message.receive_v1", &json!({})), []);
    let range = event("contact.scope.updated_v3", json!({}));
    assert_eq!(hints(&range), Err(Fault::StaleCursor), "only a listing tells who is in range");
}

#[test]
fn hints_bear_the_ids_that_records_are_listed_by() {
    let host = bare()
        .with_setting("user_id_type", "open_id")
        .with_setting("department_id_type", "department_id");
    let hints = |body: Value| Feishu::hints(&host, body.to_string().as_bytes()).unwrap();
    let user = json!({"object": {"open_id": "ou_1", "user_id": "e1"}});
    assert_eq!(hints(event("contact.user.updated_v3", user))[0].id, "ou_1");
    let unit = json!({"object": {"open_department_id": "od-1", "department_id": "RAD"}});
    assert_eq!(hints(event("contact.department.updated_v3", unit))[0].id, "RAD");
    assert_eq!(hints(punch()), [], "attendance is read by user id alone");
}

#[test]
fn an_event_without_the_id_names_the_missing_permission() {
    let user = json!({"object": {"open_id": "ou_1", "user_id": ""}});
    let Err(Fault::Forbidden(advice)) = hints(&event("contact.user.updated_v3", user)) else {
        panic!("no fault");
    };
    assert!(advice.remedy.contains("contact:user.employee_id:readonly"), "{}", advice.remedy);
}
