//! A call that failed, and the failures that every connector meets: nothing was sent, nothing came back, or something that
//! is no answer of the platform's.
//!
//! What this is not: the platform's own codes, which stand in a table ([`crate::codes`]). The one invariant: nothing a
//! person could be recognised by, and no token, gets into a message.

use std::marker::PhantomData;

use crate::codes::Class;
use crate::json::WrongType;
use crate::{Advice, Denied, Fault, Response};

/// The longest wait that is asked of the host, whatever a header says.
const LONGEST_WAIT_SECONDS: u32 = 300;

/// What remedies have to know of a connector.
pub trait Platform {
    /// The settings that hold the platform's addresses, as an administrator reads them, such as "`api_host`".
    const ADDRESSES: &'static str;
}

/// A call that failed.
#[derive(Debug)]
pub struct Failure<P> {
    /// The platform's code; 0 when there was none.
    pub code: i64,
    /// What it means for the call.
    pub class: Class,
    /// What the host is told.
    pub fault: Fault,
    platform: PhantomData<P>,
}

impl<P> Failure<P> {
    /// The platform refused with a code. `wait_ms` counts where calls are too many; 0: it does not say.
    pub fn coded(code: i64, class: Class, advice: Advice, wait_ms: u32) -> Self {
        Self { code, class, fault: class.fault(advice, wait_ms), platform: PhantomData }
    }

    /// Something else than a code of the platform's.
    pub fn of(class: Class, advice: Advice) -> Self {
        Self::coded(0, class, advice, 0)
    }

    /// Too many calls, told without a code.
    pub fn crowded(wait_ms: u32) -> Self {
        Self {
            code: 0,
            class: Class::RateLimited,
            fault: Fault::RateLimited(wait_ms),
            platform: PhantomData,
        }
    }
}

impl<P: Platform> Failure<P> {
    /// The answer is none of the API's: a web page, half a document, something in between that speaks for itself. `trace`
    /// is what the platform's support finds the call by, ready to be read, or nothing.
    pub fn foreign(response: &impl Response, endpoint: &str, trace: &str) -> Self {
        let (status, addresses) = (response.status(), P::ADDRESSES);
        let kind = response.header("content-type").unwrap_or_default();
        let kind = kind.split(';').next().filter(|k| !k.is_empty()).unwrap_or("no content type");
        let (class, remedy) = match status {
            429 => return Self::crowded(wait_ms(response, "retry-after")),
            300..=399 | 404 | 405 => {
                (Class::Invalid, format!("check {addresses}: the API is not at this address"))
            }
            401 | 403 | 407 => (
                Class::Forbidden,
                format!("a proxy or gateway in between refuses: let it pass calls to {addresses}"),
            ),
            _ => (
                Class::Unavailable,
                format!(
                    "wait: the call is repeated; if it lasts, check {addresses} and the proxy in between"
                ),
            ),
        };
        let message =
            format!("{endpoint}: HTTP {status} with {kind} in place of the API's JSON{trace}");
        Self::of(class, Advice::new(format!("http-{status}"), message, remedy))
    }
}

impl<P> From<Failure<P>> for Fault {
    fn from(failure: Failure<P>) -> Self {
        failure.fault
    }
}

impl<P: Platform> From<WrongType> for Failure<P> {
    fn from(wrong: WrongType) -> Self {
        let message = format!("in the platform's answer {wrong}");
        let remedy = format!(
            "check {}; if that is right, look for a newer version of the plugin",
            P::ADDRESSES
        );
        Self::of(Class::Invalid, Advice::new("shape", message, remedy))
    }
}

impl<P: Platform> From<Denied> for Failure<P> {
    fn from(denied: Denied) -> Self {
        let (message, addresses) = (denied.to_string(), P::ADDRESSES);
        let (class, word, remedy) = match denied {
            Denied::NotGranted(host) => (
                Class::Forbidden,
                "host",
                format!("grant `{host}` to this connection, or correct {addresses}"),
            ),
            Denied::NoSecret(name) => {
                (Class::NoSecret, "secret", format!("set the secret `{name}` of this connection"))
            }
            Denied::Deadline => (
                Class::Unavailable,
                "deadline",
                "the call is repeated; if it lasts, raise the time limit of a call".to_owned(),
            ),
            Denied::Network(_) => (
                Class::Unavailable,
                "network",
                format!("check that this machine reaches {addresses}"),
            ),
            Denied::TooLarge(_) => (
                Class::TooLarge,
                "size",
                "raise the limit of a response in the configuration".to_owned(),
            ),
            Denied::Invalid(_) => (
                Class::Invalid,
                "request",
                format!("check {addresses}; if that is right, report this"),
            ),
        };
        Self::of(class, Advice::new(word, message, remedy))
    }
}

/// The seconds that a header names, as milliseconds and within five minutes; 0 when it names none.
pub fn wait_ms(response: &impl Response, header: &str) -> u32 {
    let seconds = response.header(header).and_then(|text| text.trim().parse::<u32>().ok());
    seconds.unwrap_or(0).min(LONGEST_WAIT_SECONDS) * 1000
}

/// Whether a word of a platform's, such as a call's id or a permission, may be told: it is not empty, has at most `most`
/// bytes, and holds only letters and digits of ASCII and `marks`.
pub fn plain(word: &str, most: usize, marks: &str) -> bool {
    (1..=most).contains(&word.len())
        && word.chars().all(|c| c.is_ascii_alphanumeric() || marks.contains(c))
}
