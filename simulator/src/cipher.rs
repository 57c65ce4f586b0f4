//! The ciphers and digests that platforms push events with.
//!
//! Not how a platform frames what it encrypts. The invariant: padding is always added, a whole block of it where the plaintext
//! fills its last block.

use aes::Aes256;
use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
#[cfg(test)]
use cbc::cipher::BlockDecryptMut;
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockEncryptMut, KeyIvInit};
use sha2::{Digest as _, Sha256};

/// SHA-256 of the parts one after the other.
pub(crate) fn sha256(parts: &[&[u8]]) -> [u8; 32] {
    let mut hasher = Sha256::new();
    for part in parts {
        hasher.update(part);
    }
    hasher.finalize().into()
}

/// SHA-1, where a platform still signs with it.
pub(crate) fn sha1(bytes: &[u8]) -> [u8; 20] {
    sha1::Sha1::digest(bytes).into()
}

/// AES-256-CBC over the plaintext, filled up to a multiple of `fill_to` bytes.
pub(crate) fn encrypt(key: &[u8; 32], iv: &[u8; 16], fill_to: u8, plain: &[u8]) -> Vec<u8> {
    let over = u8::try_from(plain.len() % usize::from(fill_to)).unwrap_or_default();
    let fill = fill_to - over;
    let mut padded = plain.to_vec();
    padded.resize(plain.len() + usize::from(fill), fill);
    cbc::Encryptor::<Aes256>::new(key.into(), iv.into())
        .encrypt_padded_vec_mut::<NoPadding>(&padded)
}

/// The plaintext, for checking what was encrypted; `None` when key, vector or data do not fit.
#[cfg(test)]
pub(crate) fn decrypt(key: &[u8; 32], iv: &[u8; 16], fill_to: u8, data: &[u8]) -> Option<Vec<u8>> {
    let cipher = cbc::Decryptor::<Aes256>::new(key.into(), iv.into());
    let mut plain = cipher.decrypt_padded_vec_mut::<NoPadding>(data).ok()?;
    let fill = *plain.last().filter(|fill| (1..=fill_to).contains(*fill))?;
    let kept = plain.len().checked_sub(usize::from(fill))?;
    if plain[kept..].iter().any(|byte| *byte != fill) {
        return None;
    }
    plain.truncate(kept);
    Some(plain)
}

pub(crate) fn base64(bytes: &[u8]) -> String {
    STANDARD.encode(bytes)
}

pub(crate) fn hex(bytes: &[u8]) -> String {
    let digit = |half: u8| char::from_digit(half.into(), 16).unwrap_or_default();
    bytes.iter().flat_map(|byte| [digit(byte >> 4), digit(byte & 15)]).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_encrypted_decrypts_and_always_has_padding() {
        let (key, iv) = (sha256(&[b"test key"]), [7; 16]);
        for fill_to in [16, 32] {
            for length in 0..70 {
                let plain = vec![b'a'; length];
                let sealed = encrypt(&key, &iv, fill_to, &plain);
                assert!(sealed.len() > length && sealed.len().is_multiple_of(fill_to.into()));
                assert_eq!(decrypt(&key, &iv, fill_to, &sealed), Some(plain));
            }
        }
        assert_eq!(decrypt(&key, &iv, 16, b"short"), None);
    }

    /// Feishu fact sheet, section 5.8, vectors V1 and V2.
    #[test]
    fn feishus_published_vectors_hold() {
        let sealed = STANDARD.decode("P37w+VZImNgPEO1RBhJ6RtKl7n6zymIbEG1pReEzghk=").unwrap();
        let (iv, data) = sealed.split_at(16);
        let iv = iv.try_into().unwrap();
        let open = |key: &[u8]| decrypt(&sha256(&[key]), iv, 16, data);
        assert_eq!(open(b"test key").as_deref(), Some(b"hello world".as_slice()));
        assert_eq!(open(b"other key"), None);
        assert_eq!(
            hex(&sha256(&[b"1626947018", b"64607134", b"fake-xx", b"{fake}"])),
            "7db78fdbc2fb617c46e713c3ec3f4b4658d94166682a80434fe557f23afcfd06"
        );
    }
}
