//! Digests and AES by handle.

use crate::host::context::Context;
use crate::host::contract::since_v0_1::secrets::{DigestAlgorithm, Host, KeyForm, Padding, Part};
use crate::host::crypto;
use crate::host::record::{self, Ask, Binary};
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
        let ask = self.taped(|| Ask::Digest {
            algorithm: format!("{algorithm:?}"),
            parts: parts.iter().map(recorded).collect(),
            sorted,
        });
        self.crossing(ask, |context| {
            let known: Result<Vec<_>, String> = parts
                .into_iter()
                .map(|part| match part {
                    Part::Bytes(bytes) => Ok(bytes),
                    Part::Secret(name) => Ok(context.need(&name)?.reveal().as_bytes().to_vec()),
                })
                .collect();
            crypto::digest(algorithm, known?, sorted).map_err(|e| e.to_string())
        })
    }

    fn decrypt_cbc(
        &mut self,
        secret: String,
        form: KeyForm,
        padding: Padding,
        iv: Vec<u8>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let ask = self.taped(|| Ask::Decrypt {
            secret: secret.clone(),
            form: format!("{form:?}"),
            padding: format!("{padding:?}"),
            iv: Binary(iv.clone()),
            data: Binary(data.clone()),
        });
        self.crossing(ask, |context| {
            let secret = context.need(&secret)?;
            crypto::decrypt(secret.reveal(), form, padding, &iv, data).map_err(|e| e.to_string())
        })
    }

    fn encrypt_cbc(
        &mut self,
        secret: String,
        form: KeyForm,
        padding: Padding,
        iv: Vec<u8>,
        data: Vec<u8>,
    ) -> wasmtime::Result<Result<Vec<u8>, String>> {
        let ask = self.taped(|| Ask::Encrypt {
            secret: secret.clone(),
            form: format!("{form:?}"),
            padding: format!("{padding:?}"),
            iv: Binary(iv.clone()),
            data: Binary(data.clone()),
        });
        self.crossing(ask, |context| {
            let secret = context.need(&secret)?;
            crypto::encrypt(secret.reveal(), form, padding, &iv, data).map_err(|e| e.to_string())
        })
    }
}

fn recorded(part: &Part) -> record::Part {
    match part {
        Part::Secret(name) => record::Part::Secret(name.clone()),
        Part::Bytes(bytes) => record::Part::Bytes(Binary(bytes.clone())),
    }
}
