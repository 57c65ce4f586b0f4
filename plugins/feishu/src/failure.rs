//! From an answer that is no success to the fault it is.
//!
//! What this is not: the codes' meaning, which is the table in `codes`. The one invariant: nothing a person could be
//! recognised by, and no token, gets into a message; of the platform's own words only known ones do.

use rollcall_sdk::codes::Class;
use rollcall_sdk::failure::{self, Platform, plain, wait_ms};
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Response};

use crate::codes;

/// How many missing permissions are named.
const MOST_SUBJECTS: u32 = 20;

/// What remedies have to know.
#[derive(Debug)]
pub(crate) enum Feishu {}

impl Platform for Feishu {
    const ADDRESSES: &'static str = "`open_host`";
}

/// A call that failed.
pub(crate) type Failure = failure::Failure<Feishu>;

/// `Ok` when the answer's code is 0. The HTTP status alone decides nothing: expired tokens come with 200.
pub(crate) fn check<R: Response>(response: R, endpoint: &str) -> Result<R, Failure> {
    match json::integer(&response, "/code") {
        Ok(Some(0)) => Ok(response),
        Ok(Some(code)) => Err(refused(&response, endpoint, code)),
        Ok(None) | Err(_) => Err(Failure::foreign(&response, endpoint, &trace(&response))),
    }
}

/// The platform answered with a code.
fn refused(response: &impl Response, endpoint: &str, code: i64) -> Failure {
    let row = codes::look_up(code);
    let class = row.map_or_else(|| Class::of_status(response.status()), |row| row.class);
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
    let wait = match wait_ms(response, "x-ogw-ratelimit-reset") {
        0 => wait_ms(response, "retry-after"),
        wait => wait,
    };
    Failure::coded(code, class, Advice::new(code.to_string(), message, remedy), wait)
}

/// The id under which the platform's support finds the call.
fn trace(response: &impl Response) -> String {
    let id = response.header("x-tt-logid").or_else(|| response.header("x-request-id"));
    id.filter(|id| plain(id, 64, "-")).map_or_else(String::new, |id| format!(" (log id {id})"))
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
    plain(text, 100, ":._-")
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
