//! From an answer that is no success to the fault it is.
//!
//! What this is not: the codes' meaning, which is the table in `codes`. The one invariant: nothing a person could be
//! recognised by, and no token, gets into a message; of the platform's own words only the hint and this machine's
//! address do.

use rollcall_sdk::codes::Class;
use rollcall_sdk::failure::{self, Platform, plain, wait_ms};
use rollcall_sdk::json;
use rollcall_sdk::{Advice, Response};

use crate::api::Call;
use crate::codes::{
    self, CROWD_WAIT_MS, FREQUENCY, FREQUENCY_WAIT_MS, NOT_CALLABLE, UNTRUSTED_ADDRESS,
};

/// What remedies have to know.
#[derive(Debug)]
pub(crate) enum WeCom {}

impl Platform for WeCom {
    const ADDRESSES: &'static str = "`api_host`";
}

/// A call that failed.
pub(crate) type Failure = failure::Failure<WeCom>;

/// `Ok` when the answer's code is 0, or when there is none and what was asked for is there: some calls leave the code
/// out when all is well.
pub(crate) fn check<R: Response>(response: R, call: &Call) -> Result<R, Failure> {
    match json::integer(&response, "/errcode") {
        Ok(Some(0)) => Ok(response),
        Ok(Some(code)) => Err(refused(&response, call.endpoint, code)),
        Ok(None) if response.pointer(call.holds).is_some() => Ok(response),
        Ok(None) | Err(_) => Err(Failure::foreign(&response, call.endpoint, "")),
    }
}

/// The platform answered with a code.
fn refused(response: &impl Response, endpoint: &str, code: i64) -> Failure {
    let row = codes::look_up(code);
    let class = row.map_or_else(|| Class::of_status(response.status()), |row| row.class);
    let what = row.map_or("a code that this connector does not know", |row| row.message);
    let words = json::text(response, "/errmsg").ok().flatten().unwrap_or_default();
    let message = format!("{endpoint}: {what}{}", hint(&words));
    let mut remedy =
        row.map_or("look the code up in the platform's documentation", |row| row.remedy).to_owned();
    if matches!(code, UNTRUSTED_ADDRESS | NOT_CALLABLE) {
        remedy.push_str(&address(&words));
    }
    let wait = match row {
        Some(_) if code == FREQUENCY => FREQUENCY_WAIT_MS,
        Some(_) => CROWD_WAIT_MS,
        None => wait_ms(response, "retry-after"),
    };
    Failure::coded(code, class, Advice::new(code.to_string(), message, remedy), wait)
}

/// The hint under which the platform's support finds the call.
fn hint(words: &str) -> String {
    let hint = words.split_once("hint: [").and_then(|(_, rest)| rest.split_once(']'));
    hint.map(|(hint, _)| hint)
        .filter(|hint| plain(hint, 80, "_-"))
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
