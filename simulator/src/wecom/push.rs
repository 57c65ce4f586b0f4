//! How WeCom pushes: XML that is always encrypted and signed, for one company.
//!
//! Not when. The invariant: what is sent names no more than the company outside of what is encrypted.

use std::sync::Arc;

use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};

use crate::cipher;
use crate::push::{CallbackKeys, Post, Push, Reply};
use crate::site::Site;

/// The text that a new address has to give back.
const WORD: &str = "1616140317555161061";
/// Packets are filled up to a multiple of this.
const FILL_TO: u8 = 32;
const KEY_CHARACTERS: usize = 43;
/// The last character of the platform's keys has bits that no byte needs.
const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

pub(super) struct Sender {
    site: Arc<Site>,
    token: String,
    key: [u8; 32],
}

impl Sender {
    /// `None` without a key, or with one that is none.
    pub(super) fn new(site: Arc<Site>, keys: CallbackKeys) -> Option<Self> {
        let key = key(keys.key.as_deref()?)?;
        Some(Self { site, token: keys.token, key })
    }

    /// What is encrypted, and the query that signs it.
    fn sealed(&self, message: &str) -> (String, String) {
        let digest = cipher::sha256(&[message.as_bytes()]);
        let random = std::array::from_fn(|at| digest[at]);
        let sealed = seal(&self.key, &self.site.config.app_id, random, message);
        let time = self.site.clock.now().to_string();
        let nonce = cipher::hex(&digest[16..20]);
        let signature = sign(&self.token, &time, &nonce, &sealed);
        (sealed, format!("msg_signature={signature}&timestamp={time}&nonce={nonce}"))
    }
}

impl Push for Sender {
    fn trial(&self) -> Post {
        let (sealed, query) = self.sealed(WORD);
        let escaped = sealed.replace('+', "%2B").replace('/', "%2F").replace('=', "%3D");
        Post { get: true, query: format!("{query}&echostr={escaped}"), ..Post::default() }
    }

    fn passes(&self, reply: &Reply) -> bool {
        reply.status == 200 && reply.body == WORD.as_bytes()
    }

    fn post(&self, event: &str) -> Post {
        let (sealed, query) = self.sealed(event);
        let body = format!(
            "<xml><ToUserName><![CDATA[{}]]></ToUserName><AgentID><![CDATA[]]></AgentID>\
             <Encrypt><![CDATA[{sealed}]]></Encrypt></xml>",
            self.site.config.app_id
        );
        Post { query, content_type: "text/xml", body: body.into_bytes(), ..Post::default() }
    }

    fn acknowledges(&self, reply: &Reply) -> bool {
        reply.status == 200
    }
}

/// The bytes of an `EncodingAESKey`.
fn key(text: &str) -> Option<[u8; 32]> {
    BASE64.decode(text).ok().filter(|_| text.len() == KEY_CHARACTERS)?.try_into().ok()
}

/// Random bytes, the message's length, the message and the company's id, encrypted, in base64.
fn seal(key: &[u8; 32], corp: &str, random: [u8; 16], message: &str) -> String {
    let mut packet = random.to_vec();
    packet.extend_from_slice(&u32::try_from(message.len()).unwrap_or(u32::MAX).to_be_bytes());
    packet.extend_from_slice(message.as_bytes());
    packet.extend_from_slice(corp.as_bytes());
    let vector = std::array::from_fn(|at| key[at]);
    cipher::base64(&cipher::encrypt(key, &vector, FILL_TO, &packet))
}

fn sign(token: &str, time: &str, nonce: &str, sealed: &str) -> String {
    let mut parts = [token, time, nonce, sealed];
    parts.sort_unstable();
    cipher::hex(&cipher::sha1(parts.concat().as_bytes()))
}

#[cfg(test)]
mod tests {
    use super::*;

    /// WeCom fact sheet, section 5.5, vector D2.
    #[test]
    fn the_published_sample_is_sealed_and_signed_to_the_byte() {
        const MESSAGE: &str = "<xml>\n<MsgType><![CDATA[text]]></MsgType>\n<Content><![CDATA[test]]></Content>\n<FromUserName><![CDATA[wx49f0ab532d5d035a]]></FromUserName>\n<ToUserName><![CDATA[messense]]></ToUserName>\n<AgentID>1</AgentID>\n<CreateTime>1411525903</CreateTime>\n</xml>";
        const SEALED: &str = "9s4gMv99m88kKTh/H8IdkOiMg6bisoy3ypwy9H4hvSPe9nsGaqyw5hhSjdYbcrKk+j3nba4HMOTzHrluLBYqxgNcBqGsL8GqxlhZgURnAtObvesEl5nZ+uBE8bviY0LWke8Zy9V/QYKxNV2FqllNXcfmstttyIkMKCCmVbCFM2JTF5wY0nFhHZSjPUL2Q1qvSUCUld+/WIXrx0oyKQmpB6o8NRrrNrsDf03oxI1p9FxUgMnwKKZeOA/uu+2IEvEBtb7muXsVbwbgX05UPPJvFurDXafG0RQyPR+mf1nDnAtQmmNOuiR5MIkdQ39xn1vWwi1O5oazPoQJz0nTYjxxEE8kv3kFxtAGVRe3ypD3WeK2XeFYFMNMpatF9XiKzHo3";
        let key = key("kWxPEV2UEDyxWpmPdKC3F4dgPDmOvfKX1HGnEUDS1aR").unwrap();
        let sealed = seal(&key, "wx49f0ab532d5d035a", *b"1234567890123456", MESSAGE);
        assert_eq!(sealed, SEALED);
        let signature = sign("123456", "1411525903", "461056294", &sealed);
        assert_eq!(signature, "407518b7649e86ef23978113f92d27afa9296533");
    }

    #[test]
    fn a_key_has_43_characters_whatever_the_bits_of_the_last() {
        let stray = "jWmYm7qr5nMoAUwZRjGtBxmz3KA1tkAj3ykkR6q2B2C";
        assert!(key(stray).is_some());
        for wrong in [&stray[..42], &format!("{stray}A"), &stray.replace('q', "$"), ""] {
            assert_eq!(key(wrong), None, "{wrong}");
        }
    }
}
