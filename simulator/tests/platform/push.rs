//! Events go to the address that was entered, once it has passed, and again until they are acknowledged.

use std::time::Duration;

use serde_json::{Value, json};
use simulator::{CallbackError, CallbackKeys, Churn, Simulator};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};

const HIRE: Churn =
    Churn { hires: 1, leavers: 0, moves: 0, titles: 0, late_punches: 0, reorganise: false };

fn keys() -> CallbackKeys {
    CallbackKeys { token: "vt".to_owned(), key: None }
}

async fn hiring() -> Simulator {
    let repeats = [Duration::ZERO; 4];
    let builder = Simulator::builder().people(20).days(1).churn(HIRE).push_repeats(repeats);
    builder.events_as("vt", "t1").start("127.0.0.1:0").await.unwrap()
}

/// The body of the next request and the connection that waits for its answer.
async fn request(listener: &TcpListener) -> (Value, TcpStream) {
    let (mut stream, _) = listener.accept().await.unwrap();
    let mut bytes = Vec::new();
    loop {
        stream.read_buf(&mut bytes).await.unwrap();
        let text = String::from_utf8_lossy(&bytes);
        let Some((head, body)) = text.split_once("\r\n\r\n") else { continue };
        let length = head.lines().find_map(|line| line.strip_prefix("content-length: ")).unwrap();
        if body.len() == length.parse::<usize>().unwrap() {
            return (serde_json::from_str(body).unwrap(), stream);
        }
    }
}

async fn answer(mut stream: TcpStream, status: u16, body: &Value) {
    let body = body.to_string();
    let head = format!("HTTP/1.1 {status} -\r\ncontent-length: {}\r\n\r\n", body.len());
    stream.write_all((head + &body).as_bytes()).await.unwrap();
}

/// Lets the address pass its trial.
async fn pass(listener: &TcpListener) {
    let (trial, stream) = request(listener).await;
    assert_eq!((&trial["type"], &trial["token"]), (&json!("url_verification"), &json!("vt")));
    answer(stream, 200, &json!({"challenge": trial["challenge"]})).await;
}

#[tokio::test]
async fn an_event_comes_again_until_it_is_acknowledged() {
    let sim = hiring().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a", listener.local_addr().unwrap());
    let (entered, ()) = tokio::join!(sim.set_callback(&url, keys()), pass(&listener));
    entered.unwrap();
    sim.step(1);
    let (first, stream) = request(&listener).await;
    assert_eq!(first["header"]["event_type"], "contact.user.created_v3");
    answer(stream, 500, &json!({})).await;
    // A connection that ends without an answer acknowledges nothing either.
    drop(request(&listener).await);
    let (third, stream) = request(&listener).await;
    assert_eq!(third, first, "it is the same event");
    answer(stream, 200, &json!({})).await;
    while sim.pushes().waiting > 0 {
        tokio::task::yield_now().await;
    }
    assert_eq!((sim.pushes().acknowledged, sim.pushes().sent), (1, 3));
}

#[tokio::test]
async fn an_address_that_does_not_pass_gets_nothing() {
    let sim = hiring().await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/a", listener.local_addr().unwrap());
    let wrong = async {
        let (_, stream) = request(&listener).await;
        answer(stream, 200, &json!({"challenge": "another"})).await;
    };
    let (entered, ()) = tokio::join!(sim.set_callback(&url, keys()), wrong);
    assert!(matches!(entered, Err(CallbackError::Wrong { status: 200, .. })), "{entered:?}");
    sim.step(1);
    assert_eq!(sim.pushes().sent, 0);
    drop(listener);
    let silent = sim.set_callback(&url, keys()).await;
    assert!(matches!(silent, Err(CallbackError::Silent { .. })), "{silent:?}");
    let nowhere = sim.set_callback("ftp://a", keys()).await;
    assert!(matches!(nowhere, Err(CallbackError::Url { .. })), "{nowhere:?}");
}
