//! From an answer that is no success to the fault it is.
//!
//! What this is not: the codes' meaning, which is the table in `codes`. The one invariant: nothing a person could be
//! recognised by, and no token, gets into a message; of the platform's own words only permissions and this machine's
//! own address do.

use rollcall_sdk::json::{self, WrongType};
use rollcall_sdk::{Advice, Denied, Fault, Response};

use crate::codes::{self, Class, Row};

/// The platform's window of calls is a second.
const WAIT_MS: u32 = 1_000;
/// An address that called too often is blocked for so long.
const BLOCKED_MS: u32 = 5 * 60 * 1_000;
/// How many missing permissions are named.
const MOST_SCOPES: usize = 20;

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
        let remedy = "check `oapi_host`; if it is right, look for a newer version of the plugin";
        let advice = advice("shape", format!("in the platform's answer {wrong}"), remedy);
        Self { code: 0, class: Class::Invalid, fault: Fault::Invalid(advice) }
    }
}

impl From<Denied> for Failure {
    fn from(denied: Denied) -> Self {
        let message = denied.to_string();
        let (class, fault) = match denied {
            Denied::NotGranted(host) => {
                let remedy = format!(
                    "grant `{host}` to this connection, or correct `api_host` and `oapi_host`"
                );
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
                let remedy = "check that this machine reaches `api_host` and `oapi_host`";
                (Class::Unavailable, Fault::Unavailable(advice("network", message, remedy)))
            }
            Denied::TooLarge(_) => {
                let remedy = "raise the limit of a response in the configuration";
                (Class::Invalid, Fault::Invalid(advice("size", message, remedy)))
            }
            Denied::Invalid(_) => {
                let remedy = "check `api_host` and `oapi_host`; if they are right, report this";
                (Class::Invalid, Fault::Invalid(advice("request", message, remedy)))
            }
        };
        Self { code: 0, class, fault }
    }
}

/// `Ok` when an answer of the old generation has code 0. The HTTP status says nothing: it is 200 for refusals too.
pub(crate) fn check<R: Response>(response: R, endpoint: &str) -> Result<R, Failure> {
    match code_of(&response) {
        Some(0) => Ok(response),
        Some(code) => Err(refused(&response, endpoint, code, codes::look_up(code))),
        None => Err(no_envelope(&response, endpoint)),
    }
}

/// `Ok` when an answer of the new generation has a status of success.
pub(crate) fn check_new<R: Response>(response: R, endpoint: &str) -> Result<R, Failure> {
    let word = json::text(&response, "/code").ok().flatten().filter(|word| !word.is_empty());
    match word {
        None if response.status() == 200
            && response.pointer("").is_some_and(|raw| raw.starts_with('{')) =>
        {
            // An old envelope in disguise, or a block, has no token in it; both are told as what they are.
            match response.pointer("/status").or_else(|| response.pointer("/errcode")) {
                None => Ok(response),
                Some(_) => check(response, endpoint),
            }
        }
        None => Err(no_envelope(&response, endpoint)),
        Some(word) => {
            let row = codes::look_up_word(&word);
            let mut failure = refused(&response, endpoint, 0, row);
            rename(&mut failure.fault, &word);
            Err(failure)
        }
    }
}

/// The new generation's codes are words: those that are plain ones are told.
fn rename(fault: &mut Fault, word: &str) {
    let plain = word.len() <= 80 && word.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'.');
    let (Fault::Unauthorized(advice)
    | Fault::Forbidden(advice)
    | Fault::Invalid(advice)
    | Fault::Unavailable(advice)) = fault
    else {
        return;
    };
    if plain {
        word.clone_into(&mut advice.code);
    }
}

/// The code that counts: the gateway's inner one, else that in its message, else the outer one.
fn code_of(response: &impl Response) -> Option<i64> {
    let outer = json::integer(response, "/errcode").ok().flatten()?;
    if outer == 0 {
        return Some(0);
    }
    let inner = json::integer(response, "/sub_code").ok().flatten();
    inner.or_else(|| code_in_words(response)).or(Some(outer))
}

fn code_in_words(response: &impl Response) -> Option<i64> {
    let text = json::text(response, "/errmsg").ok().flatten()?;
    let (_, after) = text.split_once("subcode=")?;
    after.split([',', ']']).next()?.trim().parse().ok()
}

/// The platform answered with a code.
fn refused(
    response: &impl Response,
    endpoint: &str,
    code: i64,
    row: Option<&'static Row>,
) -> Failure {
    let class = row.map_or_else(|| class_of_status(response.status()), |row| row.class);
    let what = row.map_or("a code that this connector does not know", |row| row.message);
    let message = format!("{endpoint}: {what}{}", trace(response));
    let mut remedy =
        row.map_or("look the code up in the platform's documentation", |row| row.remedy).to_owned();
    match class {
        Class::Scope => remedy.push_str(&scopes(response)),
        Class::Address => remedy.push_str(&address(response)),
        _ => {}
    }
    let advice = Advice { code: code.to_string(), message, remedy };
    let fault = match class {
        Class::Token | Class::Unauthorized => Fault::Unauthorized(advice),
        Class::Scope | Class::Address | Class::Forbidden | Class::Month => Fault::Forbidden(advice),
        Class::RateLimited => Fault::RateLimited(WAIT_MS),
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

/// The answer is neither envelope: a web page, half a document, a blocked address.
fn no_envelope(response: &impl Response, endpoint: &str) -> Failure {
    let status = response.status();
    if json::integer(response, "/status").ok().flatten() == Some(1_111) || status == 429 {
        let wait = if status == 429 { WAIT_MS } else { BLOCKED_MS };
        return Failure { code: 0, class: Class::RateLimited, fault: Fault::RateLimited(wait) };
    }
    let kind = response.header("content-type").unwrap_or_default();
    let kind = kind.split(';').next().filter(|k| !k.is_empty()).unwrap_or("no content type");
    let message = format!(
        "{endpoint}: HTTP {status} with {kind} in place of the API's JSON{}",
        trace(response)
    );
    let code = format!("http-{status}");
    let (class, fault) = match status {
        300..=399 | 404 | 405 => {
            let remedy = "check `api_host` and `oapi_host`: the API is not at this address";
            (Class::Invalid, Fault::Invalid(Advice { code, message, remedy: remedy.into() }))
        }
        401 | 403 | 407 => {
            let remedy = "a proxy or gateway in between refuses: let it pass calls to `api_host` and `oapi_host`";
            (Class::Forbidden, Fault::Forbidden(Advice { code, message, remedy: remedy.into() }))
        }
        _ => {
            let remedy = "wait: the call is repeated. The platform shows a page to an address that called too often, for five \
                          minutes; if it lasts longer, check `oapi_host` and the proxy in between";
            let advice = Advice { code, message, remedy: remedy.into() };
            (Class::Unavailable, Fault::Unavailable(advice))
        }
    };
    Failure { code: 0, class, fault }
}

/// The id under which the platform's support finds the call.
fn trace(response: &impl Response) -> String {
    let at = |path| json::text(response, path).ok().flatten();
    let id = at("/request_id").or_else(|| at("/requestid"));
    let plain = |id: &String| {
        (1..=64).contains(&id.len()) && id.bytes().all(|b| b.is_ascii_alphanumeric() || b == b'-')
    };
    id.filter(plain).map_or_else(String::new, |id| format!(" (request id {id})"))
}

/// The permissions that the platform names as missing: in a list, or in brackets in its message.
fn scopes(response: &impl Response) -> String {
    let listed = json::texts(response, "/accessdenieddetail/requiredScopes").unwrap_or_default();
    let words = message(response);
    let named: Vec<&str> = listed
        .iter()
        .map(String::as_str)
        .chain(words.split(['[', ']', ',', ' ', '=']))
        .filter(|word| is_scope(word))
        .take(MOST_SCOPES)
        .collect();
    if named.is_empty() { String::new() } else { format!("; missing: {}", named.join(", ")) }
}

/// A name such as `qyapi_get_member`, `Contact.User.Read` or `fieldMobile`; nothing a person is called.
fn is_scope(text: &str) -> bool {
    let plain = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'.' | b'_');
    let shaped = text.starts_with("qyapi_")
        || text.starts_with("field")
        || (text.contains('.') && text.ends_with(|c: char| c.is_ascii_alphabetic()));
    (4..=80).contains(&text.len())
        && text.bytes().all(plain)
        && text.starts_with(|c: char| c.is_ascii_alphabetic())
        && shaped
}

/// This machine's own address, as the platform sees it.
fn address(response: &impl Response) -> String {
    let words = message(response);
    let Some((_, after)) = words.split_once("request ip=") else { return String::new() };
    let shaped = |c: char| c.is_ascii_hexdigit() || matches!(c, '.' | ':');
    let end = after.find(|c: char| !shaped(c)).unwrap_or(after.len());
    let address = after[..end].trim_end_matches(['.', ':']);
    if (2..=45).contains(&address.len()) { format!(": {address}") } else { String::new() }
}

fn message(response: &impl Response) -> String {
    let at = |path| json::text(response, path).ok().flatten().filter(|text| !text.is_empty());
    at("/sub_msg").or_else(|| at("/errmsg")).or_else(|| at("/message")).unwrap_or_default()
}

pub(crate) fn advice(code: &str, message: impl Into<String>, remedy: &str) -> Advice {
    Advice { code: code.to_owned(), message: message.into(), remedy: remedy.to_owned() }
}
