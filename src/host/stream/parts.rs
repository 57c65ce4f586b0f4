//! Events that come in several frames, put together again.
//!
//! The invariant: what is held is bounded in number, bytes and age; what is given up was never acknowledged, so the platform
//! sends it again.

use std::time::Duration;

use tokio::time::Instant;

use crate::host::net::upgrade::MESSAGE_BYTES;

/// An event has so many parts at the most.
const PARTS: usize = 256;
/// So many events may be incomplete at once.
const EVENTS: usize = 32;
/// The parts of one event arrive within this time.
const LIFE: Duration = Duration::from_secs(5);

/// One part of an event.
pub(super) struct Part {
    /// Which event.
    pub(super) message: String,
    /// How many parts it has.
    pub(super) of: usize,
    /// Which one this is, from 0.
    pub(super) at: usize,
    pub(super) bytes: Vec<u8>,
}

/// Events of which parts are missing, the oldest first.
#[derive(Default)]
pub(super) struct Parts {
    held: Vec<Held>,
}

struct Held {
    message: String,
    since: Instant,
    parts: Vec<Option<Vec<u8>>>,
}

impl Parts {
    /// Adds a part; the whole event once it is the last one missing.
    pub(super) fn add(&mut self, part: Part, now: Instant) -> Option<Vec<u8>> {
        self.held.retain(|held| now.duration_since(held.since) < LIFE);
        if part.of > PARTS || part.at >= part.of {
            return None;
        }
        let index = self.find(&part, now);
        let held = &mut self.held[index];
        held.parts[part.at] = Some(part.bytes);
        let bytes: usize = held.parts.iter().flatten().map(Vec::len).sum();
        if bytes > MESSAGE_BYTES {
            self.held.remove(index);
            return None;
        }
        if held.parts.iter().any(Option::is_none) {
            return None;
        }
        Some(self.held.remove(index).parts.into_iter().flatten().flatten().collect())
    }

    /// The event of a part. One that changed its number of parts is begun anew; the oldest makes room.
    fn find(&mut self, part: &Part, now: Instant) -> usize {
        let known = self.held.iter().position(|held| held.message == part.message);
        if let Some(index) = known {
            if self.held[index].parts.len() == part.of {
                return index;
            }
            self.held.remove(index);
        } else if self.held.len() == EVENTS {
            self.held.remove(0);
        }
        let parts = vec![None; part.of];
        self.held.push(Held { message: part.message.clone(), since: now, parts });
        self.held.len() - 1
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Bench {
        parts: Parts,
        now: Instant,
    }

    impl Bench {
        fn new() -> Self {
            Self { parts: Parts::default(), now: Instant::now() }
        }

        fn add(&mut self, message: &str, at: usize, of: usize, bytes: &[u8]) -> Option<Vec<u8>> {
            let part = Part { message: message.to_owned(), of, at, bytes: bytes.to_vec() };
            self.parts.add(part, self.now)
        }
    }

    #[test]
    fn parts_make_an_event_in_any_order() {
        let mut bench = Bench::new();
        assert_eq!(bench.add("m", 2, 3, b"c"), None);
        assert_eq!(bench.add("n", 0, 2, b"x"), None);
        assert_eq!(bench.add("m", 0, 3, b"a"), None);
        assert_eq!(bench.add("m", 0, 3, b"a"), None, "a repeated part completes nothing");
        assert_eq!(bench.add("m", 1, 3, b"b").unwrap(), b"abc");
        assert_eq!(bench.add("n", 1, 2, b"y").unwrap(), b"xy");
        assert!(bench.parts.held.is_empty());
    }

    #[test]
    fn parts_that_do_not_fit_together_are_given_up() {
        let mut bench = Bench::new();
        assert_eq!(bench.add("m", 3, 3, b"c"), None);
        assert_eq!(bench.add("m", 0, PARTS + 1, b"c"), None);
        assert!(bench.parts.held.is_empty());
        bench.add("m", 0, 2, b"a");
        assert_eq!(bench.add("m", 1, 3, b"b"), None);
        assert_eq!(bench.parts.held.len(), 1);
    }

    #[test]
    fn what_stays_incomplete_is_bounded() {
        let mut bench = Bench::new();
        for nth in 0..=EVENTS {
            bench.add(&nth.to_string(), 0, 2, b"a");
        }
        assert_eq!(bench.parts.held.len(), EVENTS);
        assert_eq!(bench.add("0", 1, 2, b"b"), None, "the oldest was given up");
        bench.now += LIFE;
        assert_eq!(bench.add("5", 1, 2, b"b"), None, "too old");
        assert_eq!(bench.parts.held.len(), 1);
        let half = vec![0; MESSAGE_BYTES / 2 + 1];
        bench.add("large", 0, 2, &half);
        assert_eq!(bench.add("large", 1, 2, &half), None);
        assert_eq!(bench.parts.held.len(), 1);
    }
}
