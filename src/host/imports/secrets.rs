//! Digests and AES by handle.

use crate::host::context::Context;
use crate::host::contract::since_v0_1::secrets::{DigestAlgorithm, Host, KeyForm, Padding, Part};
use crate::host::crypto;
use crate::host::secret::Secret;

impl Context {
    fn need(&self, name: &str) -> Result<Secret, String> {
        self.shared.secret(name).ok_or_else(|| format!("the secret `{name}` is not configured"))
    }
}

impl Host for Context {
    fn digest(
        &mut self,
        algorithm: DigestAlgorithm,
        parts: Vec<Part>,
        sorted: bool,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let known: Result<Vec<_>, _> = parts
            .into_iter()
            .map(|part| match part {
                Part::Bytes(bytes) => Ok(bytes),
                Part::Secret(name) => Ok(self.need(&name)?.reveal().as_bytes().to_vec()),
            })
            .collect();
        Ok(known
            .and_then(|parts| crypto::digest(algorithm, parts, sorted).map_err(|e| e.to_string())))
    }

    fn decrypt_cbc(
        &mut self,
        secret: String,
        form: KeyForm,
        padding: Padding,
        iv: Vec<u8>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(self.need(&secret).and_then(|secret| {
            crypto::decrypt(secret.reveal(), form, padding, &iv, data).map_err(|e| e.to_string())
        }))
    }

    fn encrypt_cbc(
        &mut self,
        secret: String,
        form: KeyForm,
        padding: Padding,
        iv: Vec<u8>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        Ok(self.need(&secret).and_then(|secret| {
            crypto::encrypt(secret.reveal(), form, padding, &iv, data).map_err(|e| e.to_string())
        }))
    }
}
