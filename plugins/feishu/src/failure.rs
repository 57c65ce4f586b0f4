//! From an answer that is no success to the fault it is.
//!
//! What this is not: the codes' meaning, which is the table in `codes`. The one invariant: nothing a person could be
//! recognised by, and no token, gets into a message; of the platform's own words only known ones do.

use rollcall_sdk::json::{self, WrongType};
use rollcall_sdk::{Advice, Denied, Fault, Response};

use crate::codes::{self, Class};

/// The longest wait that is asked of the host, whatever a header says.
const LONGEST_WAIT_SECONDS: u32 = 300;
/// How many missing permissions are named.
const MOST_SUBJECTS: u32 = 20;

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
        let remedy = "check `open_host`; if it is right, look for a newer version of the plugin";
        let advice = advice("shape", format!("in the platform's answer {wrong}"), remedy);
        Self { code: 0, class: Class::Invalid, fault: Fault::Invalid(advice) }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let message = denied.to_string();
        let (class, fault) = match denied {
            Denied::NotGranted(host) => {
                let remedy = format!("grant `{host}` to this connection, or correct `open_host`");
                (Class::Forbidden, Fault::Forbidden(advice("host", message, &remedy)))
            }
            Denied::NoSecret(name) => {
                let remedy = format!("set the secret `{name}` of this connection");
                (Class::Unauthorized, Fault::Unauthorized(advice("secret", message, &remedy)))
            }
            Denied::Deadline => {
                let remedy = "the call is repeated; if it lasts, raise the time limit of a call";
                (Class::Unavailable, Fault::Unavailable(advice("deadline", message, remedy)))
            }
            Denied::Network(_) => {
                let remedy = "check that this machine reaches `open_host`";
                (Class::Unavailable, Fault::Unavailable(advice("network", message, remedy)))
            }
            Denied::TooLarge(_) => {
                let remedy = "raise the limit of a response in the configuration";
                (Class::Invalid, Fault::Invalid(advice("size", message, remedy)))
            }
            Denied::Invalid(_) => {
                let remedy = "check `open_host`; if it is right, report this";
                (Class::Invalid, Fault::Invalid(advice("request", message, remedy)))
            }
        };
        Self { code: 0, class, fault }
    }
}

/// `Ok` when the answer's code is 0. The HTTP status alone decides nothing: expired tokens come with 200.
pub(crate) fn check<R: Response>(response: R, endpoint: &str) -> Result<R, Failure> {
    match json::integer(&response, "/code") {
        Ok(Some(0)) => Ok(response),
        Ok(Some(code)) => Err(refused(&response, endpoint, code)),
        Ok(None) | Err(_) => Err(no_envelope(&response, endpoint)),
    }
}

/// The platform answered with a code.
fn refused(response: &impl Response, endpoint: &str, code: i64) -> Failure {
    let row = codes::look_up(code);
    let class = row.map_or_else(|| class_of_status(response.status()), |row| row.class);
    let what = row.map_or("a code that this connector does not know", |row| row.message);
    let mut message = format!("{endpoint}: {what}{}", trace(response));
    if class == Class::Invalid {
        message.push_str(&platform_words(response));
    }
    let mut remedy =
        row.map_or("look the code up in the platform's documentation", |row| row.remedy).to_owned();
    if class == Class::Scope {
        remedy.push_str(&subjects(response));
    }
    let advice = Advice { code: code.to_string(), message, remedy };
    let fault = match class {
        Class::Token | Class::Unauthorized => Fault::Unauthorized(advice),
        Class::Scope | Class::Forbidden => Fault::Forbidden(advice),
        Class::RateLimited => Fault::RateLimited(wait_ms(response)),
        Class::NotFound => Fault::NotFound,
        Class::StaleCursor => Fault::StaleCursor,
        Class::Invalid => Fault::Invalid(advice),
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

/// The answer is none of the open API's: a web page, half a document, something in between that speaks for itself.
fn no_envelope(response: &impl Response, endpoint: &str) -> Failure {
    let status = response.status();
    let kind = response.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().filter(|k| !k.is_empty()).unwrap_or("no content type");
    let message = format!(
        "{endpoint}: HTTP {status} with {kind} in place of the open API's JSON{}",
        trace(response)
    );
    let code = format!("http-{status}");
    let (class, fault) = match status {
        429 => (Class::RateLimited, Fault::RateLimited(wait_ms(response))),
        300..=399 | 404 | 405 => {
            let remedy = "check `open_host`: the open API is not at this address";
            (Class::Invalid, Fault::Invalid(Advice { code, message, remedy: remedy.into() }))
        }
        401 | 403 | 407 => {
            let remedy = "a proxy or gateway in between refuses: let it pass calls to `open_host`";
            (Class::Forbidden, Fault::Forbidden(Advice { code, message, remedy: remedy.into() }))
        }
        _ => {
            let remedy = "wait: the call is repeated; if it lasts, check `open_host` and the proxy in between";
            let advice = Advice { code, message, remedy: remedy.into() };
            (Class::Unavailable, Fault::Unavailable(advice))
        }
    };
    Failure { code: 0, class, fault }
}

/// What the rate limit's header says, in milliseconds; 0 when it says nothing.
fn wait_ms(response: &impl Response) -> u32 {
    let header = response
        .header("x-ogw-ratelimit-reset")
        .or_else(|| response.header("retry-after"))
        .unwrap_or_default();
    let seconds = header.trim().parse::<u32>().unwrap_or(0);
    seconds.min(LONGEST_WAIT_SECONDS) * 1000
}

/// The id under which the platform's support finds the call.
fn trace(response: &impl Response) -> String {
    let id = response.header("x-tt-logid").or_else(|| response.header("x-request-id"));
    let plain = |id: &String| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    id.filter(plain).map_or_else(String::new, |id| format!(" (log id {id})"))
}

/// The permissions that the platform names as missing.
fn subjects(response: &impl Response) -> String {
    let at = "/error/permission_violations";
    let count = response.count(at).unwrap_or(0).min(MOST_SUBJECTS);
    let subject = |i| json::text(response, &format!("{at}/{i}/subject")).ok().flatten();
    let named: Vec<String> = (0..count).filter_map(subject).filter(|s| is_scope(s)).collect();
    if named.is_empty() { String::new() } else { format!("; missing: {}", named.join(", ")) }
}

fn is_scope(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b':' | b'.' | b'_' | b'-');
    (1..=100).contains(&text.len()) && text.bytes().all(plain)
}

/// The words of the platform's messages that may be told. Any other may be an id or a name: tenants choose those
/// freely, also as plain words.
const PLAIN_WORDS: &[&str] = &[
    "access",
    "and",
    "are",
    "array",
    "at",
    "be",
    "body",
    "cannot",
    "check_date_from",
    "check_date_to",
    "check_time_from",
    "check_time_to",
    "date",
    "day",
    "days",
    "denied",
    "department_id",
    "department_id_type",
    "department_ids",
    "empty",
    "employee_type",
    "equal",
    "error",
    "exceed",
    "exceeds",
    "exist",
    "failed",
    "fetch_child",
    "field",
    "for",
    "format",
    "forbidden",
    "from",
    "greater",
    "id",
    "ids",
    "in",
    "int",
    "integer",
    "internal",
    "invalid",
    "is",
    "large",
    "length",
    "less",
    "limit",
    "list",
    "long",
    "max",
    "maximum",
    "min",
    "missing",
    "more",
    "must",
    "no",
    "not",
    "number",
    "of",
    "or",
    "out",
    "page_size",
    "page_token",
    "param",
    "parameter",
    "parameters",
    "params",
    "permission",
    "range",
    "request",
    "required",
    "size",
    "small",
    "string",
    "than",
    "the",
    "time",
    "to",
    "token",
    "too",
    "type",
    "unknown",
    "user_id",
    "user_id_type",
    "user_ids",
    "validation",
    "value",
    "wrong",
];

/// What of the platform's message may be told.
fn platform_words(response: &impl Response) -> String {
    let text = json::text(response, "/msg").ok().flatten().unwrap_or_default();
    let words: Vec<&str> = text
        .split_whitespace()
        .map(|word| word.trim_matches(|c: char| c.is_ascii_punctuation()))
        .filter(|word| PLAIN_WORDS.contains(word))
        .take(20)
        .collect();
    if words.is_empty() { String::new() } else { format!("; it says: {}", words.join(" ")) }
}

pub(crate) fn advice(code: &str, message: impl Into<String>, remedy: &str) -> Advice {
    Advice { code: code.to_owned(), message: message.into(), remedy: remedy.to_owned() }
}
