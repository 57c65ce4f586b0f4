//! Feishu's events as the platform would push them, for tests and benchmarks of whoever receives them.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_sdk::testing::Scripted;
use rollcall_sdk::{Cbc, DigestAlgorithm, Host as _, KeyForm, Padding, Part};
use serde_json::{Value, json};

pub(crate) const KEY: &str = "example encrypt key";
pub(crate) const TOKEN: &str = "example verification token";

/// Encrypts and signs.
pub(crate) struct Sender {
    host: Scripted,
    app_id: String,
    now_ms: i64,
}

/// One delivery: headers and body.
pub(crate) type Pushed = (Vec<(&'static str, String)>, Vec<u8>);

impl Sender {
    pub(crate) fn new(app_id: &str, now_ms: i64) -> Self {
        let manifest = include_str!("../../plugins/feishu/manifest.json");
        let host = Scripted::new(manifest).unwrap().with_secret_text("encrypt_key", KEY);
        Self { host, app_id: app_id.to_owned(), now_ms }
    }

    /// An event that someone changed.
    pub(crate) fn change(&self, event_id: &str, user_id: &str) -> Value {
        json!({
            "schema": "2.0",
            "header": {
                "event_id": event_id, "event_type": "contact.user.updated_v3",
                "create_time": self.now_ms.to_string(), "token": TOKEN,
                "app_id": self.app_id, "tenant_key": "t0001",
            },
            "event": {"object": {"user_id": user_id, "name": "Example"}},
        })
    }

    pub(crate) fn seal(&self, event: &Value) -> Pushed {
        let iv = [9; 16];
        let (secret, form) = ("encrypt_key", KeyForm::Sha256OfText);
        let cipher = Cbc { secret, form, padding: Padding::Pkcs7To16, iv: &iv };
        let data = self.host.encrypt_cbc(&cipher, event.to_string().as_bytes()).unwrap();
        let text = STANDARD.encode([&iv[..], &data].concat());
        let body = json!({ "encrypt": text }).to_string().into_bytes();
        let time = (self.now_ms / 1000).to_string();
        let parts = [
            Part::Bytes(time.as_bytes()),
            Part::Bytes(b"nonce"),
            Part::Secret(secret),
            Part::Bytes(&body),
        ];
        let digest = self.host.digest(DigestAlgorithm::Sha256, &parts, false).unwrap();
        let digit = |half: u8| char::from_digit(half.into(), 16).unwrap();
        let signature =
            digest.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect();
        let headers = vec![
            ("X-Lark-Request-Timestamp", time),
            ("X-Lark-Request-Nonce", "nonce".to_owned()),
            ("X-Lark-Signature", signature),
        ];
        (headers, body)
    }
}
