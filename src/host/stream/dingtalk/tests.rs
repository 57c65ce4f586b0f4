use super::*;

fn dingtalk() -> DingTalk {
    DingTalk {
        base: "https://api.example.com".into(),
        app_id: "ding_1".into(),
        app_secret: "app_secret".into(),
    }
}

fn heard(frame: &Value) -> Heard {
    Talk.heard(Message::text(frame.to_string()), Instant::now()).unwrap()
}

fn read(message: &Message) -> Value {
    serde_json::from_str(message.to_text().unwrap()).unwrap()
}

#[test]
fn the_app_subscribes_to_every_event_with_a_placeholder_for_its_secret() {
    let request = dingtalk().ask();
    assert_eq!(request.url, "https://api.example.com/v1.0/gateway/connections/open");
    let body: Value = serde_json::from_slice(&request.body).unwrap();
    assert_eq!(body["clientId"], "ding_1");
    assert_eq!(body["clientSecret"], "{secret:app_secret}");
    assert_eq!(body["subscriptions"], json!([{"type": "EVENT", "topic": "*"}]));
}

#[test]
fn the_ticket_is_encoded_into_the_address() {
    let body = r#"{"endpoint":"wss://ws.example.com:443/connect","ticket":"a b+/=&"}"#;
    let found = dingtalk().invitation(200, body.as_bytes()).unwrap();
    assert_eq!(found.url.as_str(), "wss://ws.example.com/connect?ticket=a+b%2B%2F%3D%26");
    assert_eq!(found.url.query_pairs().next().unwrap().1, "a b+/=&");
}

#[test]
fn a_refusal_says_who_must_do_what() {
    let refused = |status, body: &str| dingtalk().invitation(status, body.as_bytes()).unwrap_err();
    let wrong = refused(401, r#"{"code":"authFailed","message":"wrong secret"}"#);
    assert!(wrong.needs_people());
    let text = wrong.to_string();
    assert!(text.contains("authFailed wrong secret") && text.contains("Stream"), "{text}");
    for (status, body) in
        [(429, "{}"), (503, "<html>"), (200, "<html>"), (200, "{}"), (200, r#"{"ticket":"t"}"#)]
    {
        assert!(!refused(status, body).needs_people(), "{status} {body}");
    }
    assert!(!dingtalk().turned_away(401, &HeaderMap::new()).needs_people());
}

#[test]
fn an_event_is_delivered_as_sent_and_acknowledged_by_its_message() {
    for headers in ["headers", "header"] {
        let Heard::Event(event) = heard(&json!({
            "specVersion": "1.0", "type": "EVENT",
            headers: {"topic": "*", "messageId": "m1", "eventType": "user_add_org", "eventId": "e1", "n": 5},
            "data": r#"{"userId":["u1"]}"#,
        })) else {
            panic!("no event")
        };
        assert_eq!(event.delivery.method, "EVENT");
        assert_eq!(event.delivery.body, br#"{"userId":["u1"]}"#);
        for header in [
            ("x-rollcall-stream", "dingtalk"),
            ("eventid", "e1"),
            ("eventtype", "user_add_org"),
            ("n", "5"),
        ] {
            let header = (header.0.to_owned(), header.1.to_owned());
            assert!(event.delivery.headers.contains(&header), "{header:?}");
        }
        for (answer, status) in [(&event.stored, "SUCCESS"), (&event.again, "LATER")] {
            let answer = read(answer);
            assert_eq!(
                (&answer["code"], &answer["headers"]["messageId"]),
                (&json!(200), &json!("m1"))
            );
            let data: Value = serde_json::from_str(answer["data"].as_str().unwrap()).unwrap();
            assert_eq!(data["status"], status);
        }
    }
}

#[test]
fn a_ping_of_the_platform_is_echoed() {
    let data = r#"{"opaque":"0-1-2"}"#;
    let ping =
        json!({"type": "SYSTEM", "headers": {"topic": "ping", "messageId": "p"}, "data": data});
    let Heard::Reply(answer) = heard(&ping) else { panic!("no answer") };
    let answer = read(&answer);
    assert_eq!((&answer["data"], &answer["headers"]["messageId"]), (&json!(data), &json!("p")));
}

#[test]
fn what_the_platform_says_beside_events_is_understood() {
    let system =
        |topic: &str| heard(&json!({"type": "SYSTEM", "headers": {"topic": topic}, "data": "{}"}));
    assert!(matches!(system("disconnect"), Heard::Farewell));
    assert!(matches!(system("KEEPALIVE"), Heard::Life));
    assert!(matches!(heard(&json!({})), Heard::Life));
    let robot = json!({"type": "CALLBACK", "headers": {"topic": "/v1.0/im/bot/messages/get"}});
    let Heard::Reply(answer) = heard(&robot) else { panic!("no answer") };
    assert_eq!(read(&answer)["code"], 404);
    let junk = Talk.heard(Message::text("no json"), Instant::now());
    assert_eq!(junk.unwrap_err(), StreamError::Answer { reason: "no JSON frame" });
}
