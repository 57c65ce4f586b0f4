//! What a plugin's callback is built on: the query's parameters, and secrets by handle under the scripted host.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use rollcall_sdk::testing::Scripted;
use rollcall_sdk::{Cbc, Delivery, DigestAlgorithm, Host as _, KeyForm, Padding, Part};

const MANIFEST: &str = r#"{"hosts": [], "settings": [], "secrets": [{"name": "key"}]}"#;

fn host(key: &str) -> Scripted {
    Scripted::new(MANIFEST).unwrap().with_secret_text("key", key)
}

fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[test]
fn parameters_are_decoded_and_a_plus_stays_one() {
    let delivery = Delivery {
        method: "GET".to_owned(),
        query: "a=1&signature=a%2Bb+c%3D&bad=%zz%4&a=2&none".to_owned(),
        headers: vec![("x-nonce".to_owned(), "n".to_owned())],
        body: Vec::new(),
    };
    assert_eq!(delivery.parameter("a").as_deref(), Some("1"));
    assert_eq!(delivery.parameter("signature").as_deref(), Some("a+b+c="));
    assert_eq!(delivery.parameter("bad").as_deref(), Some("%zz%4"));
    assert_eq!(delivery.parameter("none"), None);
    assert_eq!((delivery.header("x-nonce"), delivery.header("nonce")), (Some("n"), None));
}

#[test]
fn digests_are_those_of_the_published_vectors() {
    let host = host("Jefe");
    let text = Part::Bytes(b"what do ya want for nothing?");
    let mac = host.digest(DigestAlgorithm::HmacSha256, &[Part::Secret("key"), text], false);
    // RFC 4231, test case 2.
    assert_eq!(
        hex(&mac.unwrap()),
        "5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843"
    );
    let sorted = [Part::Bytes(b"bc"), Part::Bytes(b"a")];
    let sha1 = host.digest(DigestAlgorithm::Sha1, &sorted, true).unwrap();
    assert_eq!(hex(&sha1), "a9993e364706816aba3e25717850c26c9cd0d89d");
    assert!(host.digest(DigestAlgorithm::HmacSha256, &[], false).is_err());
}

#[test]
fn what_is_encrypted_opens_with_the_same_secret_alone() {
    let text = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
    for (form, padding) in
        [(KeyForm::Base64Text, Padding::Pkcs7To32), (KeyForm::Sha256OfText, Padding::Pkcs7To16)]
    {
        let cipher = Cbc { secret: "key", form, padding, iv: &[7; 16] };
        let sealed = host(text).encrypt_cbc(&cipher, b"an event").unwrap();
        assert_eq!(sealed.len(), if padding == Padding::Pkcs7To32 { 32 } else { 16 });
        assert_eq!(host(text).decrypt_cbc(&cipher, &sealed).unwrap(), b"an event");
        let other = host("zbcdefghijklmnopqrstuvwxyz0123456789ABCDEFG");
        assert!(other.decrypt_cbc(&cipher, &sealed).is_err());
        assert!(host(text).decrypt_cbc(&cipher, &sealed[1..]).is_err());
        assert!(host(text).decrypt_cbc(&Cbc { iv: &[7; 15], ..cipher }, &sealed).is_err());
    }
    let cipher =
        Cbc { secret: "key", form: KeyForm::Base64Text, padding: Padding::Pkcs7To16, iv: &[0; 16] };
    assert!(host("short").encrypt_cbc(&cipher, b"").is_err());
}

#[test]
fn a_text_is_compared_with_a_secret_that_stays_unknown() {
    let host = host("v-token");
    assert!(host.has_secret("key") && host.is_secret("key", b"v-token"));
    assert!(!host.is_secret("key", b"v-toke") && !host.is_secret("key", b""));
    assert!(!host.has_secret("other") && !host.is_secret("other", b""));
    let told = host.digest(DigestAlgorithm::Sha256, &[Part::Secret("other")], false);
    assert_eq!(told.unwrap_err().to_string(), "the secret `other` is not configured");
}
