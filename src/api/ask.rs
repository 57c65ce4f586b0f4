//! `POST /ask`: questions of this machine's own command line.
//!
//! Not for: anybody else. Answers may hold people's data, so whoever asks shows the key that only the daemon's own user can
//! read from its state folder. The invariants: without the key nothing is computed; only so many questions are worked on at
//! once, and none of them in the way of a run.

use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use axum::body::Bytes;
use axum::extract::State;
use axum::http::{HeaderMap, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use tokio::sync::Semaphore;

use crate::model::hash::ContentHash;

/// The header that carries the key.
pub const KEY: &str = "x-rollcall-key";
/// The most bytes of a question.
pub(super) const QUESTION_BYTES: usize = 64 << 10;
/// The most bytes of an answer; a longer one is refused.
pub const ANSWER_BYTES: usize = 64 << 20;
/// Questions worked on at once; further ones are asked to come again.
const AT_ONCE: usize = 2;

/// What is said instead of an answer that is too long.
const TOO_LONG: &str = r#"{"error":"the answer is longer than 64 MiB","hint":"ask for less: one tenant, one connection or one kind of record"}"#;

/// Answers a question: JSON in, JSON out.
pub type Answer = Arc<dyn Fn(Bytes) -> Pin<Box<dyn Future<Output = Vec<u8>> + Send>> + Send + Sync>;

/// What the route needs.
#[derive(Clone)]
pub struct Desk {
    key: ContentHash,
    answer: Answer,
    free: Arc<Semaphore>,
}

impl Desk {
    /// Answers whoever shows `key`.
    pub fn new(key: &str, answer: Answer) -> Self {
        let key = ContentHash::of(key.as_bytes());
        Self { key, answer, free: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

pub(super) async fn ask(State(desk): State<Desk>, headers: HeaderMap, body: Bytes) -> Response {
    // Hashes are compared, so the time it takes tells nothing of the key.
    let shown = headers.get(KEY).map(|key| ContentHash::of(key.as_bytes()));
    if shown != Some(desk.key) {
        return StatusCode::FORBIDDEN.into_response();
    }
    let Ok(_permit) = desk.free.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let mut answer = (desk.answer)(body).await;
    if answer.len() > ANSWER_BYTES {
        answer = TOO_LONG.as_bytes().to_vec();
    }
    ([(header::CONTENT_TYPE, "application/json")], answer).into_response()
}

#[cfg(test)]
mod tests {
    use super::*;

    /// What is said where a question has an answer of so many bytes.
    async fn said(bytes: usize) -> Vec<u8> {
        let answer: Answer = Arc::new(move |_| Box::pin(async move { vec![b'1'; bytes] }));
        let mut headers = HeaderMap::new();
        headers.insert(KEY, header::HeaderValue::from_static("k"));
        let answer = ask(State(Desk::new("k", answer)), headers, Bytes::new()).await;
        axum::body::to_bytes(answer.into_body(), usize::MAX).await.unwrap().to_vec()
    }

    #[tokio::test]
    async fn an_answer_has_a_most_and_a_longer_one_says_what_to_do() {
        assert_eq!(said(ANSWER_BYTES).await.len(), ANSWER_BYTES);
        let told: serde_json::Value =
            serde_json::from_slice(&said(ANSWER_BYTES + 1).await).unwrap();
        assert!(told["hint"].as_str().unwrap().starts_with("ask for less"));
    }
}
