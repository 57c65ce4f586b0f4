//! From an answer that is no success to the fault it is.
//!
//! What this is not: the codes' meaning, which is the table in `codes`. The one invariant: nothing a person could be
//! recognised by, and no token, gets into a message; of the platform's own words only permissions and this machine's
//! own address do.

use rollcall_sdk::codes::{Class, Row};
use rollcall_sdk::failure::{self, Platform, plain};
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Fault, Response};

use crate::codes;

/// The platform's window of calls is a second.
const WAIT_MS: u32 = 1_000;
/// An address that called too often is blocked for so long.
const BLOCKED_MS: u32 = 5 * 60 * 1_000;
/// How many missing permissions are named.
const MOST_SCOPES: usize = 20;

/// What remedies have to know.
#[derive(Debug)]
pub(crate) enum DingTalk {}

impl Platform for DingTalk {
    const ADDRESSES: &'static str = "`api_host` and `oapi_host`";
}

/// A call that failed.
pub(crate) type Failure = failure::Failure<DingTalk>;

/// An answer that holds at `path` something else than what is `expected`.
pub(crate) fn wrong(path: &str, expected: &'static str) -> Failure {
    json::WrongType { path: path.to_owned(), expected }.into()
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
    let (Fault::Unauthorized(advice)
    | Fault::Forbidden(advice)
    | Fault::Invalid(advice)
    | Fault::Unavailable(advice)) = fault
    else {
        return;
    };
    if plain(word, 80, ".") {
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
    let class = row.map_or_else(|| Class::of_status(response.status()), |row| row.class);
    let what = row.map_or("a code that this connector does not know", |row| row.message);
    let message = format!("{endpoint}: {what}{}", trace(response));
    let mut remedy =
        row.map_or("look the code up in the platform's documentation", |row| row.remedy).to_owned();
    match class {
        Class::Scope => remedy.push_str(&scopes(response)),
        Class::Address => remedy.push_str(&address(response)),
        _ => {}
    }
    Failure::coded(code, class, Advice::new(code.to_string(), message, remedy), WAIT_MS)
}

/// The answer is neither envelope. An address that called too often is shown a page, or a status of its own.
fn no_envelope(response: &impl Response, endpoint: &str) -> Failure {
    match response.status() {
        429 => Failure::crowded(WAIT_MS),
        _ if json::integer(response, "/status").ok().flatten() == Some(1_111) => {
            Failure::crowded(BLOCKED_MS)
        }
        _ => {
            let mut failure = Failure::foreign(response, endpoint, &trace(response));
            if let Fault::Unavailable(advice) = &mut failure.fault {
                advice.remedy.push_str(
                    ". The platform shows a page for five minutes to an address that called too often",
                );
            }
            failure
        }
    }
}

/// The id under which the platform's support finds the call.
fn trace(response: &impl Response) -> String {
    let at = |path| json::text(response, path).ok().flatten();
    let id = at("/request_id").or_else(|| at("/requestid"));
    id.filter(|id| plain(id, 64, "-")).map_or_else(String::new, |id| format!(" (request id {id})"))
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
    let shaped = text.starts_with("qyapi_")
        || text.starts_with("field")
        || (text.contains('.') && text.ends_with(|c: char| c.is_ascii_alphabetic()));
    text.len() >= 4
        && plain(text, 80, "._")
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
