//! One limit of a platform, such as 50 a second: how many requests may be under way in any span of that length.
//!
//! It slides: whatever the moment at which the platform begins its own windows, no window of that length sees more than is
//! allowed. Pure; the moments come from outside. The invariant: between two throttled answers the allowance only grows, and
//! never beyond what the platform is known to allow.

use std::collections::VecDeque;
use std::time::Duration;

use tokio::time::Instant;

/// Requests are counted in slots of this share of the window: memory is bounded whatever the limit.
const SLOTS: u32 = 250;
/// Differences in travel time are allowed for up to this share of the window.
const MOST_SPREAD: u32 = 16;
/// What is left of the allowance after the platform throttled and named no limit.
const LOWERED: f64 = 0.8;
/// ... and after it throttled although the limit that it names was kept.
const TRIMMED: f64 = 0.95;
/// How much of the limit the allowance wins back in each window without a throttled answer.
const RAISED: f64 = 0.05;

/// See the module.
#[derive(Debug)]
pub(super) struct Window {
    length: Duration,
    /// What the platform allows, as far as is known.
    known: Option<u32>,
    /// What is used of it; without a known limit, what was learned from throttled answers.
    allowed: Option<f64>,
    /// When slots begin, and the requests in them, oldest first; reservations lie in the future.
    slots: VecDeque<(Instant, u32)>,
    changed: Instant,
}

impl Window {
    pub(super) fn new(length: Duration, known: Option<u32>, now: Instant) -> Self {
        let allowed = known.map(f64::from);
        Self { length, known, allowed, slots: VecDeque::new(), changed: now }
    }

    pub(super) fn length(&self) -> Duration {
        self.length
    }

    /// Requests a second, when there is a limit.
    pub(super) fn rate(&self) -> Option<f64> {
        self.allowed.map(|allowed| allowed / self.length.as_secs_f64())
    }

    /// The first moment from `from` on at which one more request keeps the limit. Requests may arrive closer together than
    /// they were sent, by up to `spread`.
    pub(super) fn next(&self, from: Instant, spread: Duration) -> Instant {
        let Some(allowed) = self.allowed else { return from };
        let apart = self.length + self.slot() + spread.min(self.length / MOST_SPREAD);
        let mut later = 0.0;
        for &(begins, count) in self.slots.iter().rev() {
            later += f64::from(count);
            if later + 1.0 > allowed {
                return from.max(begins + apart);
            }
        }
        from
    }

    /// Counts a request at a moment that is not before any counted one.
    pub(super) fn take(&mut self, at: Instant) {
        let slot = self.slot();
        match self.slots.back_mut() {
            Some((begins, count)) if at < *begins + slot => *count += 1,
            _ => self.slots.push_back((at, 1)),
        }
    }

    /// Forgets what no longer counts, and wins back some of what a throttled answer took.
    pub(super) fn settle(&mut self, now: Instant) {
        let kept = self.length + self.slot() + self.length / MOST_SPREAD;
        while self.slots.front().is_some_and(|&(begins, _)| begins + kept <= now) {
            self.slots.pop_front();
        }
        let whole = now.saturating_duration_since(self.changed).div_duration_f64(self.length);
        if whole < 1.0 {
            return;
        }
        self.changed = now;
        if let Some(allowed) = self.allowed {
            let full = self.known.map_or(f64::INFINITY, f64::from);
            let step = (RAISED * self.known.map_or(allowed, f64::from)).max(0.5);
            self.allowed = Some((allowed + step * whole.floor()).min(full));
        }
    }

    /// The platform throttled and names the limit.
    pub(super) fn learn(&mut self, limit: u32, now: Instant) {
        let limit = limit.max(1);
        let kept = self.known == Some(limit);
        self.known = Some(limit);
        let share = if kept { TRIMMED } else { 1.0 };
        let allowed = self.allowed.map_or(f64::from(limit), |was| was.min(f64::from(limit)));
        self.allowed = Some((allowed * share).max(1.0));
        self.changed = now;
    }

    /// The platform throttled and names no limit.
    pub(super) fn lower(&mut self, now: Instant) {
        let allowed = self.allowed.unwrap_or_else(|| f64::from(self.used(now)));
        self.allowed = Some((allowed * LOWERED).max(1.0));
        self.changed = now;
    }

    /// How much of the allowance is used, from 0 on.
    pub(super) fn share(&self, now: Instant) -> f64 {
        self.allowed.map_or(0.0, |allowed| f64::from(self.used(now)) / allowed)
    }

    fn used(&self, now: Instant) -> u32 {
        let counts = |&&(begins, _): &&(Instant, u32)| begins + self.length > now;
        self.slots.iter().filter(counts).map(|&(_, count)| count).sum()
    }

    fn slot(&self) -> Duration {
        self.length / SLOTS
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    /// Takes `count` requests as early as possible and gives the moments in seconds.
    fn taken(window: &mut Window, begin: Instant, count: usize) -> Vec<f64> {
        let mut at = begin;
        let mut take = |_| {
            at = window.next(at, Duration::ZERO);
            window.settle(at);
            window.take(at);
            (at - begin).as_secs_f64()
        };
        (0..count).map(&mut take).collect()
    }

    #[tokio::test(start_paused = true)]
    async fn no_span_of_the_length_sees_more_than_allowed() {
        let now = Instant::now();
        let at = taken(&mut Window::new(SECOND, Some(7), now), now, 100);
        for pair in at.windows(8) {
            assert!(pair[7] - pair[0] >= 1.0, "{pair:?}");
        }
        assert!(at[99] < 14.0 * 1.02, "hardly slower than the limit: {}", at[99]);
    }

    #[tokio::test(start_paused = true)]
    async fn memory_does_not_grow_with_the_limit() {
        let now = Instant::now();
        let mut window = Window::new(SECOND * 3600, Some(150_000), now);
        for n in 0..300_000_u32 {
            let at = window.next(now + Duration::from_millis(24) * n, Duration::ZERO);
            window.settle(at);
            window.take(at);
        }
        let most = (SLOTS + SLOTS / MOST_SPREAD) as usize + 3;
        assert!(window.slots.len() <= most, "{}", window.slots.len());
    }

    #[tokio::test(start_paused = true)]
    async fn a_throttled_answer_lowers_and_time_wins_back_up_to_the_limit() {
        let now = Instant::now();
        let mut window = Window::new(SECOND, Some(100), now);
        window.learn(100, now);
        assert_eq!(window.allowed, Some(95.0), "the limit was kept, so the clocks differ");
        window.lower(now);
        assert!(window.allowed < Some(77.0));
        window.settle(now + SECOND);
        assert!(window.allowed > Some(80.0));
        window.settle(now + SECOND * 60);
        assert_eq!(window.allowed, Some(100.0));
        window.learn(30, now + SECOND * 60);
        window.settle(now + SECOND * 600);
        assert_eq!(window.allowed, Some(30.0), "what the platform says counts");
    }

    #[tokio::test(start_paused = true)]
    async fn a_limit_that_nobody_declared_is_learned_from_what_was_sent() {
        let now = Instant::now();
        let mut window = Window::new(SECOND, None, now);
        for _ in 0..50 {
            assert_eq!(window.next(now, Duration::ZERO), now);
            window.take(now);
        }
        window.lower(now);
        assert_eq!(window.allowed, Some(40.0));
        assert!(window.next(now, Duration::ZERO) > now);
    }
}
