//! From an answer that is no success to the fault it is.
//!
//! What this is not: the codes' meaning, which is the table in `codes`. The one invariant: nothing a person could be
//! recognised by, and no token, gets into a message; of the platform's own words only the hint and this machine's
//! address do.

use rollcall_sdk::json::{self, WrongType};
use rollcall_sdk::{Advice, Denied, Fault, Response};

use crate::api::Call;
use crate::codes::{
    self, CROWD_WAIT_MS, Class, FREQUENCY, FREQUENCY_WAIT_MS, NOT_CALLABLE, UNTRUSTED_ADDRESS,
};

/// The longest wait that is asked of the host, whatever a header says.
const LONGEST_WAIT_SECONDS: u32 = 300;

/// A call that failed.
#[derive(Debug)]
pub(crate) struct Failure {
    /// The platform's code; 0 when there was none.
    pub(crate) code: i64,
    pub(crate) class: Class,
    pub(crate) fault: Fault,
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        failure.fault
    }
}

impl From<WrongType> for Failure {
    fn from(wrong: WrongType) -> Self {
        let remedy = "check `api_host`; if it is right, look for a newer version of the plugin";
        let advice = advice("shape", format!("in the platform's answer {wrong}"), remedy);
        Self { code: 0, class: Class::Invalid, fault: Fault::Invalid(advice) }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let message = denied.to_string();
        let (class, fault) = match denied {
            Denied::NotGranted(host) => {
                let remedy = format!("grant `{host}` to this connection, or correct `api_host`");
                (Class::Forbidden, Fault::Forbidden(advice("host", message, &remedy)))
            }
            Denied::NoSecret(name) => {
                let remedy = format!("set the secret `{name}` of this connection");
                (Class::NoSecret, Fault::Unauthorized(advice("secret", message, &remedy)))
            }
            Denied::Deadline => {
                let remedy = "the call is repeated; if it lasts, raise the time limit of a call";
                (Class::Unavailable, Fault::Unavailable(advice("deadline", message, remedy)))
            }
            Denied::Network(_) => {
                let remedy = "check that this machine reaches `api_host`";
                (Class::Unavailable, Fault::Unavailable(advice("network", message, remedy)))
            }
            Denied::TooLarge(_) => {
                let remedy = "raise the limit of a response in the configuration";
                (Class::TooLarge, Fault::Invalid(advice("size", message, remedy)))
            }
            Denied::Invalid(_) => {
                let remedy = "check `api_host`; if it is right, report this";
                (Class::Invalid, Fault::Invalid(advice("request", message, remedy)))
            }
        };
        Self { code: 0, class, fault }
    }
}

/// `Ok` when the answer's code is 0, or when there is none and what was asked for is there: some calls leave the code
/// out when all is well.
pub(crate) fn check<R: Response>(response: R, call: &Call) -> Result<R, Failure> {
    match json::integer(&response, "/errcode") {
        Ok(Some(0)) => Ok(response),
        Ok(Some(code)) => Err(refused(&response, call.endpoint, code)),
        Ok(None) if response.pointer(call.holds).is_some() => Ok(response),
        Ok(None) | Err(_) => Err(no_envelope(&response, call.endpoint)),
    }
}

/// The platform answered with a code.
fn refused(response: &impl Response, endpoint: &str, code: i64) -> Failure {
    let row = codes::look_up(code);
    let class = row.map_or_else(|| class_of_status(response.status()), |row| row.class);
    let what = row.map_or("a code that this connector does not know", |row| row.message);
    let words = json::text(response, "/errmsg").ok().flatten().unwrap_or_default();
    let message = format!("{endpoint}: {what}{}", hint(&words));
    let mut remedy =
        row.map_or("look the code up in the platform's documentation", |row| row.remedy).to_owned();
    if matches!(code, UNTRUSTED_ADDRESS | NOT_CALLABLE) {
        remedy.push_str(&address(&words));
    }
    let advice = Advice { code: code.to_string(), message, remedy };
    let fault = match class {
        Class::Token | Class::Unauthorized | Class::NoSecret => Fault::Unauthorized(advice),
        Class::Forbidden => Fault::Forbidden(advice),
        Class::RateLimited if code == FREQUENCY => Fault::RateLimited(FREQUENCY_WAIT_MS),
        Class::RateLimited if row.is_some() => Fault::RateLimited(CROWD_WAIT_MS),
        Class::RateLimited => Fault::RateLimited(wait_ms(response)),
        Class::NotFound => Fault::NotFound,
        Class::Invalid | Class::TooLarge => Fault::Invalid(advice),
        Class::Unavailable => Fault::Unavailable(advice),
    };
    Failure { code, class, fault }
}

fn class_of_status(status: u16) -> Class {
    match status {
        401 => Class::Unauthorized,
        403 => Class::Forbidden,
        429 => Class::RateLimited,
        500.. => Class::Unavailable,
        _ => Class::Invalid,
    }
}

/// The answer is none of the API's: a web page, half a document, something in between that speaks for itself.
fn no_envelope(response: &impl Response, endpoint: &str) -> Failure {
    let status = response.status();
    let kind = response.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().filter(|k| !k.is_empty()).unwrap_or("no content type");
    let message = format!("{endpoint}: HTTP {status} with {kind} in place of the API's JSON");
    let code = format!("http-{status}");
    let (class, fault) = match status {
        429 => (Class::RateLimited, Fault::RateLimited(wait_ms(response))),
        300..=399 | 404 | 405 => {
            let remedy = "check `api_host`: the API is not at this address";
            (Class::Invalid, Fault::Invalid(Advice { code, message, remedy: remedy.into() }))
        }
        401 | 403 | 407 => {
            let remedy = "a proxy or gateway in between refuses: let it pass calls to `api_host`";
            (Class::Forbidden, Fault::Forbidden(Advice { code, message, remedy: remedy.into() }))
        }
        _ => {
            let remedy = "wait: the call is repeated; if it lasts, check `api_host` and the proxy in between";
            let advice = Advice { code, message, remedy: remedy.into() };
            (Class::Unavailable, Fault::Unavailable(advice))
        }
    };
    Failure { code: 0, class, fault }
}

/// What a gateway says about waiting, in milliseconds; 0 when it says nothing.
fn wait_ms(response: &impl Response) -> u32 {
    let header = response.header("retry-after").unwrap_or_default();
    header.trim().parse::<u32>().unwrap_or(0).min(LONGEST_WAIT_SECONDS) * 1000
}

/// The hint under which the platform's support finds the call.
fn hint(words: &str) -> String {
    let hint = words.split_once("hint: [").and_then(|(_, rest)| rest.split_once(']'));
    let plain = |hint: &&str| {
        (1..=80).contains(&hint.len())
            && hint.bytes().all(|byte| byte.is_ascii_alphanumeric() || byte == b'_' || byte == b'-')
    };
    hint.map(|(hint, _)| hint)
        .filter(plain)
        .map_or_else(String::new, |hint| format!(" (hint {hint})"))
}

/// This machine's address as the platform sees it: what an administrator has to enter.
fn address(words: &str) -> String {
    let from = words.split_once("from ip: ").map_or("", |(_, rest)| rest);
    let end =
        from.find(|c: char| !(c.is_ascii_hexdigit() || c == '.' || c == ':')).unwrap_or(from.len());
    match from[..end].parse::<std::net::IpAddr>() {
        Ok(address) => format!("; the platform saw {address}"),
        Err(_) => String::new(),
    }
}

pub(crate) fn advice(code: &str, message: impl Into<String>, remedy: &str) -> Advice {
    Advice { code: code.to_owned(), message: message.into(), remedy: remedy.to_owned() }
}
