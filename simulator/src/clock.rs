//! The simulator's own time: a world clock that stands still until moved, and a server clock that also runs.
//!
//! Dates, punches and results follow the world clock, so that a run is the same at any hour. Token lifetimes and
//! rate limits follow the server clock: real seconds since the start plus whatever [`Clock::advance`] added.

use std::sync::atomic::{AtomicU64, Ordering};
use std::time::{Duration, Instant};

#[derive(Debug)]
pub(crate) struct Clock {
    started: Instant,
    first_now: i64,
    advanced_ms: AtomicU64,
}

impl Clock {
    pub(crate) fn new(first_now: i64) -> Self {
        Self { started: Instant::now(), first_now, advanced_ms: AtomicU64::new(0) }
    }

    pub(crate) fn advance(&self, by: Duration) {
        let ms = u64::try_from(by.as_millis()).unwrap_or(u64::MAX);
        self.advanced_ms.fetch_add(ms, Ordering::Relaxed);
    }

    /// The world's now, in Unix seconds.
    pub(crate) fn now(&self) -> i64 {
        let seconds = self.advanced_ms.load(Ordering::Relaxed) / 1_000;
        self.first_now.saturating_add_unsigned(seconds)
    }

    /// The server's uptime.
    pub(crate) fn uptime(&self) -> Duration {
        self.started.elapsed() + Duration::from_millis(self.advanced_ms.load(Ordering::Relaxed))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_advancing_moves_the_world() {
        let clock = Clock::new(1_000);
        assert_eq!(clock.now(), 1_000);
        clock.advance(Duration::from_mins(1));
        assert_eq!(clock.now(), 1_060);
        assert!(clock.uptime() >= Duration::from_mins(1));
    }
}
