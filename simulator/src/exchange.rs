//! One request and its answer as every platform sees them, and the misbehaviour that is the same on all.
//!
//! Not transport, and not what a platform answers. The invariant: an answer that a platform refuses with stays as it
//! is; only a sound one is spoilt.

use std::borrow::Cow;

use hyper::HeaderMap;

use crate::endpoint::Endpoint;
use crate::faults::Fault;
use crate::site::Site;

/// The method of a request.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Verb {
    Get,
    Post,
}

/// A request, taken apart.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Incoming<'a> {
    /// `None` for a method that no platform uses.
    pub verb: Option<Verb>,
    pub path: &'a str,
    pub query: &'a str,
    pub headers: &'a HeaderMap,
    pub body: &'a [u8],
}

impl<'a> Incoming<'a> {
    /// A header's value; `None` when it is absent or no text.
    pub(crate) fn header(&self, name: &str) -> Option<&'a str> {
        self.headers.get(name)?.to_str().ok()
    }
}

/// An answer, and how it is to be delivered.
#[derive(Debug)]
pub(crate) struct Answer {
    pub status: u16,
    pub body: Vec<u8>,
    pub content: Content,
    /// Further headers, names in lower case.
    pub headers: Vec<(&'static str, String)>,
    pub delivery: Delivery,
}

/// What the body claims to be.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Content {
    Json,
    Html,
}

/// How the bytes reach the caller.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Delivery {
    Whole,
    Reset,
    Slow,
    Drip,
}

impl Answer {
    pub(crate) fn json(status: u16, body: Vec<u8>) -> Self {
        Self {
            status,
            body,
            content: Content::Json,
            headers: Vec::new(),
            delivery: Delivery::Whole,
        }
    }

    pub(crate) fn html(status: u16, body: &str) -> Self {
        Self { content: Content::Html, ..Self::json(status, body.as_bytes().to_vec()) }
    }
}

/// What stands in for a sound answer's members when their types are to be wrong.
#[derive(Clone, Copy, Debug)]
pub(crate) struct WrongTypes {
    /// Member with the start of its value, and what replaces it.
    pub swaps: &'static [(&'static str, &'static str)],
    /// The whole answer when none of the members is in it.
    pub otherwise: &'static str,
}

const HTML: &str = "<!DOCTYPE html>\n<html><head><title>Service notice</title></head>\
    <body><h1>Please try again later</h1></body></html>\n";

/// The platform's answer, after the faults that strike this request: `Ok` is a sound answer, `Err` a refusal.
pub(crate) fn answer(
    site: &Site,
    endpoint: Endpoint,
    wrong: WrongTypes,
    respond: impl FnOnce() -> Result<Answer, Answer>,
) -> Answer {
    let delivery = delivery(site, endpoint);
    if delivery == Delivery::Reset {
        return Answer { delivery, ..Answer::json(200, Vec::new()) };
    }
    if site.strikes(Fault::Html, endpoint) {
        return Answer { delivery, ..Answer::html(200, HTML) };
    }
    let answer = match respond() {
        Ok(mut answer) => {
            spoil(site, endpoint, wrong, &mut answer.body);
            answer
        }
        Err(refusal) => refusal,
    };
    Answer { delivery, ..answer }
}

fn delivery(site: &Site, endpoint: Endpoint) -> Delivery {
    let faults = [
        (Fault::Reset, Delivery::Reset),
        (Fault::Slow, Delivery::Slow),
        (Fault::Drip, Delivery::Drip),
    ];
    let struck = faults.into_iter().find(|(fault, _)| site.strikes(*fault, endpoint));
    struck.map_or(Delivery::Whole, |(_, delivery)| delivery)
}

/// Faults of the finished JSON.
fn spoil(site: &Site, endpoint: Endpoint, wrong: WrongTypes, body: &mut Vec<u8>) {
    if site.strikes(Fault::WrongTypes, endpoint) {
        *body = wrong.spoil(body);
    }
    if site.strikes(Fault::TruncatedBody, endpoint) {
        body.truncate(body.len() * 2 / 3);
    }
}

impl WrongTypes {
    /// Objects become numbers, lists become texts, and so on, for the members that a reader relies on.
    pub(crate) fn spoil(self, body: &[u8]) -> Vec<u8> {
        let text = String::from_utf8_lossy(body);
        let spoilt = self
            .swaps
            .iter()
            .fold(text.clone(), |text, (from, to)| Cow::Owned(text.replace(from, to)));
        if spoilt == text {
            return self.otherwise.as_bytes().to_vec();
        }
        spoilt.into_owned().into_bytes()
    }
}
