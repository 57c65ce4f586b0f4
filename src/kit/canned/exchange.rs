//! A request as a canned platform gets it, and what it sends back.
//!
//! Not here: what is answered (`site`). The one invariant: an address is taken apart only here.

use percent_encoding::percent_decode_str;
use serde_json::Value;

use super::script::{Canned, Place, Route};

/// A request as it arrived.
#[derive(Clone, Debug, Default)]
pub(super) struct Asked {
    pub(super) method: String,
    /// Still percent-encoded.
    pub(super) path: String,
    pub(super) query: Vec<(String, String)>,
    pub(super) headers: Vec<(String, String)>,
    pub(super) host: String,
    pub(super) body: Vec<u8>,
}

/// What is sent back.
#[derive(Clone, Debug)]
pub(super) enum Reply {
    Whole {
        status: u16,
        headers: Vec<(String, String)>,
        body: Vec<u8>,
    },
    /// The connection breaks before the body has come.
    Broken,
    /// The body takes for ever.
    Drip,
}

impl Asked {
    /// The value at a place, as text.
    pub(super) fn text(&self, place: &Place) -> Option<String> {
        self.values(place).into_iter().next()
    }

    /// All values at a place: repeated, joined by commas, or an array.
    pub(super) fn values(&self, place: &Place) -> Vec<String> {
        let Place { query, body } = place;
        if let Some(name) = query {
            let named = self.query.iter().filter(|(key, _)| key == name);
            return named.map(|(_, value)| value.clone()).collect();
        }
        let json: Option<Value> = serde_json::from_slice(&self.body).ok();
        let found = body.as_ref().zip(json.as_ref()).and_then(|(at, json)| json.pointer(at));
        match found {
            Some(Value::Array(items)) => items.iter().filter_map(scalar).collect(),
            Some(value) => scalar(value).into_iter().collect(),
            None => Vec::new(),
        }
    }

    /// The same address with a parameter set.
    pub(super) fn url_with(&self, name: &str, value: &str) -> String {
        let encode = |text: &str| {
            percent_encoding::utf8_percent_encode(text, percent_encoding::NON_ALPHANUMERIC)
                .to_string()
        };
        let others = self.query.iter().filter(|(key, _)| key != name);
        let pairs = others.map(|(key, value)| format!("{}={}", encode(key), encode(value)));
        let pairs: Vec<String> = pairs.chain([format!("{name}={value}")]).collect();
        format!("http://{}{}?{}", self.host, self.path, pairs.join("&"))
    }

    /// Whether a route fits, and what its placeholder is here.
    #[expect(clippy::option_option, reason = "a route that fits may have no placeholder")]
    pub(super) fn fits(&self, route: &Route) -> Option<Option<String>> {
        let (method, path) = route.named()?;
        if method != self.method {
            return None;
        }
        let (mut wanted, mut found) = (path.split('/'), self.path.split('/'));
        let mut value = None;
        loop {
            match (wanted.next(), found.next()) {
                (None, None) => return Some(value),
                (Some(part), Some(here)) if part.starts_with('{') && part.ends_with('}') => {
                    value = Some(percent_decode_str(here).decode_utf8().ok()?.into_owned());
                }
                (Some(part), Some(here)) if part == here => {}
                _ => return None,
            }
        }
    }
}

fn scalar(value: &Value) -> Option<String> {
    match value {
        Value::String(text) => Some(text.clone()),
        Value::Number(number) => Some(number.to_string()),
        Value::Null | Value::Bool(_) | Value::Array(_) | Value::Object(_) => None,
    }
}

/// A JSON document.
pub(super) fn reply(status: u16, json: &Value) -> Reply {
    let headers = vec![("content-type".to_owned(), "application/json".to_owned())];
    Reply::Whole { status, headers, body: json.to_string().into_bytes() }
}

/// What the description says, word for word.
pub(super) fn canned(canned: &Canned) -> Reply {
    let json = ("content-type".to_owned(), "application/json".to_owned());
    let headers = canned.headers.iter().map(|(name, value)| (name.clone(), value.clone()));
    let body = canned.json.to_string().into_bytes();
    Reply::Whole { status: canned.status, headers: headers.chain([json]).collect(), body }
}
