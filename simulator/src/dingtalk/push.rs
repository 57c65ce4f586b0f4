//! How a delivery over HTTP is encrypted and signed, and how its answer is checked (DingTalk fact sheet, section 5.2).
//!
//! Not when, or how often. The invariant: a packet is random bytes, the length of the text in bytes, the text and the
//! owner's key, filled up to 32 bytes.

use std::sync::Arc;

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet;
use base64::engine::general_purpose::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockDecryptMut as _, KeyIvInit as _};
use serde_json::{Value, json};
use sha1::{Digest as _, Sha1};

use crate::cipher;
use crate::push::{CallbackKeys, Post, Push, Reply};
use crate::site::Site;

const BLOCK: u8 = 32;
const RANDOM: usize = 16;
/// By this the platform tries an address.
const TRIAL: &str = r#"{"EventType":"check_url"}"#;
/// Keys come without padding, and with bits in the last character that no byte needs.
const KEYS: GeneralPurpose = GeneralPurpose::new(
    &alphabet::STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// A subscription made on the app's own page: the app's id ends every packet.
pub(super) struct Sender {
    site: Arc<Site>,
    token: String,
    aes_key: String,
}

impl Sender {
    /// `None` without a key of 32 bytes: DingTalk pushes nothing in the clear.
    pub(super) fn new(site: Arc<Site>, keys: CallbackKeys) -> Option<Self> {
        let aes_key = keys.key.filter(|key| key_of(key).is_some())?;
        Some(Self { site, token: keys.token, aes_key })
    }

    fn seal(&self) -> Seal<'_> {
        Seal { token: &self.token, aes_key: &self.aes_key, owner: &self.site.config.app_id }
    }
}

impl Push for Sender {
    fn trial(&self) -> Post {
        self.post(TRIAL)
    }

    fn passes(&self, reply: &Reply) -> bool {
        self.acknowledges(reply)
    }

    fn post(&self, event: &str) -> Post {
        let mut random = [0; RANDOM];
        random.copy_from_slice(&cipher::sha256(&[event.as_bytes()])[..RANDOM]);
        self.seal().post(event, self.site.clock.now() * 1_000, random).unwrap_or_default()
    }

    fn acknowledges(&self, reply: &Reply) -> bool {
        reply.status == 200 && self.seal().is_success(&reply.body)
    }
}

/// An AES key out of its 43 characters.
fn key_of(text: &str) -> Option<[u8; 32]> {
    KEYS.decode(text).ok()?.try_into().ok()
}

/// One subscription's secrets, and whose key ends every packet.
#[derive(Clone, Debug)]
struct Seal<'a> {
    token: &'a str,
    aes_key: &'a str,
    owner: &'a str,
}

impl Seal<'_> {
    /// A delivery of a text at a time; `None` when the key is none.
    fn post(&self, text: &str, at_ms: i64, random: [u8; RANDOM]) -> Option<Post> {
        let sealed = self.close(text.as_bytes(), random)?;
        let (time, nonce) = (at_ms.to_string(), cipher::hex(&random[..4]));
        let signature = self.signature(&time, &nonce, &sealed);
        Some(Post {
            query: format!(
                "msg_signature={signature}&signature={signature}&timestamp={time}&nonce={nonce}"
            ),
            content_type: "application/json",
            body: json!({ "encrypt": sealed }).to_string().into_bytes(),
            ..Post::default()
        })
    }

    /// Whether an answer is the encrypted and signed `success`.
    fn is_success(&self, body: &[u8]) -> bool {
        let Ok(answer) = serde_json::from_slice::<Value>(body) else { return false };
        let text = |name: &str| answer[name].as_str();
        let (Some(signature), Some(time), Some(nonce), Some(sealed)) =
            (text("msg_signature"), text("timeStamp"), text("nonce"), text("encrypt"))
        else {
            return false;
        };
        self.signature(time, nonce, sealed) == signature
            && self.open(sealed).as_deref() == Some(b"success".as_slice())
    }

    fn close(&self, text: &[u8], random: [u8; RANDOM]) -> Option<String> {
        let key = key_of(self.aes_key)?;
        let mut packet = random.to_vec();
        packet.extend_from_slice(&u32::try_from(text.len()).ok()?.to_be_bytes());
        packet.extend_from_slice(text);
        packet.extend_from_slice(self.owner.as_bytes());
        Some(STANDARD.encode(cipher::encrypt(&key, key.first_chunk()?, BLOCK, &packet)))
    }

    fn open(&self, sealed: &str) -> Option<Vec<u8>> {
        let key = key_of(self.aes_key)?;
        let cipher = cbc::Decryptor::<Aes256>::new(&key.into(), key.first_chunk::<16>()?.into());
        let sealed = STANDARD.decode(sealed).ok()?;
        let packet = cipher.decrypt_padded_vec_mut::<NoPadding>(&sealed).ok()?;
        let fill = usize::from(*packet.last()?);
        let end =
            packet.len().checked_sub(fill).filter(|_| (1..=usize::from(BLOCK)).contains(&fill))?;
        let (packet, filled) = packet.split_at(end);
        let length = packet.get(RANDOM..RANDOM + 4)?.try_into().ok().map(u32::from_be_bytes)?;
        let (text, owner) = packet[RANDOM + 4..].split_at_checked(usize::try_from(length).ok()?)?;
        let whole = filled.iter().all(|byte| usize::from(*byte) == fill);
        (whole && owner == self.owner.as_bytes()).then(|| text.to_vec())
    }

    fn signature(&self, time: &str, nonce: &str, sealed: &str) -> String {
        let mut parts = [self.token, time, nonce, sealed];
        parts.sort_unstable();
        cipher::hex(&Sha1::digest(parts.concat()))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Vector 1 of the fact sheet's section 5.6.
    const SEAL: Seal<'static> = Seal {
        token: "tokenxxxx",
        aes_key: "o1w0aum42yaptlz8alnhwikjd3jenzt9cb9wmzptgus",
        owner: "dingxxxxxx",
    };
    const SEALED: &str =
        "X1VSe9cTJUMZu60d3kyLYTrBq5578ZRJtteU94wG0Q4Uk6E/wQYeJRIC0/UFW5Wkya1Ihz9oXAdLlyC9TRaqsQ==";

    #[test]
    fn the_published_packet_is_made_to_the_letter() {
        assert_eq!(SEAL.close(b"success", *b"WelUQl6bCqcBa2fM").as_deref(), Some(SEALED));
        let signature = SEAL.signature("1605695694141", "WelUQl6bCqcBa2fM", SEALED);
        assert_eq!(signature, "f36f4ba5337d426c7d4bca0dbcb06b3ddc1388fc");
    }

    #[test]
    fn only_the_signed_word_of_the_same_owner_is_success() {
        let answer = |signature: &str, sealed: &str| {
            serde_json::json!({
                "msg_signature": signature, "timeStamp": "1605695694141",
                "nonce": "WelUQl6bCqcBa2fM", "encrypt": sealed
            })
            .to_string()
        };
        let good = answer("f36f4ba5337d426c7d4bca0dbcb06b3ddc1388fc", SEALED);
        assert!(SEAL.is_success(good.as_bytes()));
        assert!(!Seal { owner: "dingother", ..SEAL }.is_success(good.as_bytes()));
        assert!(!SEAL.is_success(answer("f36f", SEALED).as_bytes()));
        assert!(!SEAL.is_success(b"success"));
        let other = SEAL.close("谢谢".as_bytes(), [7; 16]).unwrap();
        let signature = SEAL.signature("1605695694141", "WelUQl6bCqcBa2fM", &other);
        assert!(!SEAL.is_success(answer(&signature, &other).as_bytes()));
        assert_eq!(SEAL.open(&other).as_deref(), Some("谢谢".as_bytes()));
    }
}
