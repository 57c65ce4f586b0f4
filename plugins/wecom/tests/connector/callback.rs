//! Deliveries: the platform's published samples are opened, anything else is refused, events become hints.

use rollcall_sdk::testing::Scripted;
use rollcall_sdk::{Answer, Callback, Delivery, Fault, Hint, Kind, Refused};
use rollcall_wecom::WeCom;

use crate::MANIFEST;

/// A published sample (WeCom fact sheet, section 5.5): secrets that open nothing, and what they were used for.
struct Sample {
    token: &'static str,
    key: &'static str,
    receiver: &'static str,
    signature: &'static str,
    time: i64,
    nonce: &'static str,
    sealed: &'static str,
}

/// A key with bits in its last character that no byte needs.
const A1: Sample = Sample {
    token: "QDG6eK",
    key: "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C",
    receiver: "wx5823bf96d3bd56c7",
    signature: "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd3",
    time: 1_409_659_589,
    nonce: "263014780",
    sealed: "P9nAzCzyDtyTWESHep1vC5X9xho/qYX3Zpb4yKa9SKld1DsH3Iyt3tP3zNdtp+4RPcs8TgAE7OaBO+FZXvnaqQ==",
};
/// Thirty bytes of padding, more than a block of the cipher.
const A2: Sample = Sample {
    signature: "477715d11cdb4164915debcba66cb864d751f3e6",
    time: 1_409_659_813,
    nonce: "1372623149",
    sealed: "RypEvHKD8QQKFhvQ6QleEB4J58tiPdvo+rtK1I9qca6aM/wvqnLSV5zEPeusUiX5L5X/0lWfrf0QADHHhGd3QczcdCUpj911L3vg3W/sYYvuJTs3TUUkSUXxaccAS0qhxchrRYt66wiSpGLYL42aM6A8dTT+6k4aSknmPj48kzJs8qLjvd4Xgpue06DOdnLxAUHzM6+kDZ+HMZfJYuR+LtwGc2hgf5gsijff0ekUNXZiqATP7PF5mZxZ3Izoun1s4zG4LUMnvw2r+KqCKIw+3IQH03v+BCA9nMELNqbSf6tiWSrXJB3LAVGUcallcrw8V2t9EL4EhzJWrQUax5wLVMNS0+rUPA3k22Ncx4XXZS9o0MBH27Bo6BpNelZpS+/uh9KsNlY6bHCmJU9p8g7m3fVKn28H3KDYA5Pl/T8Z1ptDAVe0lXdQ2YoyyH2uyPIGHBZZIs2pDBS8R07+qN+E7Q==",
    ..A1
};
/// A clean key; the random start is no UTF-8.
const C2: Sample = Sample {
    token: "kz7Yx62CH8SaLN",
    key: "cD0d7jx4tYvVtzqrmh3Dm3QFCXe6f8SlHoMtMh3qQEP",
    receiver: "ww6a112864f8022910",
    signature: "f265ae551b1932727204c3d707628d01376a6940",
    time: 1_583_995_625,
    nonce: "1584392382",
    sealed: "EUCt7xMcNiyASzZj0Hjc5yDjFQrCum6AfQ3ntHiUzjGQ51xieKmbvtrZ40/EcB2W/W8yH0n4Lqx48gJl/T9HD/R309I0P/r5pIZucK3lyEn48FYMr4YdE0QdL2jIJ3xkcXUr6uzefzCxG6lMvwpAJaOyVCzN7sRRw47njfxy5EIqU6R9ZBhlTzfdnhhOhK/nTwzrZX3SoGlXFA9OBeZ6ru1NWpXFk76x9DUMe0lcxPPiUqK8ctnQcYXSGUHVqC6DfG7E7mab0OmruNN8cBZY5d3dYOBA4OgaH55Q0AJmUpdT8vNiXpXx+6TxT3TIjySXpDrHVyrsb772aYywgg/Nu4kUmGkALwFZlzhjNegR7wDwb9lr4ERXsSSS8JZ8lbBmaQ3F2Tq584xoPj5rIhXAF734ynm4no1g+SdHiNqR328=",
};

fn host(sample: &Sample) -> Scripted {
    let host = Scripted::new(MANIFEST)
        .unwrap()
        .with_setting("corp_id", sample.receiver)
        .with_secret_text("callback_token", sample.token)
        .with_secret_text("callback_aes_key", sample.key);
    host.at(sample.time * 1_000);
    host
}

fn escaped(text: &str) -> String {
    text.replace('%', "%25").replace('+', "%2B").replace('/', "%2F").replace('=', "%3D")
}

fn query(sample: &Sample) -> String {
    let Sample { signature, time, nonce, .. } = sample;
    format!("msg_signature={signature}&timestamp={time}&nonce={nonce}")
}

fn echo(sample: &Sample) -> Delivery {
    let query = format!("{}&echostr={}", query(sample), escaped(sample.sealed));
    Delivery { method: "GET".to_owned(), query, headers: Vec::new(), body: Vec::new() }
}

fn push(sample: &Sample) -> Delivery {
    let body = format!(
        "<xml><ToUserName><![CDATA[{}]]></ToUserName><AgentID><![CDATA[]]></AgentID>\
         <Encrypt><![CDATA[{}]]></Encrypt></xml>",
        sample.receiver, sample.sealed
    );
    let body = body.into_bytes();
    Delivery { method: "POST".to_owned(), query: query(sample), headers: Vec::new(), body }
}

fn receive(host: &Scripted, delivery: &Delivery) -> Result<Answer, Refused> {
    <WeCom as Callback<_>>::receive(host, delivery)
}

fn hints(event: &str) -> Result<Vec<Hint>, Fault> {
    <WeCom as Callback<Scripted>>::hints(&host(&A1), event.as_bytes())
}

/// A contact event with these members.
fn change(members: &str) -> Result<Vec<Hint>, Fault> {
    hints(&format!(
        "<xml><ToUserName><![CDATA[ww]]></ToUserName><FromUserName><![CDATA[sys]]></FromUserName>\
         <CreateTime>1782090000</CreateTime><MsgType><![CDATA[event]]></MsgType>\
         <Event><![CDATA[change_contact]]></Event>{members}</xml>"
    ))
}

fn hint(kind: Kind, id: &str, gone: bool) -> Hint {
    Hint { kind, id: id.to_owned(), gone }
}

#[test]
fn the_trial_of_an_address_is_answered_with_its_text_alone() {
    let answer = receive(&host(&A1), &echo(&A1)).unwrap();
    assert_eq!((answer.status, answer.body.as_slice()), (200, &b"1616140317555161061"[..]));
    assert_eq!((answer.event, answer.event_id), (None, None));
    let bare = Delivery { query: format!("{}&echostr={}", query(&A1), A1.sealed), ..echo(&A1) };
    assert!(receive(&host(&A1), &bare).is_ok(), "base64 also comes unescaped");
}

#[test]
fn an_event_is_taken_with_an_empty_answer_and_no_id() {
    for sample in [&A2, &C2] {
        let answer = receive(&host(sample), &push(sample)).unwrap();
        assert_eq!((answer.status, answer.body.len(), answer.event_id), (200, 0, None));
        let event = String::from_utf8(answer.event.unwrap()).unwrap();
        assert!(event.starts_with("<xml><ToUserName>") && event.ends_with("</xml>"), "{event}");
        assert_eq!(hints(&event).unwrap(), [], "a message to the app is of no interest");
    }
}

#[test]
fn what_does_not_fit_the_secrets_is_forged() {
    let forged = |host: &Scripted, delivery: &Delivery| {
        matches!(receive(host, delivery), Err(Refused::Forged(_)))
    };
    let flipped = Sample { signature: "5c45ff5e21c57e6ad56bac8758b79b1d9ac89fd2", ..A1 };
    assert!(forged(&host(&A1), &echo(&flipped)));
    assert!(forged(&host(&A1), &echo(&Sample { nonce: "263014781", ..A1 })));
    assert!(forged(&host(&A1), &push(&Sample { sealed: A1.sealed, ..A2 })));
    assert!(forged(&host(&Sample { token: "QDG6eL", ..A1 }), &echo(&A1)));
    assert!(forged(&host(&Sample { receiver: "ww6a112864f8022910", ..A1 }), &echo(&A1)));
    for key in [C2.key, &A1.key[..42]] {
        assert!(forged(&host(&Sample { key, ..A1 }), &echo(&A1)), "{key}");
    }
}

#[test]
fn an_old_delivery_is_a_replay_and_one_from_the_future_too() {
    for (late, stale) in [(3_600, false), (3_601, true), (-300, false), (-301, true)] {
        let host = host(&A2);
        host.at((A2.time + late) * 1_000);
        let refused = matches!(receive(&host, &push(&A2)), Err(Refused::Stale(_)));
        assert_eq!(refused, stale, "{late}");
    }
}

#[test]
fn what_cannot_be_read_is_broken() {
    let broken =
        |delivery: Delivery| matches!(receive(&host(&A2), &delivery), Err(Refused::Broken(_)));
    assert!(broken(Delivery { query: "timestamp=1&nonce=2".to_owned(), ..push(&A2) }));
    assert!(broken(Delivery { query: query(&A1), ..echo(&A1) }), "no echostr");
    assert!(broken(Delivery { method: "PUT".to_owned(), ..push(&A2) }));
    for body in ["", "{}", "<xml></xml>", "<xml><Encrypt></Encrypt></xml>", "<xml><Encrypt>a"] {
        assert!(broken(Delivery { body: body.as_bytes().to_vec(), ..push(&A2) }), "{body}");
    }
    let mut bytes = push(&A2);
    bytes.body[3] = 0xff;
    assert!(broken(bytes));
}

#[test]
fn without_the_secrets_nothing_is_verified_and_the_page_is_named() {
    let host = Scripted::new(MANIFEST).unwrap().with_setting("corp_id", A1.receiver);
    let Err(Refused::Unready(advice)) = receive(&host, &echo(&A1)) else { panic!("ready") };
    assert!(advice.remedy.contains("接收事件服务器"), "{}", advice.remedy);
    let host = Scripted::new(MANIFEST)
        .unwrap()
        .with_secret_text("callback_token", A1.token)
        .with_secret_text("callback_aes_key", A1.key);
    assert!(matches!(receive(&host, &echo(&A1)), Err(Refused::Unready(_))));
}

#[test]
fn contact_events_point_at_people_and_departments() {
    let user = |kind: &str, more: &str| {
        change(&format!("<ChangeType>{kind}</ChangeType><UserID><![CDATA[e1]]></UserID>{more}"))
            .unwrap()
    };
    let e1 = |gone| hint(Kind::Employee, "e1", gone);
    assert_eq!(user("create_user", "<Department><![CDATA[7,12]]></Department>"), [e1(false)]);
    assert_eq!(user("update_user", ""), [e1(false)]);
    assert_eq!(user("delete_user", ""), [e1(true)]);
    let renamed = user("update_user", "<NewUserID><![CDATA[e2]]></NewUserID>");
    assert_eq!(renamed, [e1(true), hint(Kind::Employee, "e2", false)]);
    for (kind, gone) in [("create_party", false), ("update_party", false), ("delete_party", true)] {
        let members = format!("<ChangeType><![CDATA[{kind}]]></ChangeType><Id>12</Id>");
        assert_eq!(change(&members).unwrap(), [hint(Kind::Department, "12", gone)]);
    }
    assert_eq!(change("<ChangeType>update_tag</ChangeType><TagId>1</TagId>").unwrap(), []);
}

#[test]
fn the_apps_own_events_point_at_whom_they_concern() {
    let event = |members: &str| {
        hints(&format!(
            "<xml><FromUserName><![CDATA[e1]]></FromUserName><MsgType>event</MsgType>{members}</xml>"
        ))
    };
    let seen = event("<Event><![CDATA[unsubscribe]]></Event><AgentID>1000002</AgentID>").unwrap();
    assert_eq!(seen, [hint(Kind::Employee, "e1", false)]);
    let approval = |status: u8| {
        event(&format!(
            "<Event>sys_approval_change</Event><ApprovalInfo><SpStatus>{status}</SpStatus>\
             <Applyer><UserId><![CDATA[e7]]></UserId><Party>7</Party></Applyer><SpRecord><A/></SpRecord>\
             <SpRecord><A/></SpRecord></ApprovalInfo>"
        ))
        .unwrap()
    };
    assert_eq!(approval(1), []);
    for status in [2, 6] {
        let days = [Kind::CheckIn, Kind::AttendanceDay].map(|kind| hint(kind, "e7", false));
        assert_eq!(approval(status), days);
    }
    assert_eq!(event("<Event>enter_agent</Event>").unwrap(), []);
}

#[test]
fn an_event_that_says_not_whom_leads_to_reading_everything() {
    for members in [
        "<ChangeType>create_user</ChangeType>",
        "<ChangeType>delete_party</ChangeType><Id>all</Id>",
        "<ChangeType>merge_company</ChangeType>",
        "",
    ] {
        assert!(matches!(change(members), Err(Fault::Invalid(_))), "{members}");
    }
    let import = "<xml><MsgType>event</MsgType><Event>batch_job_result</Event></xml>";
    for event in [import, "", "no xml", "<xml><MsgType>event"] {
        assert!(matches!(hints(event), Err(Fault::Invalid(_))), "{event}");
    }
}
