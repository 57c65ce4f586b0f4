//! Deliveries: verified and decrypted (WeCom fact sheet, sections 5.1 and 5.2).
//!
//! What this is not: what an event means, which is `events`. The one invariant: nothing is an event that was not signed and
//! encrypted with this connection's secrets for this connection's company.
//!
//! # Why the initialisation vector is zero
//! The platform's is the first half of the AES key, which a plugin never sees. In CBC a wrong vector changes the first
//! sixteen bytes alone, and those are random in every packet.
//!
//! # Why there is no event id
//! The sender of every contact event is `sys`, ids may be 0 and times have seconds: no part of an event names it. The host
//! takes the whole decrypted event for that.

use rollcall_sdk::{
    Advice, Answer, Cbc, Delivery, DigestAlgorithm, Host, KeyForm, Padding, Part, Refused,
};

use crate::{base64, xml};

/// The secret that signs.
const TOKEN: &str = "callback_token";
/// The secret that encrypts.
const KEY: &str = "callback_aes_key";
const CIPHER: Cbc<'static> =
    Cbc { secret: KEY, form: KeyForm::Base64Text, padding: Padding::Pkcs7To32, iv: &[0; 16] };
/// The random start of a packet, and the length after it.
const RANDOM: usize = 16;
const LENGTH: usize = 4;
/// The platform tries three times within half a minute; an hour leaves room for clocks and queues.
const OLDEST_SECONDS: i64 = 3_600;
/// How far ahead the platform's clock may be.
const AHEAD_SECONDS: i64 = 300;

pub(crate) fn receive<H: Host>(host: &H, delivery: &Delivery) -> Result<Answer, Refused> {
    if !host.has_secret(TOKEN) || !host.has_secret(KEY) {
        return Err(unready("`callback_token` and `callback_aes_key` are not both configured"));
    }
    let Some(corp) = host.setting("corp_id").map(|id| id.trim().to_owned()) else {
        return Err(unready("the setting `corp_id` is missing"));
    };
    let sealed = match delivery.method.as_str() {
        "GET" => delivery.parameter("echostr").ok_or_else(|| broken("it lacks an `echostr`"))?,
        "POST" => sealed(&delivery.body).ok_or_else(|| broken("the body holds no `Encrypt`"))?,
        _ => return Err(broken("it came by a method that the platform does not use")),
    };
    let time = signed(host, delivery, &sealed)?;
    fresh(host, &time)?;
    let message = opened(host, &sealed, &corp)?;
    let answer = |body, event| Answer {
        status: 200,
        content_type: "text/plain; charset=utf-8".to_owned(),
        body,
        event_id: None,
        event,
    };
    // The address is tried with a text that is wanted back as it is; an event is taken with an empty answer.
    Ok(match delivery.method.as_str() {
        "GET" => answer(message, None),
        _ => answer(Vec::new(), Some(message)),
    })
}

/// What is encrypted in the body of an event.
fn sealed(body: &[u8]) -> Option<String> {
    let children = xml::children(std::str::from_utf8(body).ok()?)?;
    let (_, inner) = children.into_iter().find(|(name, _)| *name == "Encrypt")?;
    xml::text(inner).filter(|text| !text.is_empty())
}

/// Checks the signature and gives the time that it covers.
fn signed<H: Host>(host: &H, delivery: &Delivery, sealed: &str) -> Result<String, Refused> {
    let (Some(found), Some(time), Some(nonce)) = (
        delivery.parameter("msg_signature"),
        delivery.parameter("timestamp"),
        delivery.parameter("nonce"),
    ) else {
        return Err(broken("its address lacks a signature, a time or a nonce"));
    };
    let parts = [
        Part::Secret(TOKEN),
        Part::Bytes(time.as_bytes()),
        Part::Bytes(nonce.as_bytes()),
        Part::Bytes(sealed.as_bytes()),
    ];
    let digest = host
        .digest(DigestAlgorithm::Sha1, &parts, true)
        .map_err(|reason| unready(&reason.to_string()))?;
    if same(hex(&digest).as_bytes(), found.as_bytes()) {
        Ok(time)
    } else {
        Err(forged("its signature does not fit `callback_token`"))
    }
}

fn fresh<H: Host>(host: &H, time: &str) -> Result<(), Refused> {
    let at = time.parse::<i64>().map_err(|_| broken("its time is none"))?;
    let age = (host.now_ms() / 1_000).saturating_sub(at);
    if (-AHEAD_SECONDS..=OLDEST_SECONDS).contains(&age) {
        return Ok(());
    }
    let message = format!("a delivery is {} minutes old", age / 60);
    let remedy = "if it is no replay, set this machine's clock";
    Err(Refused::Stale(Advice::new("stale", message, remedy)))
}

/// What a packet holds: random bytes, the length of the message in bytes, the message, the company's id.
fn opened<H: Host>(host: &H, sealed: &str, corp: &str) -> Result<Vec<u8>, Refused> {
    let sealed = base64::decode(sealed).ok_or_else(|| broken("what is encrypted is no base64"))?;
    let packet = host
        .decrypt_cbc(&CIPHER, &sealed)
        .map_err(|_| forged("it does not decrypt with `callback_aes_key`"))?;
    let cut_off = || broken("the decrypted packet is shorter than it says");
    let length = packet.get(RANDOM..RANDOM + LENGTH).ok_or_else(cut_off)?;
    let length = length.iter().fold(0_usize, |sum, byte| (sum << 8) | usize::from(*byte));
    let rest = &packet[RANDOM + LENGTH..];
    let (message, receiver) = rest.split_at_checked(length).ok_or_else(cut_off)?;
    if receiver == corp.as_bytes() {
        return Ok(message.to_vec());
    }
    Err(forged("it is for another company than `corp_id`"))
}

/// Compares in a time that does not tell how much fits.
fn same(wanted: &[u8], found: &[u8]) -> bool {
    wanted.len() == found.len()
        && wanted.iter().zip(found).fold(0, |odd, (one, other)| odd | (one ^ other)) == 0
}

fn hex(bytes: &[u8]) -> String {
    const HEX: &[u8; 16] = b"0123456789abcdef";
    let digits = bytes.iter().flat_map(|byte| [byte >> 4, byte & 15]);
    digits.map(|digit| char::from(HEX[usize::from(digit)])).collect()
}

const PAGE: &str = "compare `corp_id`, `callback_token` and `callback_aes_key` with the page where the callback is set up (管理工具 - 通讯录同步 - 接收事件服务器)";

fn unready(message: &str) -> Refused {
    let remedy = "set `corp_id`, and as secrets the Token and the EncodingAESKey of 管理工具 - 通讯录同步 - 接收事件服务器";
    Refused::Unready(Advice {
        code: "callback".to_owned(),
        message: message.to_owned(),
        remedy: remedy.to_owned(),
    })
}

fn broken(message: &str) -> Refused {
    Refused::Broken(Advice::new("callback", format!("a delivery cannot be read: {message}"), PAGE))
}

fn forged(message: &str) -> Refused {
    Refused::Forged(Advice::new("callback", format!("a delivery is refused: {message}"), PAGE))
}
