//! The connector compiled natively: the same code over a host of plain reqwest, and the host's own reader of JSON texts.

#[path = "../../src/host/json/mod.rs"]
#[expect(dead_code, unused_imports, reason = "only a part of it is read here")]
mod json;

use std::cell::OnceCell;
use std::collections::{BTreeMap, HashMap};
use std::sync::Mutex;

use bytes::Bytes;
use rollcall_feishu::Feishu;
use rollcall_sdk::{
    Cbc, Content, Denied, DigestAlgorithm, Directory as _, Host, Kind, Level, Page, Part, Request,
    Response, Slice, Unworkable,
};
use tokio::runtime::Handle;

use self::json::{Node, Spine, descend, tokens};
use crate::platform::Platform;

/// A host without limits, grants or pacing.
pub(crate) struct Native {
    client: reqwest::Client,
    runtime: Handle,
    settings: BTreeMap<&'static str, String>,
    secret: String,
    kept: Mutex<HashMap<String, String>>,
}

/// A response, held as it came.
pub(crate) struct Answer {
    status: u16,
    headers: reqwest::header::HeaderMap,
    body: Bytes,
    spine: OnceCell<Spine>,
}

impl Answer {
    fn spine(&self) -> &Spine {
        self.spine.get_or_init(|| Spine::build(&self.body).unwrap())
    }
}

impl Native {
    /// A host for Feishu's connector.
    pub(crate) fn new(platform: &Platform) -> Self {
        let settings = [
            ("open_host", platform.url.clone()),
            ("app_id", platform.app_id.clone()),
            ("user_id_type", "user_id".to_owned()),
            ("department_id_type", "open_department_id".to_owned()),
            ("utc_offset_minutes", "480".to_owned()),
        ];
        Self::with(platform, settings.into())
    }

    /// A host for a connector with these settings.
    pub(crate) fn with(platform: &Platform, settings: BTreeMap<&'static str, String>) -> Self {
        // Fails when it has been installed before.
        rustls::crypto::ring::default_provider().install_default().ok();
        Self {
            client: reqwest::Client::builder().build().unwrap(),
            runtime: Handle::current(),
            settings,
            secret: platform.app_secret.clone(),
            kept: Mutex::default(),
        }
    }

    /// Everything: departments, then the people of each. Returns how many records came.
    pub(crate) fn pull(&self) -> usize {
        let mut departments: Vec<Option<String>> = Vec::new();
        self.walk(Kind::Department, None, |id, _| departments.push(Some(id)));
        departments.push(None);
        let mut people = 0;
        for department in &departments {
            self.walk(Kind::Employee, department.as_deref(), |_, _| people += 1);
        }
        people + departments.len()
    }

    fn walk(&self, kind: Kind, within: Option<&str>, mut take: impl FnMut(String, Bytes)) {
        let mut cursor: Option<String> = None;
        loop {
            let page: Page<Answer> =
                Feishu::enumerate(self, kind, within, cursor.as_deref()).unwrap();
            if let Content::Sliced(slice) = page.content {
                records(&slice, &mut take);
            }
            cursor = page.next;
            if cursor.is_none() {
                return;
            }
        }
    }
}

/// Slices a page as the host does: each record's id, and its bytes without a copy.
fn records(slice: &Slice<Answer>, take: &mut impl FnMut(String, Bytes)) {
    let body = &slice.response.body;
    let spine = slice.response.spine();
    let Some(Node::Array { items, .. }) = spine.node(body, &tokens(&slice.items).unwrap()) else {
        return;
    };
    let id_at = tokens(&slice.id[0]).unwrap();
    for item in items {
        let item = body.slice(item.range());
        let id = serde_json::from_slice(descend(&item, &id_at).unwrap()).unwrap();
        take(id, item);
    }
}

impl Response for Answer {
    fn status(&self) -> u16 {
        self.status
    }
    fn header(&self, name: &str) -> Option<String> {
        self.headers.get(name)?.to_str().ok().map(str::to_owned)
    }
    fn pointer(&self, path: &str) -> Option<String> {
        let value = self.spine().value(&self.body, &tokens(path)?)?;
        Some(std::str::from_utf8(value).unwrap().to_owned())
    }
    fn count(&self, path: &str) -> Option<u32> {
        match self.spine().node(&self.body, &tokens(path)?)? {
            Node::Array { items, .. } => u32::try_from(items.len()).ok(),
            Node::Object { .. } | Node::Scalar(_) => None,
        }
    }
    fn body(&self) -> Vec<u8> {
        self.body.to_vec()
    }
}

impl Host for Native {
    type Response = Answer;

    fn send(&self, request: Request) -> Result<Answer, Denied> {
        let Request { method, url, headers, body } = request;
        let method = reqwest::Method::from_bytes(method.as_bytes()).unwrap();
        let body = String::from_utf8(body).unwrap();
        let body = body.replace("{secret:app_secret}", &self.secret);
        let body = body.replace("{secret:client_secret}", &self.secret);
        let mut call = self.client.request(method, url).body(body);
        for (name, value) in headers {
            call = call.header(name, value);
        }
        self.runtime.block_on(async {
            let answer = call.send().await.unwrap();
            let (status, headers) = (answer.status().as_u16(), answer.headers().clone());
            let body = answer.bytes().await.unwrap();
            Ok(Answer { status, headers, body, spine: OnceCell::new() })
        })
    }
    fn setting(&self, name: &str) -> Option<String> {
        self.settings.get(name).cloned()
    }
    fn now_ms(&self) -> i64 {
        rollcall::port::clock::Clock::now_ms(&rollcall::app::SystemClock)
    }
    fn random(&self, len: u32) -> Vec<u8> {
        vec![4; len as usize]
    }
    fn log(&self, _: Level, _: &str) {}
    fn recall(&self, key: &str) -> Option<String> {
        self.kept.lock().unwrap().get(key).cloned()
    }
    fn remember(&self, key: &str, value: &str, _: u32) {
        self.kept.lock().unwrap().insert(key.to_owned(), value.to_owned());
    }
    fn forget(&self, key: &str) {
        self.kept.lock().unwrap().remove(key);
    }
    fn digest(&self, _: DigestAlgorithm, _: &[Part<'_>], _: bool) -> Result<Vec<u8>, Unworkable> {
        Err(unworkable())
    }
    fn decrypt_cbc(&self, _: &Cbc<'_>, _: &[u8]) -> Result<Vec<u8>, Unworkable> {
        Err(unworkable())
    }
    fn encrypt_cbc(&self, _: &Cbc<'_>, _: &[u8]) -> Result<Vec<u8>, Unworkable> {
        Err(unworkable())
    }
}

fn unworkable() -> Unworkable {
    Unworkable("a pull needs no cryptography".to_owned())
}
