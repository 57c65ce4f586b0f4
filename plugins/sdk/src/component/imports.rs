//! The component's imports as the sdk's [`Host`].

use std::cell::RefCell;
use std::collections::BTreeMap;

use super::bindings::base::rollcall::plugin::{host, http, secrets};
use crate::{
    Cbc, Denied, DigestAlgorithm, Host, KeyForm, Level, Padding, Part, Request, Response,
    Unworkable,
};

/// The host that runs this component.
#[derive(Clone, Copy, Debug)]
pub struct Imports;

thread_local! {
    /// What was asked for so far: settings stay what they are while an instance lives.
    static SETTINGS: RefCell<BTreeMap<String, Option<String>>> = const { RefCell::new(BTreeMap::new()) };
}

impl Host for Imports {
    type Response = http::Response;

    fn send(&self, request: Request) -> Result<http::Response, Denied> {
        let Request { method, url, headers, body } = request;
        let request = http::Request { method: method.to_owned(), url, headers, body };
        http::send(&request).map_err(Denied::from)
    }

    fn setting(&self, name: &str) -> Option<String> {
        SETTINGS.with_borrow_mut(|settings| match settings.get(name) {
            Some(value) => value.clone(),
            None => settings.entry(name.to_owned()).or_insert_with(|| host::setting(name)).clone(),
        })
    }

    fn now_ms(&self) -> i64 {
        host::now_ms()
    }

    fn random(&self, len: u32) -> Vec<u8> {
        host::random(len)
    }

    fn log(&self, level: Level, message: &str) {
        let level = match level {
            Level::Debug => host::Level::Debug,
            Level::Info => host::Level::Info,
            Level::Warn => host::Level::Warn,
        };
        host::log(level, message);
    }

    fn recall(&self, key: &str) -> Option<String> {
        host::recall(key)
    }

    fn remember(&self, key: &str, value: &str, ttl_seconds: u32) {
        host::remember(key, value, ttl_seconds);
    }

    fn forget(&self, key: &str) {
        host::forget(key);
    }

    fn digest(
        &self,
        algorithm: DigestAlgorithm,
        parts: &[Part<'_>],
        sorted: bool,
    ) -> Result<Vec<u8>, Unworkable> {
        let algorithm = match algorithm {
            DigestAlgorithm::Sha1 => secrets::DigestAlgorithm::Sha1,
            DigestAlgorithm::Sha256 => secrets::DigestAlgorithm::Sha256,
            DigestAlgorithm::HmacSha256 => secrets::DigestAlgorithm::HmacSha256,
        };
        let part = |part: &Part<'_>| match part {
            Part::Secret(name) => secrets::Part::Secret((*name).to_owned()),
            Part::Bytes(bytes) => secrets::Part::Bytes(bytes.to_vec()),
        };
        let parts: Vec<_> = parts.iter().map(part).collect();
        secrets::digest(algorithm, &parts, sorted).map_err(Unworkable)
    }

    fn decrypt_cbc(&self, cipher: &Cbc<'_>, data: &[u8]) -> Result<Vec<u8>, Unworkable> {
        let Cbc { secret, form, padding, iv } = *cipher;
        secrets::decrypt_cbc(secret, form.into(), padding.into(), iv, data).map_err(Unworkable)
    }

    fn encrypt_cbc(&self, cipher: &Cbc<'_>, data: &[u8]) -> Result<Vec<u8>, Unworkable> {
        let Cbc { secret, form, padding, iv } = *cipher;
        secrets::encrypt_cbc(secret, form.into(), padding.into(), iv, data).map_err(Unworkable)
    }
}

impl From<KeyForm> for secrets::KeyForm {
    fn from(form: KeyForm) -> Self {
        match form {
            KeyForm::Sha256OfText => Self::Sha256OfText,
            KeyForm::Base64Text => Self::Base64Text,
        }
    }
}

impl From<Padding> for secrets::Padding {
    fn from(padding: Padding) -> Self {
        match padding {
            Padding::Pkcs7To16 => Self::Pkcs716,
            Padding::Pkcs7To32 => Self::Pkcs732,
        }
    }
}

impl Response for http::Response {
    fn status(&self) -> u16 {
        http::Response::status(self)
    }

    fn header(&self, name: &str) -> Option<String> {
        http::Response::header(self, name)
    }

    fn pointer(&self, path: &str) -> Option<String> {
        http::Response::pointer(self, path)
    }

    fn count(&self, path: &str) -> Option<u32> {
        http::Response::count(self, path)
    }

    fn body(&self) -> Vec<u8> {
        http::Response::body(self)
    }
}

impl From<http::Denied> for Denied {
    fn from(denied: http::Denied) -> Self {
        match denied {
            http::Denied::NotGranted(host) => Self::NotGranted(host),
            http::Denied::Deadline => Self::Deadline,
            http::Denied::TooLarge(limit) => Self::TooLarge(limit),
            http::Denied::Network(reason) => Self::Network(reason),
            http::Denied::NoSecret(name) => Self::NoSecret(name),
            http::Denied::Invalid(reason) => Self::Invalid(reason),
        }
    }
}
