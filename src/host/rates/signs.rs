//! Reads from an answer whether the platform throttles, and what it says about it.
//!
//! The invariant: an answer that is large is no refusal, so nothing large is searched.

use std::time::Duration;

use super::ask::ThrottledAsk;
use super::bucket::Throttle;
use crate::host::net::client::Fetched;
use crate::host::response::Response;

/// Answers larger than this are what was asked for.
const REFUSAL_BYTES: usize = 8 << 10;
/// The longest wait that an answer may ask for.
const LONGEST: Duration = Duration::from_hours(1);
const TOO_MANY_REQUESTS: u16 = 429;

/// What the answer says, if it is a refusal for the rate.
pub(super) fn read(signs: &[ThrottledAsk], fetched: &Fetched) -> Option<Throttle> {
    let Fetched { status, headers, body } = fetched;
    if body.len() > REFUSAL_BYTES && *status != TOO_MANY_REQUESTS {
        return None;
    }
    let (headers, body) = (headers.clone(), body.clone());
    let response = &Response::new(Fetched { status: *status, headers, body });
    let sign = signs.iter().find(|sign| holds(sign, response));
    if sign.is_none() && response.status() != TOO_MANY_REQUESTS {
        return None;
    }
    let number = |name: &str| response.header(name)?.trim().parse::<u32>().ok();
    let header = |of: fn(&ThrottledAsk) -> &Option<String>| {
        sign.and_then(|sign| of(sign).as_deref()).and_then(number)
    };
    let named = header(|sign| &sign.wait_header).or_else(|| number("retry-after"));
    let seconds = named.or_else(|| sign.and_then(|sign| sign.wait_seconds));
    Some(Throttle {
        wait: seconds.map(|seconds| Duration::from_secs(seconds.into()).min(LONGEST)),
        limit: header(|sign| &sign.limit_header),
        month: sign.is_some_and(|sign| sign.month),
    })
}

fn holds(sign: &ThrottledAsk, response: &Response) -> bool {
    if sign.status.is_some_and(|status| status != response.status()) {
        return false;
    }
    let Some(at) = &sign.at else { return true };
    let body = response.body();
    // Most answers hold none of these values anywhere, and need not be read for their sake.
    let held = |is: &String| memchr::memmem::find(body, is.as_bytes()).is_some();
    if body.len() > REFUSAL_BYTES || !sign.is.iter().any(held) {
        return false;
    }
    let value = response.pointer(at).map(|value| value.trim_matches('"'));
    value.is_some_and(|value| sign.is.iter().any(|is| is == value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use reqwest::header::{HeaderMap, HeaderName};

    fn answer(status: u16, headers: &[(&'static str, &str)], body: &str) -> Fetched {
        let mut map = HeaderMap::new();
        for (name, value) in headers {
            map.insert(HeaderName::from_static(name), value.parse().unwrap());
        }
        Fetched { status, headers: map, body: body.to_owned().into() }
    }

    fn signs() -> Vec<ThrottledAsk> {
        serde_json::from_str(
            r#"[{"at":"/code","is":["99991400"],"wait_header":"reset","limit_header":"limit"},
                {"at":"/errcode","is":["45009"],"wait_seconds":60},
                {"at":"/sub_code","is":["90020"],"month":true}]"#,
        )
        .unwrap()
    }

    fn told(wait: Option<u64>, limit: Option<u32>, month: bool) -> Throttle {
        Throttle { wait: wait.map(Duration::from_secs), limit, month }
    }

    #[test]
    fn codes_headers_and_the_bare_status_are_understood() {
        let read = |response| read(&signs(), &response);
        let limited = answer(400, &[("reset", "7"), ("limit", "50")], r#"{"code":99991400}"#);
        assert_eq!(read(limited), Some(told(Some(7), Some(50), false)));
        assert_eq!(
            read(answer(200, &[], r#"{"errcode":45009}"#)),
            Some(told(Some(60), None, false))
        );
        assert_eq!(read(answer(200, &[], r#"{"sub_code":"90020"}"#)), Some(told(None, None, true)));
        assert_eq!(
            read(answer(429, &[("retry-after", "3")], "")),
            Some(told(Some(3), None, false))
        );
        assert_eq!(
            read(answer(429, &[("retry-after", "99999")], "")),
            Some(told(Some(3600), None, false))
        );
        assert_eq!(read(answer(429, &[], "<html>")), Some(told(None, None, false)));
    }

    #[test]
    fn any_other_answer_is_none_whatever_its_size() {
        let read = |response| read(&signs(), &response);
        assert_eq!(read(answer(200, &[], r#"{"code":0}"#)), None);
        assert_eq!(read(answer(500, &[], "<html>")), None);
        let page = format!(r#"{{"items":"{}","code":99991400}}"#, "x".repeat(REFUSAL_BYTES));
        assert_eq!(read(answer(200, &[], &page)), None);
    }
}
