//! Cryptography by handle: what a plugin may have computed over secrets it never holds.
//!
//! What this is not: the computing; that is the host's. The one invariant: a secret appears here by name alone.

/// A part of what is digested.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Part<'a> {
    /// The text of the secret of this name.
    Secret(&'a str),
    /// These bytes.
    Bytes(&'a [u8]),
}

/// How a digest is made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum DigestAlgorithm {
    /// SHA-1, where a platform still signs with it.
    Sha1,
    /// SHA-256.
    Sha256,
    /// HMAC with SHA-256; the first part is the key.
    HmacSha256,
}

/// How a secret's text becomes a key of 32 bytes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyForm {
    /// Its SHA-256, as Feishu does.
    Sha256OfText,
    /// Its base64 decoded, padding optional, as DingTalk and `WeCom` do.
    Base64Text,
}

/// How plaintext is filled up.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// To a multiple of 16 bytes.
    Pkcs7To16,
    /// To a multiple of 32 bytes, as `WeCom` does.
    Pkcs7To32,
}

/// An AES-256-CBC cipher over a secret.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Cbc<'a> {
    /// The name of the secret that is the key.
    pub secret: &'a str,
    /// How its text becomes the key.
    pub form: KeyForm,
    /// How plaintext is filled up.
    pub padding: Padding,
    /// The initialisation vector: 16 bytes.
    pub iv: &'a [u8],
}

/// Why there is no result; one sentence without any secret in it.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{0}")]
pub struct Unworkable(pub String);
