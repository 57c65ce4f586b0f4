//! How Feishu pushes: encrypted with the Encrypt Key and signed over the bytes that are sent.
//!
//! Not when. The invariant: without a key events go out in the clear and unsigned, and only their token proves them.

use std::sync::Arc;

use serde_json::{Value, json};

use crate::cipher;
use crate::push::{CallbackKeys, Post, Push, Reply};
use crate::site::Site;

const CHALLENGE: &str = "simulator-challenge-0001";

pub(super) struct Sender {
    pub(super) site: Arc<Site>,
    pub(super) keys: CallbackKeys,
}

impl Sender {
    /// What goes out for a plaintext; an address is tried without a signature.
    fn sealed(&self, plain: &str, signed: bool) -> Post {
        let content_type = "application/json";
        let Some(key) = &self.keys.key else {
            return Post { content_type, body: plain.as_bytes().to_vec(), ..Post::default() };
        };
        let mut iv = [0; 16];
        iv.copy_from_slice(&cipher::sha256(&[plain.as_bytes()])[..16]);
        let data = cipher::encrypt(&cipher::sha256(&[key.as_bytes()]), &iv, 16, plain.as_bytes());
        let text = cipher::base64(&[&iv[..], &data].concat());
        let body = json!({ "encrypt": text }).to_string().into_bytes();
        let mut headers = Vec::new();
        if signed {
            let time = self.site.clock.now().to_string();
            let nonce = cipher::hex(&iv[..8]);
            let parts = [time.as_bytes(), nonce.as_bytes(), key.as_bytes(), &body];
            let signature = cipher::hex(&cipher::sha256(&parts));
            headers = vec![
                ("x-lark-request-timestamp", time),
                ("x-lark-request-nonce", nonce),
                ("x-lark-signature", signature),
            ];
        }
        Post { headers, content_type, body, ..Post::default() }
    }
}

impl Push for Sender {
    fn trial(&self) -> Post {
        let ask = json!({
            "challenge": CHALLENGE, "token": self.keys.token, "type": "url_verification",
        });
        self.sealed(&ask.to_string(), false)
    }

    fn passes(&self, reply: &Reply) -> bool {
        let answer = serde_json::from_slice::<Value>(&reply.body).unwrap_or_default();
        reply.status == 200 && answer["challenge"] == CHALLENGE
    }

    fn post(&self, event: &str) -> Post {
        self.sealed(event, true)
    }

    fn acknowledges(&self, reply: &Reply) -> bool {
        reply.status == 200
    }
}
