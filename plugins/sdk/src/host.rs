//! What a plugin asks of its host, as traits: the component imports implement them, so does a test or a benchmark.
//!
//! What this is not: retries, rate limits, back-off; those are the host's own business. The one invariant: a secret is
//! named here (`{secret:NAME}`), never held.

use crate::secrets::{Cbc, DigestAlgorithm, Part, Unworkable};

/// An HTTP request.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Request {
    /// `GET`, `POST`, ...
    pub method: &'static str,
    /// Absolute. `{secret:NAME}` in the url, a header or the body is filled in by the host, towards granted hosts only.
    pub url: String,
    /// Name and value.
    pub headers: Vec<(String, String)>,
    /// Empty for none.
    pub body: Vec<u8>,
}

/// Why the host did not send, or has no answer.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub enum Denied {
    /// The request names a host that is not granted.
    #[error("the host `{0}` is not granted")]
    NotGranted(String),
    /// The time of this call is used up.
    #[error("the time of this call is used up")]
    Deadline,
    /// The response is larger than the limit, in bytes.
    #[error("the response is larger than {0} bytes")]
    TooLarge(u64),
    /// No response: refused, reset, no such host.
    #[error("no response: {0}")]
    Network(String),
    /// The request names a secret that is not configured.
    #[error("the secret `{0}` is not configured")]
    NoSecret(String),
    /// The request itself is malformed.
    #[error("malformed request: {0}")]
    Invalid(String),
}

/// A response whose body stays in the host.
pub trait Response {
    /// The HTTP status.
    fn status(&self) -> u16;
    /// The first header of that name, in any case.
    fn header(&self, name: &str) -> Option<String>;
    /// The JSON text at an RFC 6901 pointer; `None` when absent or when the body is no JSON.
    fn pointer(&self, path: &str) -> Option<String>;
    /// How many elements the array at the pointer has; `None` when there is no array.
    fn count(&self, path: &str) -> Option<u32>;
    /// The whole body, copied.
    fn body(&self) -> Vec<u8>;
}

/// How loud a log line is.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Level {
    /// For whoever debugs the plugin.
    Debug,
    /// Worth a line.
    Info,
    /// An administrator should look.
    Warn,
}

/// What a plugin may ask for while a call runs. All of it is the tenant's own.
pub trait Host {
    /// The response this host gives.
    type Response: Response;

    /// Sends a request and waits for its response.
    ///
    /// # Errors
    /// [`Denied`] when nothing was sent or nothing came back. A response with an error status is a response.
    fn send(&self, request: Request) -> Result<Self::Response, Denied>;
    /// A setting of this connection, or its default in the manifest. It stays the same while an instance lives, so a component
    /// crosses to its host once for each.
    fn setting(&self, name: &str) -> Option<String>;
    /// Unix time in milliseconds.
    fn now_ms(&self) -> i64;
    /// Random bytes.
    fn random(&self, len: u32) -> Vec<u8>;
    /// Ids and counts only: never a person's data or a token.
    fn log(&self, level: Level, message: &str);
    /// A short-lived value that was remembered, unless its time is over.
    fn recall(&self, key: &str) -> Option<String>;
    /// Keeps a short-lived value for this connection.
    fn remember(&self, key: &str, value: &str, ttl_seconds: u32);
    /// Drops a remembered value.
    fn forget(&self, key: &str);
    /// Digest of the parts one after the other, in byte order when `sorted`. For [`DigestAlgorithm::HmacSha256`] the first
    /// part is the key and stays first.
    ///
    /// # Errors
    /// [`Unworkable`] when a secret is not configured or an HMAC has no key.
    fn digest(
        &self,
        algorithm: DigestAlgorithm,
        parts: &[Part<'_>],
        sorted: bool,
    ) -> Result<Vec<u8>, Unworkable>;
    /// Decrypts AES-256-CBC and removes the padding.
    ///
    /// # Errors
    /// [`Unworkable`] when the secret is not configured or does not open the data.
    fn decrypt_cbc(&self, cipher: &Cbc<'_>, data: &[u8]) -> Result<Vec<u8>, Unworkable>;
    /// Pads and encrypts with AES-256-CBC.
    ///
    /// # Errors
    /// [`Unworkable`] when the secret is not configured or is no key.
    fn encrypt_cbc(&self, cipher: &Cbc<'_>, data: &[u8]) -> Result<Vec<u8>, Unworkable>;
    /// Whether the manifest asks for this secret and the tenant has configured it.
    fn has_secret(&self, name: &str) -> bool {
        self.digest(DigestAlgorithm::Sha256, &[Part::Secret(name)], false).is_ok()
    }
    /// Whether `text` is the secret, without learning it and in a time that does not tell how much of it fits.
    fn is_secret(&self, name: &str, text: &[u8]) -> bool {
        let key = self.random(32);
        let keyed =
            |part| self.digest(DigestAlgorithm::HmacSha256, &[Part::Bytes(&key), part], false).ok();
        let wanted = keyed(Part::Secret(name));
        wanted.is_some() && wanted == keyed(Part::Bytes(text))
    }
}
