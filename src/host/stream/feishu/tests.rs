use super::super::frame::Header;
use super::*;

fn feishu() -> Feishu {
    Feishu {
        base: "https://open.example.com".into(),
        app_id: "cli_1".into(),
        app_secret: "app_secret".into(),
    }
}

fn invited(body: &str) -> Result<Invitation, StreamError> {
    feishu().invitation(200, body.as_bytes())
}

const URL: &str = "wss://ws.example.com/ws/v2?device_id=1&service_id=33&access_key=k&ticket=t";

fn talk() -> Box<dyn Dialogue> {
    let body =
        format!(r#"{{"code":0,"data":{{"URL":"{URL}","ClientConfig":{{"PingInterval":90}}}}}}"#);
    let feishu = feishu();
    feishu.dialogue(&feishu.invitation(200, body.as_bytes()).unwrap())
}

fn frame(headers: &[(&str, &str)], payload: &[u8]) -> Frame {
    let header = |&(key, value): &(&str, &str)| Header { key: key.into(), value: value.into() };
    Frame {
        seq_id: 5,
        log_id: 6,
        service: 33,
        method: DATA,
        headers: headers.iter().map(header).collect(),
        payload: payload.to_vec(),
        log_id_new: Some("trace".into()),
        ..Frame::default()
    }
}

fn sent(frame: &Frame) -> Message {
    Message::Binary(frame.encode_to_vec().into())
}

fn read(message: &Message) -> Frame {
    let Message::Binary(bytes) = message else { panic!("{message:?}") };
    Frame::decode(bytes.clone()).unwrap()
}

fn heard(talk: &mut dyn Dialogue, frame: &Frame) -> Heard {
    talk.heard(sent(frame), Instant::now()).unwrap()
}

#[test]
fn the_app_asks_with_a_placeholder_for_its_secret() {
    let request = feishu().ask();
    assert_eq!(request.url, "https://open.example.com/callback/ws/endpoint");
    let body: serde_json::Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body, json!({"AppID": "cli_1", "AppSecret": "{secret:app_secret}"}));
}

#[test]
fn an_invitation_says_where_and_how() {
    let config =
        r#"{"ReconnectCount":-1,"ReconnectInterval":120,"ReconnectNonce":30,"PingInterval":90}"#;
    let found =
        invited(&format!(r#"{{"code":0,"data":{{"URL":"{URL}","ClientConfig":{config}}}}}"#))
            .unwrap();
    assert_eq!(found.url.as_str(), URL);
    assert_eq!(found.ping_every, Duration::from_secs(90));
    assert_eq!(found.spread, Duration::from_secs(30));
    let bare = invited(&format!(r#"{{"code":0,"data":{{"URL":"{URL}"}}}}"#)).unwrap();
    assert_eq!((bare.ping_every, bare.spread), (PING_EVERY, Duration::ZERO));
    let wild = r#"{"PingInterval":-3,"ReconnectNonce":999999}"#;
    let wild = invited(&format!(r#"{{"code":0,"data":{{"URL":"{URL}","ClientConfig":{wild}}}}}"#));
    assert_eq!(wild.unwrap().spread, SPREAD_MOST);
}

#[test]
fn a_refusal_says_who_must_do_what() {
    let refused = |code: i64| invited(&format!(r#"{{"code":{code},"msg":"no"}}"#)).unwrap_err();
    for code in [BUSY, INTERNAL] {
        assert!(!refused(code).needs_people(), "{code}");
    }
    for code in [403, UNAUTHORISED, TOO_MANY, 10_003] {
        assert!(refused(code).needs_people(), "{code}");
    }
    assert!(refused(TOO_MANY).to_string().contains("stop other clients"));
    assert!(refused(UNAUTHORISED).to_string().contains("`app_id`"));
    for (status, body) in [(200, "<html>"), (200, "{}"), (200, r#"{"code":0}"#), (502, "<html>")] {
        let error = feishu().invitation(status, body.as_bytes()).unwrap_err();
        assert!(!error.needs_people(), "{status} {body}");
    }
}

#[test]
fn a_refused_handshake_is_read_from_its_headers() {
    let told = |pairs: &[(&'static str, &str)]| {
        let mut headers = HeaderMap::new();
        for (name, value) in pairs {
            headers.insert(*name, value.parse().unwrap());
        }
        feishu().turned_away(400, &headers)
    };
    assert!(!told(&[]).needs_people());
    let limit = told(&[
        ("handshake-status", "514"),
        ("handshake-msg", "too many"),
        ("handshake-autherrcode", "1000040350"),
    ]);
    assert!(limit.to_string().contains("too many") && limit.to_string().contains("stop other"));
    assert!(told(&[("handshake-status", "403"), ("handshake-msg", "no")]).needs_people());
    assert!(!told(&[("handshake-status", "500"), ("handshake-msg", "oops")]).needs_people());
}

#[test]
fn an_event_is_delivered_as_sent_and_acknowledged_with_its_own_frame() {
    let headers =
        [("type", "event"), ("message_id", "m1"), ("sum", "1"), ("seq", "0"), ("Trace_ID", "t")];
    let body = br#"{"schema":"2.0"}"#;
    let frame = frame(&headers, body);
    let Heard::Event(event) = heard(talk().as_mut(), &frame) else { panic!("no event") };
    assert_eq!(event.delivery.method, "EVENT");
    assert_eq!(event.delivery.body, body);
    let header = |name: &str| {
        event.delivery.headers.iter().find(|(n, _)| n == name).map(|(_, value)| value.as_str())
    };
    assert_eq!(header("x-rollcall-stream"), Some("feishu"));
    assert_eq!(header("message_id"), Some("m1"));
    assert_eq!(header("trace_id"), Some("t"));
    for (answer, code) in [(&event.stored, 200), (&event.again, 500)] {
        let answer = read(answer);
        let payload: serde_json::Value = serde_json::from_slice(&answer.payload).unwrap();
        assert_eq!(payload, json!({ "code": code }));
        assert_eq!(Frame { payload: body.to_vec(), ..answer }, frame);
    }
}

#[test]
fn a_fragmented_event_is_one_delivery() {
    let mut talk = talk();
    let part = |seq: &str, bytes: &[u8]| {
        frame(&[("type", "event"), ("message_id", "m"), ("sum", "2"), ("seq", seq)], bytes)
    };
    assert!(matches!(heard(talk.as_mut(), &part("1", b"cd")), Heard::Life));
    let Heard::Event(event) = heard(talk.as_mut(), &part("0", b"ab")) else { panic!("no event") };
    assert_eq!(event.delivery.body, b"abcd");
}

#[test]
fn no_platform_header_can_pose_as_ours() {
    let forged = frame(&[("type", "event"), ("X-Rollcall-Stream", "dingtalk")], b"{}");
    let Heard::Event(event) = heard(talk().as_mut(), &forged) else { panic!("no event") };
    let ours: Vec<_> =
        event.delivery.headers.iter().filter(|(n, _)| n == "x-rollcall-stream").collect();
    assert_eq!(ours, [&("x-rollcall-stream".to_owned(), "feishu".to_owned())]);
}

#[test]
fn a_pong_may_change_the_pace_of_pings() {
    let mut talk = talk();
    assert_eq!(talk.ping_every(), Duration::from_secs(90));
    assert_eq!(read(&talk.ping()), Frame::ping(33));
    let pong = |payload: &[u8]| Frame { method: CONTROL, ..frame(&[("type", "pong")], payload) };
    heard(talk.as_mut(), &pong(br#"{"PingInterval":20}"#));
    assert_eq!(talk.ping_every(), Duration::from_secs(20));
    heard(talk.as_mut(), &pong(b""));
    heard(talk.as_mut(), &pong(br#"{"PingInterval":0}"#));
    assert_eq!(talk.ping_every(), Duration::from_secs(20));
    heard(talk.as_mut(), &pong(br#"{"PingInterval":86400}"#));
    assert_eq!(talk.ping_every(), PING_EVERY);
}

#[test]
fn what_is_no_event_is_not_acknowledged() {
    let mut talk = talk();
    assert!(matches!(heard(talk.as_mut(), &frame(&[("type", "card")], b"{}")), Heard::Life));
    assert!(matches!(heard(talk.as_mut(), &frame(&[], b"{}")), Heard::Life));
    let text = talk.heard(Message::text("hello"), Instant::now()).unwrap();
    assert!(matches!(text, Heard::Life));
    let junk = talk.heard(Message::Binary(vec![0xff; 20].into()), Instant::now());
    assert_eq!(junk.unwrap_err(), StreamError::Answer { reason: "no protobuf frame" });
}
