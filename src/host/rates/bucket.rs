//! The limits of one class of endpoints, and whether the platform refuses it for now.
//!
//! A request reserves a moment; moments are handed out in order, so nobody is overtaken. Pure; the moments come from
//! outside. The invariant: no reservation lies before the end of a block.

use std::time::Duration;

use tokio::time::Instant;

use super::window::Window;

const SECOND: Duration = Duration::from_secs(1);
const MINUTE: Duration = Duration::from_mins(1);
/// The wait after a throttled answer that names none; doubles while such answers go on.
const FIRST_WAIT: Duration = Duration::from_secs(1);
const LONGEST_OWN_WAIT: Duration = Duration::from_mins(1);

/// What a throttled answer says.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(super) struct Throttle {
    /// How long to wait.
    pub(super) wait: Option<Duration>,
    /// The limit that was met.
    pub(super) limit: Option<u32>,
    /// The allowance of the month is used up.
    pub(super) month: bool,
}

/// See the module.
#[derive(Debug)]
pub(super) struct Bucket {
    windows: Vec<Window>,
    last: Instant,
    blocked: Option<Instant>,
    /// Requests sent before this met the same congestion: their refusal says nothing new.
    throttled: Option<Instant>,
    own_wait: Duration,
    /// The shortest and the longest time that answers took of late.
    travel: Option<(Duration, Duration)>,
}

impl Bucket {
    pub(super) fn new(limits: &[(Duration, u32)], now: Instant) -> Self {
        let mut windows: Vec<Window> = limits
            .iter()
            .map(|&(length, limit)| Window::new(length, Some(limit.max(1)), now))
            .collect();
        if windows.is_empty() {
            windows.push(Window::new(SECOND, None, now));
        }
        Self {
            windows,
            last: now,
            blocked: None,
            throttled: None,
            own_wait: FIRST_WAIT,
            travel: None,
        }
    }

    /// The first moment from `from` on at which a request may be sent.
    pub(super) fn next(&mut self, from: Instant, now: Instant) -> Instant {
        for window in &mut self.windows {
            window.settle(now);
        }
        self.blocked = self.blocked.filter(|&until| until > now);
        let free = from.max(self.last).max(self.blocked.unwrap_or(from));
        let spread = self.travel.map_or(Duration::ZERO, |(short, long)| long.saturating_sub(short));
        self.windows.iter().fold(free, |at, window| window.next(at, spread))
    }

    /// Reserves a moment that [`Bucket::next`] gave.
    pub(super) fn take(&mut self, at: Instant) {
        self.last = at;
        for window in &mut self.windows {
            window.take(at);
        }
    }

    /// When a block that holds now ends.
    pub(super) fn blocked(&self, now: Instant) -> Option<Instant> {
        self.blocked.filter(|&until| until > now)
    }

    /// The platform refused a request that was sent at `sent`.
    pub(super) fn throttle(&mut self, told: Throttle, sent: Instant, now: Instant) {
        let again = self.throttled.is_some_and(|at| sent <= at);
        let wait = match told.wait {
            Some(wait) => wait,
            None if again => return,
            None => self.own_wait,
        };
        self.blocked = Some(self.blocked.map_or(now + wait, |until| until.max(now + wait)));
        if again {
            return;
        }
        self.throttled = Some(now);
        if told.wait.is_none() {
            self.own_wait = (self.own_wait * 2).min(LONGEST_OWN_WAIT);
        }
        match told.limit {
            Some(limit) => self.window_of(wait, now).learn(limit, now),
            None => self.fullest(now).lower(now),
        }
    }

    /// The platform served a request that was sent at `sent`.
    pub(super) fn served(&mut self, sent: Instant, now: Instant) {
        self.own_wait = FIRST_WAIT;
        let took = now - sent;
        // An extreme fades by a hundredth with each answer.
        let fade = |(short, long): (Duration, Duration)| (short * 101 / 100, long * 99 / 100);
        let (short, long) = self.travel.map_or((took, took), fade);
        self.travel = Some((short.min(took), long.max(took)));
    }

    /// The time that so many requests take at the present limits, once the allowance at hand is used up.
    pub(super) fn time_for(&self, requests: f64) -> Duration {
        let slowest = self.windows.iter().filter_map(Window::rate).fold(f64::INFINITY, f64::min);
        Duration::try_from_secs_f64(requests / slowest).unwrap_or_default()
    }

    /// The window that a wait belongs to: the shortest that is not shorter than the wait.
    fn window_of(&mut self, wait: Duration, now: Instant) -> &mut Window {
        let fits = |window: &Window| window.length() >= wait;
        let at = (0..self.windows.len())
            .filter(|&at| fits(&self.windows[at]))
            .min_by_key(|&at| self.windows[at].length());
        let at = at.unwrap_or_else(|| {
            self.windows.push(Window::new(wait.max(MINUTE), None, now));
            self.windows.len() - 1
        });
        &mut self.windows[at]
    }

    fn fullest(&mut self, now: Instant) -> &mut Window {
        let share = |at: &usize| self.windows[*at].share(now);
        let at = (0..self.windows.len()).max_by(|a, b| share(a).total_cmp(&share(b)));
        &mut self.windows[at.unwrap_or_default()]
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LIMITS: [(Duration, u32); 2] = [(SECOND, 50), (MINUTE, 1_000)];

    #[tokio::test(start_paused = true)]
    async fn both_limits_are_kept_and_neither_wastes_the_other() {
        let now = Instant::now();
        let mut bucket = Bucket::new(&LIMITS, now);
        let mut at = now;
        let mut sent = Vec::new();
        for _ in 0..3_000 {
            at = bucket.next(now, at);
            bucket.take(at);
            sent.push((at - now).as_secs_f64());
        }
        assert!(sent.windows(51).all(|span| span[50] - span[0] >= 1.0));
        assert!(sent.windows(1_001).all(|span| span[1_000] - span[0] >= 60.0));
        assert!(sent[2_999] < (120.0 + 20.0) * 1.02, "{}", sent[2_999]);
    }

    #[tokio::test(start_paused = true)]
    async fn the_wait_that_the_platform_names_holds_for_everyone() {
        let now = Instant::now();
        let mut bucket = Bucket::new(&LIMITS, now);
        let told = Throttle { wait: Some(SECOND * 40), limit: Some(900), month: false };
        bucket.throttle(told, now, now);
        assert_eq!(bucket.next(now, now), now + SECOND * 40);
        assert_eq!(bucket.windows[1].rate(), Some(15.0), "the limit of a minute was meant");
        assert_eq!(bucket.windows[0].rate(), Some(50.0));
    }

    #[tokio::test(start_paused = true)]
    async fn refusals_of_one_round_lower_the_allowance_once() {
        let now = Instant::now();
        let mut bucket = Bucket::new(&LIMITS[..1], now);
        for _ in 0..50 {
            bucket.take(now);
        }
        for _ in 0..9 {
            bucket.throttle(Throttle::default(), now, now);
        }
        assert_eq!(bucket.windows[0].rate(), Some(40.0));
        assert_eq!(bucket.next(now, now), now + SECOND + SECOND / 250, "one wait, not nine");
        let later = now + SECOND * 2;
        bucket.throttle(Throttle::default(), later, later);
        assert_eq!(bucket.next(later, later), later + SECOND * 2, "the own wait doubles");
        bucket.served(later, later);
        assert_eq!(bucket.own_wait, FIRST_WAIT);
    }

    #[tokio::test(start_paused = true)]
    async fn a_class_without_limits_is_free_until_it_is_throttled() {
        let now = Instant::now();
        let mut bucket = Bucket::new(&[], now);
        for _ in 0..1_000 {
            assert_eq!(bucket.next(now, now), now);
            bucket.take(now);
        }
        assert_eq!(bucket.time_for(1_000.0), Duration::ZERO);
        let told = Throttle { wait: Some(SECOND * 30), limit: Some(600), month: false };
        bucket.throttle(told, now, now);
        assert_eq!(bucket.time_for(1_200.0), MINUTE * 2);
    }
}
