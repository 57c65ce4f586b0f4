//! A guest's request on its way out: judged first, secrets filled in last.
//!
//! The invariant: no secret is looked up before the host of the request was granted, and none can change that host.

use std::borrow::Cow;

use reqwest::header::{CONTENT_TYPE, HeaderMap, HeaderName, HeaderValue};
use reqwest::{Method, Request};
use url::Url;

use super::grant::{Endpoint, Reach, Route};
use crate::host::contract::since_v0_1::http;
use crate::host::secret::{Cover, FillError, Filler, Place, Secret};

const URL_BYTES: usize = 8 << 10;
const HEADERS: usize = 50;
const HEADER_BYTES: usize = 8 << 10;

/// Headers that belong to the connection or that would change what the host reads back.
const OURS: [&str; 12] = [
    "accept-encoding",
    "connection",
    "content-length",
    "expect",
    "host",
    "keep-alive",
    "proxy-authenticate",
    "proxy-authorization",
    "te",
    "trailer",
    "transfer-encoding",
    "upgrade",
];

/// Why a request is not sent.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(in crate::host) enum RequestError {
    NotGranted(String),
    NoSecret(String),
    Invalid(String),
}

/// A request that may be sent.
pub(in crate::host) struct Outgoing {
    pub(in crate::host) request: Request,
    pub(in crate::host) route: Route,
    pub(in crate::host) endpoint: Endpoint,
    pub(in crate::host) cover: Cover,
}

impl Outgoing {
    pub(in crate::host) fn prepare(
        request: http::Request,
        reach: &Reach,
        source: &dyn Fn(&str) -> Option<Secret>,
    ) -> Result<Self, RequestError> {
        let method = method(&request.method)?;
        let (url, endpoint) = endpoint(&request.url)?;
        let route =
            reach.route(&endpoint).ok_or_else(|| RequestError::NotGranted(endpoint.to_string()))?;
        let mut filler = Filler::new(source);
        let url = filled_url(&request.url, (url, &endpoint), &mut filler)?;
        let headers = filled_headers(request.headers, &mut filler)?;
        let body = match filler.fill(&request.body, body_place(&headers)).map_err(unfilled)? {
            Cow::Borrowed(_) => request.body,
            Cow::Owned(body) => body,
        };
        let mut out = Request::new(method, url);
        *out.headers_mut() = headers;
        if !body.is_empty() {
            *out.body_mut() = Some(body.into());
        }
        Ok(Self { request: out, route, endpoint, cover: filler.cover() })
    }
}

fn invalid<T>(reason: impl Into<String>) -> Result<T, RequestError> {
    Err(RequestError::Invalid(reason.into()))
}

fn unfilled(error: FillError) -> RequestError {
    match error {
        FillError::NoSecret(name) => RequestError::NoSecret(name),
        FillError::Malformed => {
            RequestError::Invalid("a `{secret:` without a name and `}`".to_owned())
        }
    }
}

fn method(text: &str) -> Result<Method, RequestError> {
    match text.parse::<Method>() {
        Ok(method) if method != Method::CONNECT && method != Method::TRACE => Ok(method),
        _ => invalid("a method that cannot be sent"),
    }
}

/// The URL as it was given, and where it leads.
fn endpoint(text: &str) -> Result<(Url, Endpoint), RequestError> {
    if text.len() > URL_BYTES {
        return invalid(format!("a url of more than {URL_BYTES} bytes"));
    }
    let url =
        Url::parse(text).ok().filter(|url| !url.host_str().is_some_and(|host| host.contains('{')));
    match url.and_then(|url| Endpoint::of(&url).map(|endpoint| (url, endpoint))) {
        Some(found) => Ok(found),
        None => invalid("no absolute http or https url without credentials"),
    }
}

/// The URL to send: the same endpoint, secrets percent-encoded, no fragment.
fn filled_url(
    text: &str,
    (given, endpoint): (Url, &Endpoint),
    filler: &mut Filler<'_>,
) -> Result<Url, RequestError> {
    let url = match filler.fill(text.as_bytes(), Place::Percent).map_err(unfilled)? {
        Cow::Borrowed(_) => Some(given),
        Cow::Owned(complete) => {
            let url = std::str::from_utf8(&complete).ok().and_then(|text| Url::parse(text).ok());
            url.filter(|url| Endpoint::of(url).as_ref() == Some(endpoint))
        }
    };
    match url {
        Some(mut url) => {
            url.set_fragment(None);
            Ok(url)
        }
        None => invalid("a secret in the host of the url"),
    }
}

fn filled_headers(
    headers: Vec<(String, String)>,
    filler: &mut Filler<'_>,
) -> Result<HeaderMap, RequestError> {
    if headers.len() > HEADERS {
        return invalid(format!("more than {HEADERS} headers"));
    }
    let mut out = HeaderMap::with_capacity(headers.len());
    for (name, value) in headers {
        let Ok(name) = name.parse::<HeaderName>() else {
            return invalid("a header with an invalid name");
        };
        if OURS.contains(&name.as_str()) {
            return invalid(format!("the header `{name}` is set by the host"));
        }
        let value = filler.fill(value.as_bytes(), Place::Plain).map_err(unfilled)?;
        let Ok(mut value) = HeaderValue::from_bytes(&value) else {
            return invalid(format!("the header `{name}` has an invalid value"));
        };
        if value.len() > HEADER_BYTES {
            return invalid(format!("the header `{name}` has more than {HEADER_BYTES} bytes"));
        }
        value.set_sensitive(true);
        out.append(name, value);
    }
    Ok(out)
}

fn body_place(headers: &HeaderMap) -> Place {
    let kind = headers
        .get(CONTENT_TYPE)
        .map(HeaderValue::as_bytes)
        .unwrap_or_default()
        .to_ascii_lowercase();
    let is = |word: &[u8]| memchr::memmem::find(&kind, word).is_some();
    match () {
        () if is(b"json") => Place::Json,
        () if is(b"x-www-form-urlencoded") => Place::Percent,
        () => Place::Plain,
    }
}
