//! Digests and AES-CBC over the tenant's secrets, by handle.
//!
//! The invariant: a guest learns a result or that there is none; never the key, and never why a decryption failed.

use aes::Aes256;
use aes::cipher::{Block, BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use super::contract::since_v0_1::secrets::{DigestAlgorithm, KeyForm, Padding};

const BLOCK: usize = 16;

/// Base64 with or without padding, and with stray bits in the last character: the keys of `WeCom` have 43 characters.
const LENIENT: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

/// Why there is no result; what a guest reads.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum CryptoError {
    #[error("an initialisation vector has 16 bytes")]
    Iv,
    #[error(
        "the secret is no AES-256 key in base64: check that it is the whole of what the platform shows"
    )]
    Key,
    #[error("the data cannot be decrypted with this secret")]
    Decrypt,
    #[error("hmac-sha256 takes its key as the first part")]
    NoKey,
}

/// Digests parts one after the other, in byte order when `sorted`; for an HMAC the first part is the key and stays first.
pub(super) fn digest(
    algorithm: DigestAlgorithm,
    mut parts: Vec<Vec<u8>>,
    sorted: bool,
) -> Result<Vec<u8>, CryptoError> {
    let keyed = matches!(algorithm, DigestAlgorithm::HmacSha256);
    if keyed && parts.is_empty() {
        return Err(CryptoError::NoKey);
    }
    if sorted {
        parts[usize::from(keyed)..].sort_unstable();
    }
    match algorithm {
        DigestAlgorithm::Sha1 => Ok(hash::<Sha1>(&parts)),
        DigestAlgorithm::Sha256 => Ok(hash::<Sha256>(&parts)),
        DigestAlgorithm::HmacSha256 => {
            let mut mac =
                Hmac::<Sha256>::new_from_slice(&parts[0]).map_err(|_| CryptoError::NoKey)?;
            parts[1..].iter().for_each(|part| mac.update(part));
            Ok(mac.finalize().into_bytes().to_vec())
        }
    }
}

fn hash<D: Digest>(parts: &[Vec<u8>]) -> Vec<u8> {
    let mut hasher = D::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().to_vec()
}

/// Decrypts and removes the padding.
pub(super) fn decrypt(
    secret: &str,
    form: KeyForm,
    padding: Padding,
    iv: &[u8],
    mut data: Vec<u8>,
) -> Result<Vec<u8>, CryptoError> {
    let (key, iv) = (key(secret, form)?, vector(iv)?);
    if data.is_empty() || !data.len().is_multiple_of(BLOCK) {
        return Err(CryptoError::Decrypt);
    }
    let mut cipher = cbc::Decryptor::<Aes256>::new(&key.into(), &iv.into());
    for block in data.chunks_exact_mut(BLOCK) {
        cipher.decrypt_block_mut(Block::<Aes256>::from_mut_slice(block));
    }
    let kept = unpadded(&data, size(padding)).ok_or(CryptoError::Decrypt)?;
    data.truncate(kept);
    Ok(data)
}

/// Pads and encrypts.
pub(super) fn encrypt(
    secret: &str,
    form: KeyForm,
    padding: Padding,
    iv: &[u8],
    mut data: Vec<u8>,
) -> Result<Vec<u8>, CryptoError> {
    let (key, iv) = (key(secret, form)?, vector(iv)?);
    let size = size(padding);
    let over = u8::try_from(data.len() % usize::from(size)).unwrap_or_default();
    let fill = size - over;
    data.resize(data.len() + usize::from(fill), fill);
    let mut cipher = cbc::Encryptor::<Aes256>::new(&key.into(), &iv.into());
    for block in data.chunks_exact_mut(BLOCK) {
        cipher.encrypt_block_mut(Block::<Aes256>::from_mut_slice(block));
    }
    Ok(data)
}

fn vector(iv: &[u8]) -> Result<[u8; BLOCK], CryptoError> {
    iv.try_into().map_err(|_| CryptoError::Iv)
}

fn key(secret: &str, form: KeyForm) -> Result<[u8; 32], CryptoError> {
    match form {
        KeyForm::Sha256OfText => Ok(Sha256::digest(secret.as_bytes()).into()),
        KeyForm::Base64Text => LENIENT
            .decode(secret.trim())
            .ok()
            .and_then(|key| key.try_into().ok())
            .ok_or(CryptoError::Key),
    }
}

fn size(padding: Padding) -> u8 {
    match padding {
        Padding::Pkcs716 => 16,
        Padding::Pkcs732 => 32,
    }
}

/// The length without padding. Every padding byte is looked at whatever the others are, so that the time tells nothing.
fn unpadded(plain: &[u8], size: u8) -> Option<usize> {
    let fill = *plain.last()?;
    let length = usize::from(fill);
    if plain.len() < length {
        return None;
    }
    let mut wrong = u8::from(fill == 0) | u8::from(fill > size);
    for (back, byte) in plain.iter().rev().take(usize::from(size)).enumerate() {
        wrong |= u8::from(back < length) & u8::from(*byte != fill);
    }
    (wrong == 0).then(|| plain.len() - length)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hex(text: &str) -> Vec<u8> {
        text.as_bytes()
            .chunks(2)
            .map(|pair| u8::from_str_radix(std::str::from_utf8(pair).unwrap(), 16).unwrap())
            .collect()
    }

    /// Feishu fact sheet, section 5.8, vector V1.
    fn sample() -> (Vec<u8>, Vec<u8>) {
        let sealed = LENIENT.decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=").unwrap();
        (sealed[..16].to_vec(), sealed[16..].to_vec())
    }

    #[test]
    fn feishus_published_sample_is_decrypted() {
        let (iv, data) = sample();
        assert_eq!(iv, hex("3f7ef0f9564898d80f10ed5106127a46"));
        assert_eq!(
            key("test key", KeyForm::Sha256OfText).unwrap().to_vec(),
            hex("fa2bdca424f01f01ffb48df93acc35d439c7fd331a1a7fba6ac2fd83aa9ab31a")
        );
        let plain =
            decrypt("test key", KeyForm::Sha256OfText, Padding::Pkcs716, &iv, data).unwrap();
        assert_eq!(plain, b"hello world");
    }

    #[test]
    fn another_key_a_cut_or_a_short_vector_give_no_plaintext() {
        let (iv, data) = sample();
        let open = |secret, iv: &[u8], data: &[u8]| {
            decrypt(secret, KeyForm::Sha256OfText, Padding::Pkcs716, iv, data.to_vec())
        };
        assert_eq!(open("other key", &iv, &data), Err(CryptoError::Decrypt));
        assert_eq!(open("test key", &iv, &data[..15]), Err(CryptoError::Decrypt));
        assert_eq!(open("test key", &iv, &[]), Err(CryptoError::Decrypt));
        assert_eq!(open("test key", &iv[..15], &data), Err(CryptoError::Iv));
    }

    #[test]
    fn what_is_encrypted_decrypts_for_every_length_and_padding() {
        let secret = "abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG";
        for padding in [Padding::Pkcs716, Padding::Pkcs732] {
            for length in 0..70_u8 {
                let plain: Vec<u8> = (0..length).collect();
                let sealed =
                    encrypt(secret, KeyForm::Base64Text, padding, &[7; 16], plain.clone()).unwrap();
                assert_eq!(sealed.len() % usize::from(size(padding)), 0);
                assert_eq!(
                    decrypt(secret, KeyForm::Base64Text, padding, &[7; 16], sealed).unwrap(),
                    plain
                );
            }
        }
    }

    #[test]
    fn padding_is_strict() {
        assert_eq!(unpadded(&[1, 2, 3, 1], 16), Some(3));
        assert_eq!(unpadded(&[9, 2, 2], 16), Some(1));
        assert_eq!(unpadded(&[9, 1, 2], 16), None, "one byte of the padding differs");
        assert_eq!(unpadded(&[9, 9, 0], 16), None, "no padding at all");
        assert_eq!(unpadded(&[3, 3], 16), None, "more padding than data");
        assert_eq!(unpadded(&[17; 32], 16), None, "longer than a block");
        assert_eq!(unpadded(&[17; 32], 32), Some(15));
    }

    #[test]
    fn a_key_with_stray_bits_or_without_padding_is_taken_a_short_one_is_not() {
        let canonical = key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFE=", KeyForm::Base64Text);
        assert_eq!(
            key("abcdefghijklmnopqrstuvwxyz0123456789ABCDEFG", KeyForm::Base64Text),
            canonical
        );
        assert!(canonical.is_ok());
        assert_eq!(key("abcd", KeyForm::Base64Text), Err(CryptoError::Key));
        assert_eq!(key("not base64!", KeyForm::Base64Text), Err(CryptoError::Key));
    }

    #[test]
    fn digests_join_their_parts_and_sort_them_when_asked() {
        let parts =
            |texts: &[&str]| texts.iter().map(|it| it.as_bytes().to_vec()).collect::<Vec<_>>();
        let plain =
            |texts: &[&str], sorted| digest(DigestAlgorithm::Sha256, parts(texts), sorted).unwrap();
        // Feishu fact sheet, section 5.8, vector V2.
        assert_eq!(
            plain(&["1626947018", "64607134", "fake-xx", "{fake}"], false),
            hex("7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06")
        );
        assert_eq!(plain(&["b", "a"], true), plain(&["ab"], false));
        let sha1 = digest(DigestAlgorithm::Sha1, parts(&["a", "bc"]), false).unwrap();
        assert_eq!(sha1, hex("a9993e364706816aba3e25717850c26c9cd0d89d"));
        // RFC 4231, test case 2.
        let mac = |texts: &[&str], sorted| {
            digest(DigestAlgorithm::HmacSha256, parts(texts), sorted).unwrap()
        };
        let expected = hex("5bdcc146bf60754e6a042426089575c75a003f089d2739839dec58b964ec3843");
        assert_eq!(mac(&["Jefe", "what do ya want ", "for nothing?"], false), expected);
        assert_eq!(mac(&["b", "z", "a"], true), mac(&["b", "az"], false), "the key stays first");
        assert_eq!(digest(DigestAlgorithm::HmacSha256, vec![], false), Err(CryptoError::NoKey));
    }
}
