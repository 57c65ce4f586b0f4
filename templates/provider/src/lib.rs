//! A connector to start from: an API that hands out tokens, lists departments and people, and pages by cursor.
//!
//! What it does not do: mapping (write `mappings/starter-provider/*.rhai`), retries, back-off, storage; the host has those.
//!
//! Three rules keep data safe, and `rollcall plugin test` checks them:
//! 1. An answer that is not understood is a fault, never an empty page: absence would look like people who left.
//! 2. Records stay in the host. A page says where they stand (`Slice`); the plugin reads only what steers it.
//! 3. A plugin keeps no state between calls. What must last is in the cursor or remembered by the host.

use rollcall_sdk::failure::{self, Platform, wait_ms};
use rollcall_sdk::{
    Advice, Content, Directory, Evidence, Fault, Finding, Host, Kind, Page, Plugin, Request,
    Response, Slice, Walk, json,
};

/// What remedies name: the settings that hold the API's address.
enum Api {}

impl Platform for Api {
    const ADDRESSES: &'static str = "`base_url`";
}

/// A call that failed; the faults that every connector meets come with their remedies. Larger APIs keep their codes in a
/// table (`rollcall_sdk::codes`).
type Failure = failure::Failure<Api>;

/// The connector. It has no fields: everything it needs comes from the host.
#[derive(Clone, Copy, Debug)]
pub struct StarterProvider;

// Makes the crate a component. Name only what is implemented: `attendance` and `callback` are there too.
rollcall_sdk::export!(StarterProvider: plugin, directory);

impl<H: Host> Plugin<H> for StarterProvider {
    /// What an administrator sees before the first run: credentials and each listing, tried once.
    fn probe(host: &H) -> Result<Vec<Finding>, Fault> {
        let mut findings = Vec::new();
        for kind in [Kind::Department, Kind::Employee] {
            let check = format!("listing {}", path_of(kind)?);
            let (passed, remedy) = match list(host, kind, None) {
                Ok(_) => (true, None),
                // What an administrator can mend is a finding; that the API does not answer is a fault.
                Err(Fault::Unauthorized(it) | Fault::Forbidden(it) | Fault::Invalid(it)) => {
                    (false, Some(format!("{}; {}", it.message, it.remedy)))
                }
                Err(fault) => return Err(fault),
            };
            findings.push(Finding { check, passed, remedy });
        }
        Ok(findings)
    }
}

impl<H: Host> Directory<H> for StarterProvider {
    /// Each kind is one listing. Where people are listed by department, say `Walk::PerDepartment(Kind::Employee)` and
    /// use `within`; the host then walks the departments, several at once.
    fn walks() -> Vec<Walk> {
        vec![Walk::Whole(Kind::Department), Walk::Whole(Kind::Employee)]
    }

    fn enumerate(
        host: &H,
        kind: Kind,
        _within: Option<&str>,
        cursor: Option<&str>,
    ) -> Result<Page<H::Response>, Fault> {
        list(host, kind, cursor)
    }

    /// Single objects, 50 at most: what the host reads after an event. Answer `Err(Fault::Unsupported)` when the API cannot.
    fn fetch(host: &H, kind: Kind, ids: &[String]) -> Result<Content<H::Response>, Fault> {
        if ids.is_empty() {
            return Ok(Content::Empty);
        }
        let ids: Vec<String> = ids.iter().map(|id| format!("id={}", encode(id))).collect();
        let response = get(host, &format!("{}/batch?{}", path_of(kind)?, ids.join("&")))?;
        records(response)
    }
}

/// The kinds that the API has.
fn path_of(kind: Kind) -> Result<&'static str, Fault> {
    match kind {
        Kind::Department => Ok("/v1/departments"),
        Kind::Employee => Ok("/v1/people"),
        Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => Err(Fault::Unsupported),
    }
}

/// One page. Our cursor is the API's own; it may be any text that leads on.
fn list<H: Host>(host: &H, kind: Kind, cursor: Option<&str>) -> Result<Page<H::Response>, Fault> {
    // Cursors hold whatever the API likes: encode them.
    let query = cursor.map(|cursor| format!("&cursor={}", encode(cursor))).unwrap_or_default();
    let response = get(host, &format!("{}?limit=100{query}", path_of(kind)?))?;
    let next =
        json::text(&response, "/next").map_err(Failure::from)?.filter(|next| !next.is_empty());
    if next.is_some() && next.as_deref() == cursor {
        // Else the listing would never end.
        return Err(Fault::Unavailable(Advice::new(
            "paging",
            "the API hands back the cursor that it was given",
            "list again later; if it lasts, ask the API's support",
        )));
    }
    // The API's own count of the whole listing licenses retirements. Leave it out where there is none: never count
    // yourself.
    let total = json::integer(&response, "/total").map_err(Failure::from)?;
    let total = total.and_then(|total| u64::try_from(total).ok());
    let evidence = total.map(|total| Evidence { scope: None, total: Some(total) });
    Ok(Page { content: records(response)?, next, evidence })
}

/// Where the records stand in an answer. They are not parsed here, and not copied.
fn records<R: Response>(response: R) -> Result<Content<R>, Fault> {
    match response.count("/items") {
        Some(0) => Ok(Content::Empty),
        Some(_) => Ok(Content::Sliced(Slice {
            response,
            items: "/items".to_owned(),
            // Several pointers make a compound id.
            id: vec!["/id".to_owned()],
        })),
        // No array: a web page, half an answer, another version of the API. Not an empty listing.
        None => Err(Fault::Unavailable(Advice::new(
            "shape",
            "the answer is not the API's JSON",
            "wait: the call is repeated; if it lasts, check `base_url` and the proxy in between",
        ))),
    }
}

/// `GET` with a token; once more with a new one when the token is what is refused.
fn get<H: Host>(host: &H, path: &str) -> Result<H::Response, Fault> {
    let token = token(host)?;
    match attempt(host, path, &token) {
        Err(Fault::Unauthorized(_)) => {
            // Unless a call beside this one has a new token by now.
            if host.recall(TOKEN).as_deref() == Some(token.as_str()) {
                host.forget(TOKEN);
            }
            attempt(host, path, &self::token(host)?)
        }
        answer => answer,
    }
}

fn attempt<H: Host>(host: &H, path: &str, token: &str) -> Result<H::Response, Fault> {
    let request = Request {
        method: "GET",
        url: format!("{}{path}", base_url(host)?),
        headers: vec![("Authorization".to_owned(), format!("Bearer {token}"))],
        body: Vec::new(),
    };
    judge(host.send(request).map_err(Failure::from)?)
}

/// The key under which the host keeps the token, for this connection alone.
const TOKEN: &str = "token";

/// The token that the host keeps, or a new one.
fn token<H: Host>(host: &H) -> Result<String, Fault> {
    if let Some(token) = host.recall(TOKEN) {
        return Ok(token);
    }
    let client_id = host.setting("client_id").unwrap_or_default();
    // The secret never enters the plugin: the host puts it where its name stands, towards granted hosts only.
    let body = format!(
        r#"{{"client_id":{},"client_secret":"{{secret:client_secret}}"}}"#,
        json::quote(&client_id)
    );
    let request = Request {
        method: "POST",
        url: format!("{}/oauth/token", base_url(host)?),
        headers: vec![("Content-Type".to_owned(), "application/json".to_owned())],
        body: body.into_bytes(),
    };
    let response = judge(host.send(request).map_err(Failure::from)?)?;
    let token = json::text(&response, "/access_token").map_err(Failure::from)?;
    let Some(token) =
        token.filter(|token| token.bytes().all(|b| b.is_ascii_graphic() && b != b'{'))
    else {
        let remedy = "check `base_url`: what answers there issues no usable token";
        return Err(Fault::Invalid(Advice::new("shape", "the answer holds no token", remedy)));
    };
    let seconds = json::integer(&response, "/expires_in").map_err(Failure::from)?.unwrap_or(0);
    // Given up two minutes before its end, so that no call starts with one that ends under way.
    if let Some(keep) = u32::try_from(seconds - 120).ok().filter(|keep| *keep > 0) {
        host.remember(TOKEN, &token, keep);
    }
    Ok(token)
}

/// From an answer that is no success to the fault it is. Replace this by the API's own table of codes: the remedies are what
/// an administrator reads at night.
fn judge<R: Response>(response: R) -> Result<R, Fault> {
    let status = response.status();
    let code = format!("http-{status}");
    let message = format!("the API answers HTTP {status}");
    match status {
        200..=299 => Ok(response),
        401 => Err(Fault::Unauthorized(Advice::new(
            code,
            message,
            "check `client_id` and the secret `client_secret` of this connection",
        ))),
        403 => Err(Fault::Forbidden(Advice::new(
            code,
            message,
            "give the client the scope directory.read in the API's admin console",
        ))),
        429 => Err(Fault::RateLimited(wait_ms(&response, "retry-after"))),
        408 | 500.. => Err(Fault::Unavailable(Advice::new(
            code,
            message,
            "wait: the call is repeated; if it lasts, ask the API's support",
        ))),
        _ => Err(Fault::Invalid(Advice::new(
            code,
            message,
            "look for a newer version of this connector",
        ))),
    }
}

fn base_url<H: Host>(host: &H) -> Result<String, Fault> {
    let url = host.setting("base_url").unwrap_or_default();
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(Fault::Invalid(Advice::new(
        "setting:base_url",
        "the setting `base_url` is no address",
        "write scheme and host in the settings of this connection, such as https://api.example.com",
    )))
}

/// Percent-encodes all but unreserved characters.
fn encode(text: &str) -> String {
    const HEX: &[u8; 16] = b"0123456789ABCDEF";
    let mut encoded = String::with_capacity(text.len());
    for byte in text.bytes() {
        if byte.is_ascii_alphanumeric() || b"-._~".contains(&byte) {
            encoded.push(char::from(byte));
        } else {
            encoded.push('%');
            encoded.push(char::from(HEX[usize::from(byte >> 4)]));
            encoded.push(char::from(HEX[usize::from(byte & 15)]));
        }
    }
    encoded
}
