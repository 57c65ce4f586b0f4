//! Short-lived values that a guest keeps through the host, such as tokens: a small cache with a time to live.
//!
//! Each connection has its own, so one tenant's values cannot be seen through another's. The invariant: never more than
//! [`ENTRIES`] entries of bounded size, and nothing is recalled after its time.

use std::collections::HashMap;
use std::sync::{Mutex, PoisonError};

/// The most entries.
pub(super) const ENTRIES: usize = 64;
/// The most bytes of a key.
pub(super) const KEY_BYTES: usize = 256;
/// The most bytes of a value.
pub(super) const VALUE_BYTES: usize = 16 << 10;
/// The longest time to live.
const LONGEST_MS: i64 = 24 * 3600 * 1000;

/// The cache of one connection.
#[derive(Default)]
pub(super) struct Kept {
    entries: Mutex<HashMap<String, Entry>>,
}

struct Entry {
    value: String,
    until_ms: i64,
}

impl Kept {
    pub(super) fn recall(&self, key: &str, now_ms: i64) -> Option<String> {
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        let entry = entries.get(key)?;
        if entry.until_ms > now_ms {
            return Some(entry.value.clone());
        }
        entries.remove(key);
        None
    }

    /// Keeps a value; `false` when it is too large to keep. A full cache drops what would end first.
    pub(super) fn remember(
        &self,
        key: String,
        value: String,
        ttl_seconds: u32,
        now_ms: i64,
    ) -> bool {
        if key.len() > KEY_BYTES || value.len() > VALUE_BYTES {
            return false;
        }
        let ttl_ms = (i64::from(ttl_seconds) * 1000).min(LONGEST_MS);
        let mut entries = self.entries.lock().unwrap_or_else(PoisonError::into_inner);
        entries.retain(|_, entry| entry.until_ms > now_ms);
        entries.insert(key, Entry { value, until_ms: now_ms.saturating_add(ttl_ms) });
        if entries.len() > ENTRIES {
            let first = entries.iter().min_by_key(|(_, entry)| entry.until_ms);
            if let Some(key) = first.map(|(key, _)| key.clone()) {
                entries.remove(&key);
            }
        }
        true
    }

    pub(super) fn forget(&self, key: &str) {
        self.entries.lock().unwrap_or_else(PoisonError::into_inner).remove(key);
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_value_is_kept_until_its_time_and_not_longer() {
        let kept = Kept::default();
        assert!(kept.remember("token".into(), "t1".into(), 7, 1_000));
        assert_eq!(kept.recall("token", 7_999).as_deref(), Some("t1"));
        assert_eq!(kept.recall("token", 8_000), None);
        assert!(kept.remember("token".into(), "t2".into(), u32::MAX, 0));
        assert_eq!(kept.recall("token", LONGEST_MS), None, "a day is the longest");
        kept.remember("token".into(), "t3".into(), 7, 0);
        kept.forget("token");
        assert_eq!(kept.recall("token", 0), None);
    }

    #[test]
    fn entries_and_sizes_are_bounded() {
        let kept = Kept::default();
        for n in 0..=ENTRIES {
            let ttl = 1000 + u32::try_from(n).unwrap();
            assert!(kept.remember(n.to_string(), String::new(), ttl, 0));
        }
        assert_eq!(kept.recall("0", 0), None, "what would end first made room");
        assert_eq!(kept.entries.lock().unwrap().len(), ENTRIES);
        assert!(!kept.remember("k".repeat(KEY_BYTES + 1), String::new(), 1, 0));
        assert!(!kept.remember("k".into(), "v".repeat(VALUE_BYTES + 1), 1, 0));
    }
}
