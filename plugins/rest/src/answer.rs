//! From an answer to the fault it is: first by the description's table, then by the HTTP status.
//!
//! The one invariant: nothing of an answer but its status and its code gets into a message.

use rollcall_sdk::failure::wait_ms;
use rollcall_sdk::json::WrongType;
use rollcall_sdk::{Advice, Denied, Fault, Response};

use crate::spec::{Meaning, Rule, Spec};

/// A call that failed.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Failure {
    pub(crate) meaning: Meaning,
    pub(crate) fault: Fault,
}

impl Failure {
    pub(crate) fn invalid(code: &str, message: impl Into<String>, remedy: &str) -> Self {
        let fault = Fault::Invalid(Advice::new(code, message, remedy));
        Self { meaning: Meaning::Invalid, fault }
    }

    pub(crate) fn unavailable(code: &str, message: impl Into<String>, remedy: &str) -> Self {
        let fault = Fault::Unavailable(Advice::new(code, message, remedy));
        Self { meaning: Meaning::Unavailable, fault }
    }

    /// Where a token is asked for, a refused request is a refused client.
    pub(crate) fn of_token(self) -> Self {
        match (self.meaning, self.fault) {
            (Meaning::Token | Meaning::Invalid, Fault::Unauthorized(it) | Fault::Invalid(it)) => {
                let remedy =
                    "check `client_id`, the secret and `scope` of the description's `auth.oauth2`";
                let fault = Fault::Unauthorized(Advice { remedy: remedy.to_owned(), ..it });
                Self { meaning: Meaning::Unauthorized, fault }
            }
            (meaning, fault) => Self { meaning, fault },
        }
    }
}

impl From<Failure> for Fault {
    fn from(failure: Failure) -> Self {
        failure.fault
    }
}

impl From<Fault> for Failure {
    fn from(fault: Fault) -> Self {
        Self { meaning: Meaning::Invalid, fault }
    }
}

impl From<WrongType> for Failure {
    fn from(wrong: WrongType) -> Self {
        let remedy = "compare the pointers of the description with what the API answers";
        Self::invalid("shape", format!("in the API's answer {wrong}"), remedy)
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let message = denied.to_string();
        let (meaning, fault) = match denied {
            Denied::NotGranted(host) => {
                let remedy = format!("grant `{host}` to this connection, or correct `base_url`");
                (Meaning::Forbidden, Fault::Forbidden(Advice::new("host", message, &remedy)))
            }
            Denied::NoSecret(name) => {
                let remedy = format!("set the secret `{name}` of this connection");
                (
                    Meaning::Unauthorized,
                    Fault::Unauthorized(Advice::new("secret", message, &remedy)),
                )
            }
            Denied::Deadline => {
                let remedy = "the call is repeated; if it lasts, raise the time limit of a call";
                (Meaning::Unavailable, Fault::Unavailable(Advice::new("deadline", message, remedy)))
            }
            Denied::Network(_) => {
                let remedy = "check that this machine reaches `base_url`";
                (Meaning::Unavailable, Fault::Unavailable(Advice::new("network", message, remedy)))
            }
            Denied::TooLarge(_) => {
                let remedy =
                    "ask for smaller pages in the description, or raise the limit of a response";
                (Meaning::Invalid, Fault::Invalid(Advice::new("size", message, remedy)))
            }
            Denied::Invalid(_) => {
                let remedy = "correct the request in the description";
                (Meaning::Invalid, Fault::Invalid(Advice::new("request", message, remedy)))
            }
        };
        Self { meaning, fault }
    }
}

/// The answer, if it is a success.
pub(crate) fn judge<R: Response>(response: R, spec: &Spec, place: &str) -> Result<R, Failure> {
    let status = response.status();
    let code = spec.code.as_ref().and_then(|code| code_of(&response, &code.at));
    if let Some(rule) = spec.errors.iter().find(|rule| fits(rule, status, code.as_deref())) {
        return Err(ruled(rule, &response, place, status, code));
    }
    if !(200..300).contains(&status) {
        let meaning = by_status(status);
        return Err(told(meaning, place, status, code, &Told::of(meaning, &response)));
    }
    match (&spec.code, code) {
        (Some(known), Some(code)) if !known.ok.iter().any(|ok| ok.0 == code) => {
            let meaning = Meaning::Invalid;
            Err(told(meaning, place, status, Some(code), &Told::of(meaning, &response)))
        }
        (Some(_), None) => Err(no_json(place, &response)),
        (Some(_), Some(_)) | (None, _) => Ok(response),
    }
}

/// What is no document of the API's: a web page, half an answer, another server.
pub(crate) fn no_json(place: &str, response: &impl Response) -> Failure {
    let kind = response.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().unwrap_or_default().trim();
    let plain = kind.len() <= 40 && kind.bytes().all(|b| b.is_ascii_graphic());
    let kind = if plain && !kind.is_empty() { kind } else { "something" };
    let status = response.status();
    Failure::unavailable(
        &format!("http-{status}"),
        format!("`{place}`: HTTP {status} with {kind} in place of the described JSON"),
        "wait: the call is repeated; if it lasts, check `base_url` and the proxy in between",
    )
}

fn code_of(response: &impl Response, at: &str) -> Option<String> {
    let raw = response.pointer(at)?;
    let text = raw.trim_matches('"');
    let plain =
        text.len() <= 40 && text.bytes().all(|b| b.is_ascii_alphanumeric() || b"_.-".contains(&b));
    plain.then(|| text.to_owned())
}

fn fits(rule: &Rule, status: u16, code: Option<&str>) -> bool {
    let by_code = || code.is_some_and(|code| rule.code.iter().any(|one| one.0 == code));
    rule.status.is_none_or(|one| one == status) && (rule.code.is_empty() || by_code())
}

fn by_status(status: u16) -> Meaning {
    match status {
        401 => Meaning::Token,
        403 | 407 => Meaning::Forbidden,
        404 | 410 => Meaning::NotFound,
        408 | 500.. => Meaning::Unavailable,
        429 => Meaning::RateLimited,
        _ => Meaning::Invalid,
    }
}

/// The words of a fault.
struct Told {
    message: Option<String>,
    remedy: String,
    wait_ms: u32,
}

impl Told {
    fn of(meaning: Meaning, response: &impl Response) -> Self {
        let wait_ms = wait_ms(response, "retry-after");
        Self { message: None, remedy: remedy(meaning).to_owned(), wait_ms }
    }
}

fn ruled(
    rule: &Rule,
    response: &impl Response,
    place: &str,
    status: u16,
    code: Option<String>,
) -> Failure {
    let words = Told {
        message: rule.message.clone(),
        remedy: rule.remedy.clone().unwrap_or_else(|| remedy(rule.is).to_owned()),
        wait_ms: wait_ms(response, rule.wait.as_deref().unwrap_or("retry-after")),
    };
    told(rule.is, place, status, code, &words)
}

fn told(meaning: Meaning, place: &str, status: u16, code: Option<String>, words: &Told) -> Failure {
    let shown = code.as_ref().map(|code| format!(" (code {code})")).unwrap_or_default();
    let happened = words.message.clone().unwrap_or_else(|| "the API refuses the call".to_owned());
    let advice = Advice {
        code: code.unwrap_or_else(|| format!("http-{status}")),
        message: format!("`{place}`: {happened}: HTTP {status}{shown}"),
        remedy: words.remedy.clone(),
    };
    let fault = match meaning {
        Meaning::Token | Meaning::Unauthorized => Fault::Unauthorized(advice),
        Meaning::Forbidden => Fault::Forbidden(advice),
        Meaning::RateLimited => Fault::RateLimited(words.wait_ms),
        Meaning::NotFound => Fault::NotFound,
        Meaning::Invalid => Fault::Invalid(advice),
        Meaning::StaleCursor => Fault::StaleCursor,
        Meaning::Unavailable => Fault::Unavailable(advice),
    };
    Failure { meaning, fault }
}

fn remedy(meaning: Meaning) -> &'static str {
    match meaning {
        Meaning::Token | Meaning::Unauthorized => {
            "check the secret of this connection and how the description's `auth` names it"
        }
        Meaning::Forbidden => "give the credentials of this connection the right to read this",
        Meaning::RateLimited | Meaning::Unavailable => {
            "wait: the call is repeated; if it lasts, ask whoever runs the API"
        }
        Meaning::NotFound | Meaning::Invalid | Meaning::StaleCursor => {
            "compare path, query and body in the description with the API's documentation"
        }
    }
}
