//! Events over HTTP: how an address is tried, and what it takes for one to pass.

use std::time::Duration;

use serde_json::Value;
use simulator::{CallbackError, CallbackKeys};
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpListener;
use tokio::time::timeout;

use crate::support::{company, start};

/// Takes one delivery and answers it with a body; gives its head and body.
async fn receive(listener: &TcpListener, answer: &str) -> (String, Value) {
    let (mut stream, _) =
        timeout(Duration::from_secs(10), listener.accept()).await.unwrap().unwrap();
    let mut bytes = Vec::new();
    let (head, body) = loop {
        let mut piece = [0; 4_096];
        let read = stream.read(&mut piece).await.unwrap();
        bytes.extend_from_slice(&piece[..read]);
        let text = String::from_utf8_lossy(&bytes).into_owned();
        if let Some((head, body)) = text.split_once("\r\n\r\n")
            && let Ok(body) = serde_json::from_str(body)
        {
            break (head.to_owned(), body);
        }
        assert!(read > 0, "cut off: {text}");
    };
    let answer = format!(
        "HTTP/1.1 200 OK\r\nContent-Length: {}\r\nConnection: close\r\n\r\n{answer}",
        answer.len()
    );
    stream.write_all(answer.as_bytes()).await.unwrap();
    (head, body)
}

#[tokio::test]
async fn an_address_is_tried_sealed_and_the_plain_word_is_no_answer() {
    let client = start(company(20)).await;
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let url = format!("http://{}/callbacks/acme/dingtalk", listener.local_addr().unwrap());
    let key = "4g5j64qlyl3zvetqxz5jiocdr586fn2zvjpa8zls3ij".to_owned();
    let keys = CallbackKeys { token: "123456".to_owned(), key: Some(key) };
    let (refused, (head, body)) =
        tokio::join!(client.sim.set_callback(&url, keys), receive(&listener, "success"));
    assert!(matches!(refused, Err(CallbackError::Wrong { status: 200, .. })), "{refused:?}");
    assert!(head.starts_with("POST /callbacks/acme/dingtalk?msg_signature="), "{head}");
    assert!(head.contains("&timestamp=") && head.contains("&nonce="), "{head}");
    assert!(body["encrypt"].is_string() && !body.to_string().contains("EventType"), "{body}");
}

#[tokio::test]
async fn nothing_is_pushed_without_a_key() {
    let client = start(company(20)).await;
    for key in [None, Some("too-short".to_owned())] {
        let keys = CallbackKeys { token: "123456".to_owned(), key };
        let refused = client.sim.set_callback("http://127.0.0.1:9/", keys).await;
        assert!(matches!(refused, Err(CallbackError::Nothing)), "{refused:?}");
    }
}
