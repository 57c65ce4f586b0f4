//! What a recording knows of stand-ins across its calls.
//!
//! A guest builds new texts out of what it was told: ids joined, cursors, values to remember. Each of them is learnt as a
//! pair when the call that made it is gone through again with stand-ins, so that a later call that is handed one gets the
//! right other one. The invariant: what is learnt is kept as a digest and a stand-in; the text itself is not kept.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

use super::effect::{Answer, Ask, Binary, Effect, Refused};
use crate::model::hash::ContentHash;
use crate::model::redact::Redactor;

/// The most texts that are learnt; beyond it a text is replaced as if it came from the platform.
const PAIRS: usize = 500_000;

#[derive(Debug)]
pub(super) struct Stage {
    redactor: Redactor,
    pairs: Mutex<HashMap<ContentHash, String>>,
}

impl Stage {
    pub(super) fn new(redactor: Redactor) -> Self {
        Self { redactor, pairs: Mutex::default() }
    }

    fn known(&self, text: &str) -> Option<String> {
        let pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        pairs.get(&ContentHash::of(text.as_bytes())).cloned()
    }

    /// Learns which text stands for another.
    pub(super) fn pair(&self, text: &str, stand_in: &str) {
        let mut pairs = self.pairs.lock().unwrap_or_else(PoisonError::into_inner);
        if pairs.len() < PAIRS {
            pairs.insert(ContentHash::of(text.as_bytes()), stand_in.to_owned());
        }
    }

    /// An id or a cursor as it is handed to the guest.
    pub(super) fn handed(&self, text: &str) -> String {
        self.known(text).unwrap_or_else(|| self.redactor.text(text))
    }

    /// Learns from what a guest asked, and asked again with stand-ins.
    pub(super) fn learn(&self, first: &Ask, again: &Ask) {
        if let (Ask::Remember { value, .. }, Ask::Remember { value: stand_in, .. }) = (first, again)
        {
            self.pair(value, stand_in);
        }
    }

    /// What the guest is told in place of what it was told, when it asks `again`.
    pub(super) fn answer(&self, effect: Effect, again: &Ask) -> Answer {
        let redactor = &self.redactor;
        let Effect { ask, answer } = effect;
        match (ask, answer) {
            (Ask::Setting { name }, Answer::Text(Some(text))) => {
                Answer::Text(Some(redactor.setting(&name, &text)))
            }
            (Ask::Recall { .. }, Answer::Text(Some(text))) => {
                Answer::Text(Some(self.known(&text).unwrap_or_else(|| redactor.kept(&text))))
            }
            (_, Answer::Response { status, headers, body }) => {
                let told = |(name, value): (String, String)| {
                    let value = redactor.header(&name, &value);
                    (name, value)
                };
                let headers = headers.into_iter().map(told).collect();
                Answer::Response { status, headers, body: Binary(redactor.body(&body.0)) }
            }
            (Ask::Decrypt { .. }, Answer::Bytes(Binary(plain))) => {
                let plain = redactor.json(&plain).unwrap_or_else(|| redactor.bytes(&plain));
                Answer::Bytes(Binary(plain))
            }
            (Ask::Digest { .. } | Ask::Encrypt { .. }, Answer::Bytes(Binary(bytes))) => {
                Answer::Bytes(Binary(redactor.bytes(&bytes)))
            }
            (_, Answer::Denied(refused)) => Answer::Denied(self.refused(refused, again)),
            (_, Answer::Failed(reason)) => Answer::Failed(self.echoed(reason, again)),
            (_, answer @ (Answer::Text(_) | Answer::Ms(_) | Answer::Bytes(_) | Answer::Done)) => {
                answer
            }
        }
    }

    fn refused(&self, refused: Refused, again: &Ask) -> Refused {
        match refused {
            Refused::NotGranted(host) => Refused::NotGranted(self.echoed(host, again)),
            Refused::NoSecret(name) => Refused::NoSecret(self.echoed(name, again)),
            Refused::Invalid(reason) => Refused::Invalid(self.echoed(reason, again)),
            Refused::Deadline | Refused::TooLarge(_) | Refused::Network(_) => refused,
        }
    }

    /// A refusal repeats what the guest wrote: all of it, or what stands in backticks. That stays only if the guest writes it
    /// again when it knows nothing but stand-ins.
    fn echoed(&self, text: String, again: &Ask) -> String {
        let sentence = text.contains(' ');
        let quoted = text.split('`').nth(1).or((!sentence).then_some(text.as_str()));
        let asked = serde_json::to_string(again).unwrap_or_default().to_lowercase();
        match quoted {
            Some(quoted) if !asked.contains(&quoted.to_lowercase()) => {
                text.replace(quoted, &self.redactor.text(quoted))
            }
            _ => text,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::super::effect::Part;
    use super::*;

    fn stage() -> Stage {
        Stage::new(Redactor::new([5; 32]))
    }

    fn answered(stage: &Stage, ask: Ask, answer: Answer) -> Answer {
        let again = ask.clone();
        stage.answer(Effect { ask, answer }, &again)
    }

    #[test]
    fn what_a_guest_made_of_its_answers_is_known_again() {
        let stage = stage();
        assert_ne!(stage.handed("a:b-1"), "made");
        stage.pair("a:b-1", "made");
        assert_eq!(stage.handed("a:b-1"), "made");
        let remember = |value: &str| Ask::Remember {
            key: "token".into(),
            value: value.into(),
            ttl_seconds: 60,
        };
        stage.learn(&remember("t-123456;2026"), &remember("t-stand;2026"));
        let recall = Ask::Recall { key: "token".into() };
        assert_eq!(
            answered(&stage, recall, Answer::Text(Some("t-123456;2026".into()))),
            Answer::Text(Some("t-stand;2026".into()))
        );
    }

    #[test]
    fn results_of_secrets_are_replaced_and_settings_that_steer_are_not() {
        let stage = stage();
        let digest = Ask::Digest {
            algorithm: "sha1".into(),
            parts: vec![Part::Secret("app_key".into())],
            sorted: false,
        };
        let bytes = Answer::Bytes(Binary(vec![1; 20]));
        assert_ne!(answered(&stage, digest.clone(), bytes.clone()), bytes);
        let failed = Answer::Failed("the secret `app_key` is not configured".into());
        assert_eq!(answered(&stage, digest, failed.clone()), failed);
        let setting = |name: &str, value: &str| {
            let ask = Ask::Setting { name: name.into() };
            answered(&stage, ask, Answer::Text(Some(value.into())))
        };
        let host = "https://open.example.com";
        assert_eq!(setting("open_host", host), Answer::Text(Some(host.into())));
        let id = setting("app_id", "cli_a1b2c3d4");
        assert_ne!(id, Answer::Text(Some("cli_a1b2c3d4".into())));
    }
    #[test]
    fn a_refusal_repeats_only_what_a_guest_writes_of_its_own() {
        let stage = stage();
        let refused = |host: &str, again: &str| {
            let ask = Ask::Forget { key: "any".into() };
            let answer = Answer::Denied(Refused::NotGranted(host.into()));
            stage.answer(Effect { ask, answer }, &Ask::Forget { key: again.into() })
        };
        let own = refused("evil.test", "https://evil.test/");
        assert_eq!(own, Answer::Denied(Refused::NotGranted("evil.test".into())));
        let made_of_data =
            format!("{:?}", refused("zhang-13800001234.evil.test", "https://x.evil.test/"));
        assert!(
            !made_of_data.contains("zhang") && !made_of_data.contains("13800001234"),
            "{made_of_data}"
        );
        let failed = |reason: &str| {
            let ask = Ask::Forget { key: "unset".into() };
            answered(&stage, ask, Answer::Failed(reason.into()))
        };
        let plain = "the secret `unset` is not configured";
        assert_eq!(failed(plain), Answer::Failed(plain.into()));
        assert_ne!(
            failed("the secret `anna` is not configured"),
            Answer::Failed("the secret `anna` is not configured".into())
        );
    }
}
