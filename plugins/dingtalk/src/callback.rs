//! Deliveries: verified, decrypted, and answered with the encrypted `success` that the platform wants (DingTalk fact
//! sheet, section 5.2).
//!
//! What this is not: what an event means, which is `events`. The one invariant: nothing is an event that was not signed
//! and encrypted with this connection's secrets for this connection's app, unless the channel vouches for it.
//!
//! # Why the initialisation vector is zero
//! The platform's is the first half of the AES key, which a plugin never sees. In CBC a wrong vector changes the first
//! sixteen bytes alone, and those are random in every packet, received or sent.

use base64::Engine as _;
use base64::alphabet;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use rollcall_sdk::{
    Advice, Answer, Cbc, Delivery, DigestAlgorithm, EVENT, Host, KeyForm, Padding, Part, Refused,
};
use serde_json::{Map, Value, json};

/// The secret that signs.
const TOKEN: &str = "callback_token";
/// The secret that encrypts.
const KEY: &str = "callback_aes_key";
/// The random start of a packet, and the length after it.
const RANDOM: usize = 16;
const LENGTH: usize = 4;
const CIPHER: Cbc<'static> =
    Cbc { secret: KEY, form: KeyForm::Base64Text, padding: Padding::Pkcs7To32, iv: &[0; 16] };
/// The platform repeats a delivery after 10 and 30 seconds; an hour leaves room for clocks and queues.
const OLDEST_MS: i64 = 3_600_000;
/// How far ahead the platform's clock may be.
const AHEAD_MS: i64 = 5 * 60_000;
/// Some senders leave bits in the last character that no byte needs.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(crate) fn receive<H: Host>(host: &H, delivery: &Delivery) -> Result<Answer, Refused> {
    if delivery.method == EVENT {
        // The channel has authenticated it, and nothing in it is encrypted.
        let event = framed(delivery);
        return Ok(taken(&event, &json!({"status": "SUCCESS"})));
    }
    if !host.has_secret(TOKEN) || !host.has_secret(KEY) {
        return Err(unready("`callback_token` and `callback_aes_key` are not both configured"));
    }
    let owner = owner(host)?;
    let body = object(&delivery.body).ok_or_else(|| broken("the body is no JSON object"))?;
    let sealed = body.get("encrypt").and_then(Value::as_str);
    let sealed = sealed.ok_or_else(|| broken("the body holds no `encrypt`"))?;
    let time = signed(host, delivery, sealed)?;
    fresh(host, &time)?;
    let event = opened(host, sealed, &owner)?;
    let answer = success(host, &owner)?;
    let kind = object(&event)
        .and_then(|event| event.get("EventType").and_then(Value::as_str).map(str::to_owned));
    // The address is tried, also in the words of older suites.
    if matches!(
        kind.as_deref(),
        Some("check_url" | "check_create_suite_url" | "check_update_suite_url")
    ) {
        return Ok(reply(&answer));
    }
    Ok(taken(&event, &answer))
}

/// Whose key stands at the end of every packet: the app's, unless the subscription was made otherwise.
fn owner<H: Host>(host: &H) -> Result<String, Refused> {
    let setting = |name| host.setting(name).map(|text| text.trim().to_owned());
    let own = setting("callback_owner").filter(|text| !text.is_empty());
    own.or_else(|| setting("client_id").filter(|text| !text.is_empty()))
        .ok_or_else(|| unready("the setting `client_id` is missing"))
}

/// Checks the signature and gives the time that it covers. Both spellings of the parameters are met.
fn signed<H: Host>(host: &H, delivery: &Delivery, sealed: &str) -> Result<String, Refused> {
    let either = |one, other| delivery.parameter(one).or_else(|| delivery.parameter(other));
    let (Some(found), Some(time), Some(nonce)) = (
        either("msg_signature", "signature"),
        either("timestamp", "timeStamp"),
        delivery.parameter("nonce"),
    ) else {
        return Err(broken("its address lacks a signature, a time or a nonce"));
    };
    let wanted = signature(host, &time, &nonce, sealed)?;
    if same(wanted.as_bytes(), found.as_bytes()) {
        Ok(time)
    } else {
        Err(forged("its signature does not fit `callback_token`"))
    }
}

fn signature<H: Host>(host: &H, time: &str, nonce: &str, sealed: &str) -> Result<String, Refused> {
    let parts = [
        Part::Secret(TOKEN),
        Part::Bytes(time.as_bytes()),
        Part::Bytes(nonce.as_bytes()),
        Part::Bytes(sealed.as_bytes()),
    ];
    let digest = host.digest(DigestAlgorithm::Sha1, &parts, true);
    digest.map(|digest| hex(&digest)).map_err(|reason| unready(&reason.to_string()))
}

fn fresh<H: Host>(host: &H, time: &str) -> Result<(), Refused> {
    let at = match (time.len(), time.parse::<i64>()) {
        (13, Ok(millis)) => millis,
        (10, Ok(seconds)) => seconds * 1_000,
        _ => return Err(broken("its time is none")),
    };
    let age = host.now_ms().saturating_sub(at);
    if (-AHEAD_MS..=OLDEST_MS).contains(&age) {
        return Ok(());
    }
    Err(Refused::Stale(Advice {
        code: "stale".to_owned(),
        message: format!("a delivery is {} minutes old", age / 60_000),
        remedy: "if it is no replay, set this machine's clock".to_owned(),
    }))
}

/// What a packet holds: random bytes, the length of the event in bytes, the event, the owner's key.
fn opened<H: Host>(host: &H, sealed: &str, owner: &str) -> Result<Vec<u8>, Refused> {
    let sealed = BASE64.decode(sealed).map_err(|_| broken("`encrypt` is no base64"))?;
    let packet = host
        .decrypt_cbc(&CIPHER, &sealed)
        .map_err(|_| forged("it does not decrypt with `callback_aes_key`"))?;
    let cut_off = || broken("the decrypted packet is shorter than it says");
    let length = packet.get(RANDOM..RANDOM + LENGTH).ok_or_else(cut_off)?;
    let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let rest = &packet[RANDOM + LENGTH..];
    let (event, found) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    if found == owner.as_bytes() {
        return Ok(event.to_vec());
    }
    Err(of_another(found))
}

/// The packet is authentic and for someone else: mostly a subscription that was made another way.
fn of_another(found: &[u8]) -> Refused {
    let plain = |text: &&str| {
        (1..=64).contains(&text.len()) && text.bytes().all(|b| b.is_ascii_alphanumeric())
    };
    let found = std::str::from_utf8(found).ok().filter(plain).unwrap_or("something unreadable");
    Refused::Forged(Advice {
        code: "owner".to_owned(),
        message: format!("a delivery is for the owner {found}, not for this connection's app"),
        remedy: "if that is the tenant's or the suite's own key, set `callback_owner` to it; else subscribe to events on the \
                 page of the app that `client_id` names"
            .to_owned(),
    })
}

/// The one word that the platform waits for, encrypted and signed as its own packets are.
fn success<H: Host>(host: &H, owner: &str) -> Result<Value, Refused> {
    const WORD: &[u8] = b"success";
    let mut packet = host.random(16);
    packet.extend([0, 0, 0, 7]);
    packet.extend_from_slice(WORD);
    packet.extend_from_slice(owner.as_bytes());
    let sealed = host.encrypt_cbc(&CIPHER, &packet).map_err(|reason| unready(&reason.0))?;
    let sealed = BASE64.encode(sealed);
    let (time, nonce) = (host.now_ms().to_string(), hex(&host.random(8)));
    let signature = signature(host, &time, &nonce, &sealed)?;
    Ok(json!({"msg_signature": signature, "timeStamp": time, "nonce": nonce, "encrypt": sealed}))
}

/// An event of the long connection: what its frame says beside it is put in front, as HTTP has it.
fn framed(delivery: &Delivery) -> Vec<u8> {
    let Some(Value::Object(data)) = object(&delivery.body) else { return delivery.body.clone() };
    let mut event = Map::new();
    for (header, name) in
        [("eventtype", "EventType"), ("eventid", "eventId"), ("eventcorpid", "CorpId")]
    {
        if let Some(value) = delivery.header(header) {
            event.insert(name.to_owned(), value.into());
        }
    }
    event.extend(data);
    Value::Object(event).to_string().into_bytes()
}

/// The answer to an event, which is kept. Repetitions bear the same id.
fn taken(event: &[u8], answer: &Value) -> Answer {
    let id = object(event);
    let id = id.as_ref().and_then(|event| event.get("eventId")).and_then(Value::as_str);
    let event_id = id.filter(|id| !id.is_empty()).map(str::to_owned);
    Answer { event_id, event: Some(event.to_vec()), ..reply(answer) }
}

fn reply(body: &Value) -> Answer {
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
    const DIGITS: &[u8; 16] = b"0123456789abcdef";
    let digit = |half: u8| char::from(DIGITS[usize::from(half)]);
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
        remedy: "if DingTalk sent it, copy token and AES key again from the app's page `Event Subscriptions`"
            .to_owned(),
    })
}

fn broken(what: &str) -> Refused {
    Refused::Broken(Advice {
        code: "broken".to_owned(),
        message: format!("a delivery cannot be read: {what}"),
        remedy: "check that the proxy in front passes address and body on unchanged".to_owned(),
    })
}

fn unready(what: &str) -> Refused {
    Refused::Unready(Advice {
        code: "secret".to_owned(),
        message: format!("no delivery can be verified: {what}"),
        remedy:
            "set both secrets of this connection to what the app's page `Event Subscriptions` shows"
                .to_owned(),
    })
}
