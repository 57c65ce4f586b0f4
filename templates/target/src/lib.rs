//! A target to start from: a system that keeps each record under a key that the caller chooses (`PUT /v1/people/{key}`).
//!
//! What it does not do: planning, order, gates, retries; the host has those, and calls `apply` with changes that were judged.
//!
//! Three rules keep data safe, and `rollcall plugin test` checks them:
//! 1. One result for each change, in order. One that is refused leaves the others in force.
//! 2. The same change twice has the effect of one: a run that was killed is repeated. Write by key; where the system has
//!    only its own ids, look the key up first.
//! 3. A field that is absent is left alone, one that is `null` is erased; a record is retired, never deleted for good.

use rollcall_sdk::{
    Advice, Change, Content, Denied, Fault, Finding, Host, Kind, Page, Plugin, Receipt, Request,
    Response, Slice, Target, Verb, json,
};

/// The target. It has no fields: everything it needs comes from the host.
#[derive(Clone, Copy, Debug)]
pub struct StarterTarget;

rollcall_sdk::export!(StarterTarget: plugin, target);

/// What the system takes, by kind. The host sends nothing that is not named here.
const DEPARTMENT: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "name": { "type": "string", "minLength": 1 },
    "parent_external_id": { "type": ["string", "null"] }
  },
  "additionalProperties": false
}"#;
const EMPLOYEE: &str = r#"{
  "$schema": "https://json-schema.org/draft/2020-12/schema",
  "type": "object",
  "properties": {
    "display_name": { "type": "string", "minLength": 1 },
    "job_title": { "type": ["string", "null"] },
    "status": { "enum": ["pending", "active", "suspended", "terminated"] }
  },
  "additionalProperties": false
}"#;

impl<H: Host> Plugin<H> for StarterTarget {
    /// What an administrator sees before the first run.
    fn probe(host: &H) -> Result<Vec<Finding>, Fault> {
        let check = "reading departments".to_owned();
        let remedy = match <Self as Target<H>>::enumerate(host, Kind::Department, None) {
            Ok(_) => None,
            Err(Fault::Unauthorized(it) | Fault::Forbidden(it) | Fault::Invalid(it)) => {
                Some(format!("{}; {}", it.message, it.remedy))
            }
            Err(fault) => return Err(fault),
        };
        Ok(vec![Finding { check, passed: remedy.is_none(), remedy }])
    }
}

impl<H: Host> Target<H> for StarterTarget {
    fn describe(_host: &H) -> Result<Vec<(Kind, String)>, Fault> {
        Ok(vec![(Kind::Department, DEPARTMENT.to_owned()), (Kind::Employee, EMPLOYEE.to_owned())])
    }

    /// What the system holds, with our key as the id. Answer `Err(Fault::Unsupported)` where it cannot be listed.
    fn enumerate(host: &H, kind: Kind, _cursor: Option<&str>) -> Result<Page<H::Response>, Fault> {
        let response = send(host, "GET", path_of(kind)?, None)?;
        let content = match response.count("/items") {
            Some(0) => Content::Empty,
            Some(_) => Content::Sliced(Slice {
                response,
                items: "/items".to_owned(),
                id: vec!["/external_id".to_owned()],
            }),
            None => return Err(no_json()),
        };
        Ok(Page { content, next: None, evidence: None })
    }

    /// The host asks for 50 changes at most, and allows a call 64 requests. A system with a batch call takes them as one.
    fn apply(host: &H, changes: &[Change]) -> Vec<Result<Receipt, Fault>> {
        let mut results: Vec<Result<Receipt, Fault>> = Vec::with_capacity(changes.len());
        for change in changes {
            // While the system asks to slow down or is gone, the rest need not be tried: they come again.
            let result = match results.last() {
                Some(Err(fault @ (Fault::RateLimited(_) | Fault::Unavailable(_)))) => {
                    Err(fault.clone())
                }
                _ => write(host, change),
            };
            results.push(result);
        }
        results
    }
}

fn path_of(kind: Kind) -> Result<&'static str, Fault> {
    match kind {
        Kind::Department => Ok("/v1/departments"),
        Kind::Employee => Ok("/v1/people"),
        Kind::CheckIn | Kind::AttendanceDay | Kind::Leave => Err(Fault::Unsupported),
    }
}

fn write<H: Host>(host: &H, change: &Change) -> Result<Receipt, Fault> {
    // Keys hold `:` and whatever the source has in its ids: encode them.
    let path = format!("{}/{}", path_of(change.kind)?, encode(&change.key));
    let response = match change.verb {
        // `fields` is a JSON object already, and means here what it means to the system: it is sent as it is.
        Verb::Upsert => send(host, "PUT", &path, Some(&change.fields))?,
        Verb::Retire => match send(host, "DELETE", &path, None) {
            // What is not there has ended: a repeated retirement is no fault.
            Err(Fault::NotFound) => {
                return Ok(Receipt { id: change.id.clone().unwrap_or_default(), before: None });
            }
            answer => answer?,
        },
    };
    let id = json::text(&response, "/id").map_err(|wrong| {
        let remedy = "look for a newer version of this target";
        Fault::Invalid(advice("shape", &format!("in the system's answer {wrong}"), remedy))
    })?;
    Ok(Receipt { id: id.ok_or_else(no_json)?, before: None })
}

fn send<H: Host>(
    host: &H,
    method: &'static str,
    path: &str,
    body: Option<&str>,
) -> Result<H::Response, Fault> {
    // The secret never enters the plugin: the host puts it where its name stands, towards granted hosts only.
    let mut headers = vec![("X-Api-Key".to_owned(), "{secret:api_key}".to_owned())];
    if body.is_some() {
        headers.push(("Content-Type".to_owned(), "application/json; charset=utf-8".to_owned()));
    }
    let url = format!("{}{path}", base_url(host)?);
    let body = body.unwrap_or_default().as_bytes().to_vec();
    judge(host.send(Request { method, url, headers, body }).map_err(denied)?)
}

/// From an answer that is no success to the fault it is. Replace this by the system's own table of codes.
fn judge<R: Response>(response: R) -> Result<R, Fault> {
    let status = response.status();
    let code = format!("http-{status}");
    let message = format!("the system answers HTTP {status}");
    match status {
        200..=299 => Ok(response),
        401 => Err(Fault::Unauthorized(advice(&code, &message, "check the secret `api_key`"))),
        403 => {
            Err(Fault::Forbidden(advice(&code, &message, "give the key the right records.write")))
        }
        404 => Err(Fault::NotFound),
        429 => {
            let seconds = response.header("retry-after").and_then(|text| text.parse::<u32>().ok());
            Err(Fault::RateLimited(seconds.unwrap_or(0).min(300) * 1000))
        }
        408 | 500.. => Err(Fault::Unavailable(advice(
            &code,
            &message,
            "wait: the change comes again; if it lasts, ask whoever runs the system",
        ))),
        _ => Err(Fault::Invalid(advice(
            &code,
            &message,
            "compare the target mapping's fields with what the system takes",
        ))),
    }
}

/// Why nothing was sent, or nothing came back, in an administrator's words.
fn denied(denied: Denied) -> Fault {
    let message = denied.to_string();
    match denied {
        Denied::NotGranted(host) => {
            let remedy = format!("grant `{host}` to this connection, or correct `base_url`");
            Fault::Forbidden(advice("host", &message, &remedy))
        }
        Denied::NoSecret(name) => {
            let remedy = format!("set the secret `{name}` of this connection");
            Fault::Unauthorized(advice("secret", &message, &remedy))
        }
        Denied::Deadline | Denied::Network(_) => {
            let remedy = "check that this machine reaches `base_url`";
            Fault::Unavailable(advice("network", &message, remedy))
        }
        Denied::TooLarge(_) | Denied::Invalid(_) => {
            Fault::Invalid(advice("request", &message, "report it to the author of this target"))
        }
    }
}

fn no_json() -> Fault {
    Fault::Unavailable(advice(
        "shape",
        "the answer is not the system's JSON",
        "wait: the call is repeated; if it lasts, check `base_url` and the proxy in between",
    ))
}

fn advice(code: &str, message: &str, remedy: &str) -> Advice {
    Advice { code: code.to_owned(), message: message.to_owned(), remedy: remedy.to_owned() }
}

fn base_url<H: Host>(host: &H) -> Result<String, Fault> {
    let url = host.setting("base_url").unwrap_or_default();
    if url.starts_with("https://") || url.starts_with("http://") {
        return Ok(url.trim_end_matches('/').to_owned());
    }
    Err(Fault::Invalid(advice(
        "setting:base_url",
        "the setting `base_url` is no address",
        "write scheme and host in the settings of this connection, such as https://hr.example.com",
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
