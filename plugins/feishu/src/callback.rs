//! Deliveries: verified, decrypted, and answered in the platform's words (fact sheet, section 5).
//!
//! What this is not: what an event means, which is `events`. The one invariant: with an encrypt key, nothing is an event
//! that was not encrypted and signed with it; without one, nothing that does not bear the verification token.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use rollcall_sdk::{
    Advice, Answer, Cbc, Delivery, DigestAlgorithm, EVENT, Host, KeyForm, Padding, Part, Refused,
};
use serde_json::{Value, json};

/// The secret that encrypts and signs.
const KEY: &str = "encrypt_key";
/// The secret that every event bears.
const TOKEN: &str = "verification_token";
const BLOCK: usize = 16;
/// The platform repeats an event for 7.1 hours, signed anew or not.
const OLDEST_MS: i64 = 8 * 3_600_000;
/// An event that waited for the one before it may be older than its delivery.
const OLDEST_EVENT_MS: i64 = 24 * 3_600_000;
/// How far ahead the platform's clock may be.
const AHEAD_MS: i64 = 5 * 60_000;

pub(crate) fn receive<H: Host>(host: &H, delivery: &Delivery) -> Result<Answer, Refused> {
    if delivery.method == EVENT {
        // The channel has authenticated it, and nothing in it is encrypted.
        return Ok(taken(&delivery.body));
    }
    let keys = Keys { keyed: host.has_secret(KEY), tokened: host.has_secret(TOKEN) };
    if !keys.keyed && !keys.tokened {
        return Err(unready("neither `encrypt_key` nor `verification_token` is configured"));
    }
    let signed = keys.keyed && signature(host, delivery)?;
    let body = object(&delivery.body).ok_or_else(|| broken("the body is no JSON object"))?;
    let plain = match body.get("encrypt").and_then(Value::as_str) {
        Some(_) if !keys.keyed => {
            return Err(unready("events are encrypted, and `encrypt_key` is not configured"));
        }
        Some(sealed) => opened(host, sealed)?,
        None if keys.keyed => {
            return Err(forged("it is not encrypted although `encrypt_key` is configured"));
        }
        None => delivery.body.clone(),
    };
    let event = object(&plain);
    if let Some(challenge) = event.as_ref().and_then(challenge) {
        token(host, &keys, event.as_ref())?;
        return Ok(answer(&json!({ "challenge": challenge })));
    }
    if keys.keyed && !signed {
        return Err(forged("it bears no signature"));
    }
    if event.is_some() || !signed {
        token(host, &keys, event.as_ref())?;
    }
    if let Some(event) = &event {
        of_this_app(host, event)?;
    }
    fresh(host, delivery, event.as_ref(), signed)?;
    Ok(taken(&plain))
}

/// Which secrets are configured.
struct Keys {
    keyed: bool,
    tokened: bool,
}

/// Whether the delivery is signed; a wrong signature is a forgery. The address is tried without one.
fn signature<H: Host>(host: &H, delivery: &Delivery) -> Result<bool, Refused> {
    let header = |name| delivery.header(name).map(str::as_bytes);
    let Some(found) = delivery.header("x-lark-signature") else { return Ok(false) };
    let (Some(time), Some(nonce)) =
        (header("x-lark-request-timestamp"), header("x-lark-request-nonce"))
    else {
        return Err(forged("its signature comes without a time or a nonce"));
    };
    let parts =
        [Part::Bytes(time), Part::Bytes(nonce), Part::Secret(KEY), Part::Bytes(&delivery.body)];
    let wanted = host
        .digest(DigestAlgorithm::Sha256, &parts, false)
        .map_err(|reason| unready(&reason.to_string()))?;
    if same(hex(&wanted).as_bytes(), found.as_bytes()) {
        Ok(true)
    } else {
        Err(forged("its signature does not fit `encrypt_key`"))
    }
}

fn opened<H: Host>(host: &H, sealed: &str) -> Result<Vec<u8>, Refused> {
    let sealed = STANDARD.decode(sealed).map_err(|_| broken("`encrypt` is no base64"))?;
    if sealed.len() < 2 * BLOCK || !sealed.len().is_multiple_of(BLOCK) {
        return Err(broken("`encrypt` is cut off"));
    }
    let (iv, data) = sealed.split_at(BLOCK);
    let (form, padding) = (KeyForm::Sha256OfText, Padding::Pkcs7To16);
    host.decrypt_cbc(&Cbc { secret: KEY, form, padding, iv }, data)
        .map_err(|_| forged("it does not decrypt with `encrypt_key`"))
}

fn token<H: Host>(host: &H, keys: &Keys, event: Option<&Value>) -> Result<(), Refused> {
    let found = event.and_then(|event| {
        event.pointer("/header/token").or_else(|| event.get("token")).and_then(Value::as_str)
    });
    if !keys.tokened || found.is_some_and(|found| host.is_secret(TOKEN, found.as_bytes())) {
        Ok(())
    } else {
        Err(forged("its token is not `verification_token`"))
    }
}

fn of_this_app<H: Host>(host: &H, event: &Value) -> Result<(), Refused> {
    let app = event.pointer("/header/app_id").or_else(|| event.pointer("/event/app_id"));
    let (Some(app), Some(own)) = (app.and_then(Value::as_str), host.setting("app_id")) else {
        return Ok(());
    };
    if app == own.trim() { Ok(()) } else { Err(forged("it is about another app than `app_id`")) }
}

/// Refuses what was signed or made at another time. A time that cannot be read proves nothing: repetitions are found by
/// their event's id all the same.
fn fresh<H: Host>(
    host: &H,
    delivery: &Delivery,
    event: Option<&Value>,
    signed: bool,
) -> Result<(), Refused> {
    let at = delivery.header("x-lark-request-timestamp").filter(|_| signed).and_then(millis);
    let made = || {
        let event = event?;
        let text = event.pointer("/header/create_time").or_else(|| event.get("ts"))?.as_str()?;
        millis(text.split('.').next().unwrap_or(text))
    };
    let (at, oldest) = match (at, made()) {
        (Some(at), _) => (at, OLDEST_MS),
        (None, Some(at)) => (at, OLDEST_EVENT_MS),
        (None, None) => return Ok(()),
    };
    let age = host.now_ms().saturating_sub(at);
    if (-AHEAD_MS..=oldest).contains(&age) {
        return Ok(());
    }
    Err(Refused::Stale(Advice {
        code: "stale".to_owned(),
        message: format!("a delivery is {} minutes old", age / 60_000),
        remedy: "if it is no replay, set this machine's clock".to_owned(),
    }))
}

/// Unix milliseconds out of seconds, milliseconds or microseconds, told by their length.
fn millis(text: &str) -> Option<i64> {
    let number: i64 = text.parse().ok().filter(|number| *number > 0)?;
    match text.len() {
        10 => Some(number * 1_000),
        13 => Some(number),
        16 => Some(number / 1_000),
        _ => None,
    }
}

fn challenge(event: &Value) -> Option<&str> {
    let verification = event.get("type")?.as_str()? == "url_verification";
    event.get("challenge").filter(|_| verification)?.as_str()
}

/// The answer to an event. Its id is the one that repetitions bear again.
fn taken(plain: &[u8]) -> Answer {
    let event = object(plain);
    let id =
        event.as_ref().and_then(|it| it.pointer("/header/event_id").or_else(|| it.get("uuid")));
    let event_id = id.and_then(Value::as_str).map(str::to_owned);
    Answer { event_id, event: Some(plain.to_vec()), ..answer(&json!({})) }
}

fn answer(body: &Value) -> Answer {
    Answer {
        status: 200,
        content_type: "application/json".to_owned(),
        body: body.to_string().into_bytes(),
        event_id: None,
        event: None,
    }
}

fn object(text: &[u8]) -> Option<Value> {
    serde_json::from_slice(text).ok().filter(Value::is_object)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

/// Compares in a time that tells nothing.
fn same(one: &[u8], other: &[u8]) -> bool {
    let differing = one.iter().zip(other).fold(0, |sum, (a, b)| sum | (a ^ b));
    one.len() == other.len() && differing == 0
}

fn forged(what: &str) -> Refused {
    Refused::Forged(Advice {
        code: "forged".to_owned(),
        message: format!("a delivery is not the platform's: {what}"),
        remedy: "if Feishu sent it, copy Encrypt Key and Verification Token again from the app's page `Events & Callbacks`".to_owned(),
    })
}

fn broken(what: &str) -> Refused {
    Refused::Broken(Advice {
        code: "broken".to_owned(),
        message: format!("a delivery cannot be read: {what}"),
        remedy: "check that the proxy in front passes bodies on unchanged".to_owned(),
    })
}

fn unready(what: &str) -> Refused {
    Refused::Unready(Advice {
        code: "secret".to_owned(),
        message: format!("no delivery can be verified: {what}"),
        remedy:
            "set both secrets of this connection to what the app's page `Events & Callbacks` shows"
                .to_owned(),
    })
}
