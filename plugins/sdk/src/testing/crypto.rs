//! What the scripted host computes over its secrets: the same results as the real one, with the real algorithms.
//!
//! What this is not: hardened against timing; nothing but a test calls it. The one invariant: whatever the real host
//! refuses is refused here.

use aes::Aes256;
use base64::Engine as _;
use base64::alphabet::STANDARD;
use base64::engine::{DecodePaddingMode, GeneralPurpose, GeneralPurposeConfig};
use cbc::cipher::block_padding::NoPadding;
use cbc::cipher::{BlockDecryptMut, BlockEncryptMut, KeyIvInit};
use hmac::{Hmac, Mac};
use sha1::Sha1;
use sha2::{Digest, Sha256};

use crate::{DigestAlgorithm, KeyForm, Padding, Unworkable};

const BASE64: GeneralPurpose = GeneralPurpose::new(
    &STANDARD,
    GeneralPurposeConfig::new()
        .with_decode_padding_mode(DecodePaddingMode::Indifferent)
        .with_decode_allow_trailing_bits(true),
);

fn unworkable(reason: &str) -> Unworkable {
    Unworkable(reason.to_owned())
}

pub(super) fn digest(
    algorithm: DigestAlgorithm,
    mut parts: Vec<&[u8]>,
    sorted: bool,
) -> Result<Vec<u8>, Unworkable> {
    let keyed = algorithm == DigestAlgorithm::HmacSha256;
    let no_key = || unworkable("hmac-sha256 takes its key as the first part");
    if keyed && parts.is_empty() {
        return Err(no_key());
    }
    if sorted {
        parts[usize::from(keyed)..].sort_unstable();
    }
    Ok(match algorithm {
        DigestAlgorithm::Sha1 => Sha1::digest(parts.concat()).to_vec(),
        DigestAlgorithm::Sha256 => Sha256::digest(parts.concat()).to_vec(),
        DigestAlgorithm::HmacSha256 => {
            let mac = Hmac::<Sha256>::new_from_slice(parts[0]).map_err(|_| no_key())?;
            mac.chain_update(parts[1..].concat()).finalize().into_bytes().to_vec()
        }
    })
}

fn key(secret: &str, form: KeyForm) -> Result<[u8; 32], Unworkable> {
    match form {
        KeyForm::Sha256OfText => Ok(Sha256::digest(secret).into()),
        KeyForm::Base64Text => BASE64
            .decode(secret.trim())
            .ok()
            .and_then(|key| key.try_into().ok())
            .ok_or_else(|| unworkable("the secret is no AES-256 key in base64")),
    }
}

fn vector(iv: &[u8]) -> Result<[u8; 16], Unworkable> {
    iv.try_into().map_err(|_| unworkable("an initialisation vector has 16 bytes"))
}

fn multiple(padding: Padding) -> usize {
    match padding {
        Padding::Pkcs7To16 => 16,
        Padding::Pkcs7To32 => 32,
    }
}

pub(super) fn decrypt(
    secret: &str,
    (form, padding): (KeyForm, Padding),
    iv: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, Unworkable> {
    let failed = || unworkable("the data cannot be decrypted with this secret");
    let cipher = cbc::Decryptor::<Aes256>::new(&key(secret, form)?.into(), &vector(iv)?.into());
    let mut plain = cipher.decrypt_padded_vec_mut::<NoPadding>(data).map_err(|_| failed())?;
    let fill = *plain.last().ok_or_else(failed)?;
    let length = usize::from(fill);
    let whole = (1..=multiple(padding)).contains(&length)
        && plain.len() >= length
        && plain[plain.len() - length..].iter().all(|&byte| byte == fill);
    if !whole {
        return Err(failed());
    }
    plain.truncate(plain.len() - length);
    Ok(plain)
}

pub(super) fn encrypt(
    secret: &str,
    (form, padding): (KeyForm, Padding),
    iv: &[u8],
    data: &[u8],
) -> Result<Vec<u8>, Unworkable> {
    let multiple = multiple(padding);
    let fill = multiple - data.len() % multiple;
    let mut padded = data.to_vec();
    padded.resize(data.len() + fill, u8::try_from(fill).unwrap_or_default());
    let cipher = cbc::Encryptor::<Aes256>::new(&key(secret, form)?.into(), &vector(iv)?.into());
    Ok(cipher.encrypt_padded_vec_mut::<NoPadding>(&padded))
}
