//! An HTTP response as a guest holds it: by handle, while the body stays here.
//!
//! The invariant: the body is scanned at most once, whatever a guest asks of it.

use std::sync::OnceLock;

use bytes::Bytes;
use reqwest::header::HeaderMap;

use super::json::{JsonError, Node, Spine, tokens};
use super::net::client::Fetched;

/// A response that stays in the host.
#[expect(unreachable_pub, reason = "the generated bindings re-export it")]
pub struct Response {
    status: u16,
    headers: HeaderMap,
    body: Bytes,
    spine: OnceLock<Result<Spine, JsonError>>,
}

impl Response {
    pub(super) fn new(fetched: Fetched) -> Self {
        let Fetched { status, headers, body } = fetched;
        Self { status, headers, body, spine: OnceLock::new() }
    }

    pub(super) fn status(&self) -> u16 {
        self.status
    }

    pub(super) fn body(&self) -> &Bytes {
        &self.body
    }

    /// The first header of that name, in any case; what is not UTF-8 in it is replaced.
    pub(super) fn header(&self, name: &str) -> Option<String> {
        let value = self.headers.get(name)?;
        Some(String::from_utf8_lossy(value.as_bytes()).into_owned())
    }

    /// Where the values of the body stand.
    pub(super) fn spine(&self) -> Result<&Spine, JsonError> {
        self.spine.get_or_init(|| Spine::build(&self.body)).as_ref().map_err(|error| *error)
    }

    pub(super) fn pointer(&self, path: &str) -> Option<&str> {
        let value = self.spine().ok()?.value(&self.body, &tokens(path)?)?;
        std::str::from_utf8(value).ok()
    }

    pub(super) fn count(&self, path: &str) -> Option<u32> {
        let (spine, tokens) = (self.spine().ok()?, tokens(path)?);
        if let Some(Node::Array { items, .. }) = spine.node(&self.body, &tokens) {
            return u32::try_from(items.len()).ok();
        }
        let inner = Spine::build(spine.value(&self.body, &tokens)?).ok()?;
        match inner.root() {
            Node::Array { items, .. } => u32::try_from(items.len()).ok(),
            Node::Object { .. } | Node::Scalar(_) => None,
        }
    }
}
