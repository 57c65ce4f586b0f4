//! The component's imports as the sdk's [`Host`].

use super::bindings::base::rollcall::plugin::{host, http};
use crate::{Denied, Host, Level, Request, Response};

/// The host that runs this component.
#[derive(Clone, Copy, Debug)]
pub struct Imports;

impl Host for Imports {
    type Response = http::Response;

    fn send(&self, request: &Request) -> Result<http::Response, Denied> {
        let request = http::Request {
            method: request.method.to_owned(),
            url: request.url.clone(),
            headers: request.headers.clone(),
            body: request.body.clone(),
        };
        http::send(&request).map_err(Denied::from)
    }

    fn setting(&self, name: &str) -> Option<String> {
        host::setting(name)
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
