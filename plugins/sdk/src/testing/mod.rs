//! A host that answers from a script, for the native tests of a plugin.
//!
//! It takes the manifest as seriously as the real one: only declared settings and secrets exist, only declared hosts
//! are reached. What it is not: a simulator; it knows nothing of any platform. The one invariant: an answer is given
//! once, in the order of the script, and a request that the script does not expect is denied by name.

mod crypto;

use std::cell::{Cell, RefCell};
use std::collections::{BTreeMap, VecDeque};
use std::rc::Rc;

use serde_json::Value;

use crate::{Cbc, Denied, DigestAlgorithm, Host, Level, Part, Request, Response, Unworkable};

/// A host that answers from a script.
#[derive(Debug)]
pub struct Scripted {
    manifest: Value,
    settings: BTreeMap<String, String>,
    secrets: BTreeMap<String, String>,
    script: RefCell<VecDeque<Expected>>,
    requests: RefCell<Vec<Request>>,
    kept: RefCell<BTreeMap<String, (String, i64)>>,
    logged: RefCell<Vec<(Level, String)>>,
    now_ms: Cell<i64>,
    meanwhile: RefCell<Option<(String, String)>>,
}

#[derive(Debug)]
struct Expected {
    method: &'static str,
    path: String,
    outcome: Result<Reply, Denied>,
}

/// A scripted response.
#[derive(Clone, Debug, PartialEq)]
pub struct Reply(Rc<Parts>);

#[derive(Clone, Debug, PartialEq)]
struct Parts {
    status: u16,
    headers: Vec<(String, String)>,
    body: Vec<u8>,
    json: Option<Value>,
}

impl Reply {
    /// HTTP 200 with a JSON body.
    pub fn json(value: &Value) -> Self {
        Self::text(&value.to_string())
            .with_header("Content-Type", "application/json; charset=utf-8")
    }

    /// HTTP 200 with any body.
    pub fn text(body: &str) -> Self {
        Self(Rc::new(Parts {
            status: 200,
            headers: Vec::new(),
            body: body.as_bytes().to_vec(),
            json: serde_json::from_str(body).ok(),
        }))
    }

    /// The same with another status.
    #[must_use]
    pub fn with_status(mut self, status: u16) -> Self {
        Rc::make_mut(&mut self.0).status = status;
        self
    }

    /// The same with one more header.
    #[must_use]
    pub fn with_header(mut self, name: &str, value: &str) -> Self {
        Rc::make_mut(&mut self.0).headers.push((name.to_owned(), value.to_owned()));
        self
    }
}

impl Response for Reply {
    fn status(&self) -> u16 {
        self.0.status
    }

    fn header(&self, name: &str) -> Option<String> {
        let (_, value) = self.0.headers.iter().find(|(n, _)| n.eq_ignore_ascii_case(name))?;
        Some(value.clone())
    }

    fn pointer(&self, path: &str) -> Option<String> {
        self.0.json.as_ref()?.pointer(path).map(Value::to_string)
    }

    fn count(&self, path: &str) -> Option<u32> {
        let array = self.0.json.as_ref()?.pointer(path)?.as_array()?;
        u32::try_from(array.len()).ok()
    }

    fn body(&self) -> Vec<u8> {
        self.0.body.clone()
    }
}

impl Scripted {
    /// A host for the plugin of this manifest, with no settings and no secrets yet, at the start of 1970.
    ///
    /// # Errors
    /// When the manifest is no JSON.
    pub fn new(manifest: &str) -> Result<Self, serde_json::Error> {
        Ok(Self {
            manifest: serde_json::from_str(manifest)?,
            settings: BTreeMap::new(),
            secrets: BTreeMap::new(),
            script: RefCell::default(),
            requests: RefCell::default(),
            kept: RefCell::default(),
            logged: RefCell::default(),
            now_ms: Cell::new(0),
            meanwhile: RefCell::default(),
        })
    }

    /// With a setting of the connection.
    #[must_use]
    pub fn with_setting(mut self, name: &str, value: &str) -> Self {
        self.settings.insert(name.to_owned(), value.to_owned());
        self
    }

    /// With a secret of the connection that is only named in requests; its value never matters there.
    #[must_use]
    pub fn with_secret(self, name: &str) -> Self {
        self.with_secret_text(name, name)
    }

    /// With a secret of the connection that digests and ciphers are computed with.
    #[must_use]
    pub fn with_secret_text(mut self, name: &str, text: &str) -> Self {
        self.secrets.insert(name.to_owned(), text.to_owned());
        self
    }

    /// Sets the clock.
    pub fn at(&self, now_ms: i64) {
        self.now_ms.set(now_ms);
    }

    /// Expects a request to `path` (without host and query) next, and answers it.
    #[must_use]
    pub fn answers(self, method: &'static str, path: &str, reply: Reply) -> Self {
        self.expects(method, path, Ok(reply))
    }

    /// Expects a request next, and denies it.
    #[must_use]
    pub fn denies(self, method: &'static str, path: &str, denied: Denied) -> Self {
        self.expects(method, path, Err(denied))
    }

    fn expects(self, method: &'static str, path: &str, outcome: Result<Reply, Denied>) -> Self {
        self.then(method, path, outcome);
        self
    }

    /// Adds to the script of a host that is in use already.
    pub fn then(&self, method: &'static str, path: &str, outcome: Result<Reply, Denied>) {
        self.script.borrow_mut().push_back(Expected { method, path: path.to_owned(), outcome });
    }

    /// Remembers a value while the next request is under way, as a call that runs beside this one would.
    pub fn meanwhile_remember(&self, key: &str, value: &str) {
        *self.meanwhile.borrow_mut() = Some((key.to_owned(), value.to_owned()));
    }

    /// Every request so far.
    pub fn requests(&self) -> Vec<Request> {
        self.requests.borrow().clone()
    }

    /// Every log line so far.
    pub fn logged(&self) -> Vec<(Level, String)> {
        self.logged.borrow().clone()
    }

    /// How much of the script has not been asked for.
    pub fn left(&self) -> usize {
        self.script.borrow().len()
    }

    fn declared(&self, list: &str, name: &str) -> Option<&Value> {
        let entries = self.manifest.get(list)?.as_array()?;
        entries.iter().find(|entry| entry["name"] == name)
    }

    /// Whether the manifest asks for the origin of `url`: by name, or through a setting.
    fn granted(&self, url: &str) -> bool {
        let origin = origin(url);
        let hosts = self.manifest["hosts"].as_array();
        hosts.into_iter().flatten().filter_map(Value::as_str).any(|host| {
            let setting = host.strip_prefix("{setting:").and_then(|h| h.strip_suffix('}'));
            match setting.map(|name| self.setting_of(name)) {
                Some(value) => value.is_some_and(|value| self::origin(&value) == origin),
                None => origin == format!("https://{host}"),
            }
        })
    }

    fn setting_of(&self, name: &str) -> Option<String> {
        let declared = self.declared("settings", name)?;
        let default = || declared.get("default").and_then(Value::as_str).map(str::to_owned);
        self.settings.get(name).cloned().or_else(default)
    }

    /// The first secret that is named in `text` and is not there.
    fn lacking(&self, text: &str) -> Option<String> {
        let names = text.split("{secret:").skip(1).filter_map(|rest| rest.split_once('}'));
        names.map(|(name, _)| name).find(|name| self.secret(name).is_err()).map(str::to_owned)
    }

    fn secret(&self, name: &str) -> Result<&str, Unworkable> {
        let found = self.declared("secrets", name).and_then(|_| self.secrets.get(name));
        let missing = || Unworkable(format!("the secret `{name}` is not configured"));
        found.map(String::as_str).ok_or_else(missing)
    }
}

/// Scheme and authority.
fn origin(url: &str) -> &str {
    let start = url.find("://").map_or(0, |at| at + 3);
    let end = url[start..].find(['/', '?', '#']).map_or(url.len(), |at| start + at);
    &url[..end]
}

impl Host for Scripted {
    type Response = Reply;

    fn send(&self, request: Request) -> Result<Reply, Denied> {
        self.requests.borrow_mut().push(request.clone());
        if let Some((key, value)) = self.meanwhile.take() {
            self.remember(&key, &value, 3600);
        }
        if !self.granted(&request.url) {
            return Err(Denied::NotGranted(origin(&request.url).to_owned()));
        }
        let headers = request.headers.iter().map(|(_, value)| value.as_str());
        let body = String::from_utf8_lossy(&request.body);
        let mut places = headers.chain([request.url.as_str(), &body]);
        if let Some(name) = places.find_map(|text| self.lacking(text)) {
            return Err(Denied::NoSecret(name));
        }
        let path = request.url[origin(&request.url).len()..].split('?').next().unwrap_or_default();
        let mut script = self.script.borrow_mut();
        let met = |e: &Expected| e.method == request.method && e.path == path;
        match script.front() {
            Some(expected) if met(expected) => {
                script.pop_front().map_or(Err(Denied::Deadline), |e| e.outcome)
            }
            Some(e) => Err(Denied::Network(format!(
                "the script expects {} {}, not {} {path}",
                e.method, e.path, request.method
            ))),
            None => Err(Denied::Network(format!("the script has ended before {path}"))),
        }
    }

    fn setting(&self, name: &str) -> Option<String> {
        self.setting_of(name)
    }

    fn now_ms(&self) -> i64 {
        self.now_ms.get()
    }

    fn random(&self, len: u32) -> Vec<u8> {
        (0..len).map(|index| index.to_le_bytes()[0]).collect()
    }

    fn log(&self, level: Level, message: &str) {
        self.logged.borrow_mut().push((level, message.to_owned()));
    }

    fn recall(&self, key: &str) -> Option<String> {
        let kept = self.kept.borrow();
        let (value, until) = kept.get(key)?;
        (self.now_ms.get() < *until).then(|| value.clone())
    }

    fn remember(&self, key: &str, value: &str, ttl_seconds: u32) {
        let until = self.now_ms.get() + i64::from(ttl_seconds) * 1000;
        self.kept.borrow_mut().insert(key.to_owned(), (value.to_owned(), until));
    }

    fn forget(&self, key: &str) {
        self.kept.borrow_mut().remove(key);
    }

    fn digest(
        &self,
        algorithm: DigestAlgorithm,
        parts: &[Part<'_>],
        sorted: bool,
    ) -> Result<Vec<u8>, Unworkable> {
        let bytes = parts.iter().map(|part| match part {
            Part::Secret(name) => self.secret(name).map(str::as_bytes),
            Part::Bytes(bytes) => Ok(*bytes),
        });
        crypto::digest(algorithm, bytes.collect::<Result<_, _>>()?, sorted)
    }

    fn decrypt_cbc(&self, cipher: &Cbc<'_>, data: &[u8]) -> Result<Vec<u8>, Unworkable> {
        let secret = self.secret(cipher.secret)?;
        crypto::decrypt(secret, (cipher.form, cipher.padding), cipher.iv, data)
    }

    fn encrypt_cbc(&self, cipher: &Cbc<'_>, data: &[u8]) -> Result<Vec<u8>, Unworkable> {
        let secret = self.secret(cipher.secret)?;
        crypto::encrypt(secret, (cipher.form, cipher.padding), cipher.iv, data)
    }
}
