//! How many calls of one connection run at once, and when: fewer after the platform asks to slow down, more again while it
//! does not.
//!
//! Additive increase, multiplicative decrease. The invariant: no call begins before the time the platform named, and at
//! least one may always run.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use tokio::sync::Notify;
use tokio::time::{Instant, sleep_until};

/// The pace of one connection.
pub(super) struct Pace {
    state: Mutex<State>,
    freed: Notify,
    most: f64,
}

struct State {
    running: usize,
    /// How many may run; grows by one with each round of calls that go well.
    width: f64,
    resume: Option<Instant>,
    /// Calls that began before this met the same congestion: they do not slow the pace again.
    slowed: Option<Instant>,
}

/// The right to run one call.
pub(super) struct Pass<'p> {
    pace: &'p Pace,
    began: Instant,
}

enum Turn {
    Go,
    Wait(Instant),
    Full,
}

impl Pace {
    pub(super) fn new(most: usize) -> Self {
        #[expect(clippy::cast_precision_loss, reason = "a small number of instances")]
        let most = most.max(1) as f64;
        let state = State { running: 0, width: most, resume: None, slowed: None };
        Self { state: Mutex::new(state), freed: Notify::new(), most }
    }

    /// Waits until a call may begin.
    pub(super) async fn enter(&self) -> Pass<'_> {
        loop {
            let mut freed = std::pin::pin!(self.freed.notified());
            freed.as_mut().enable();
            let now = Instant::now();
            match self.turn(now) {
                Turn::Go => return Pass { pace: self, began: now },
                Turn::Wait(until) => sleep_until(until).await,
                Turn::Full => freed.await,
            }
        }
    }

    fn turn(&self, now: Instant) -> Turn {
        let mut state = self.lock();
        if let Some(until) = state.resume.filter(|&until| until > now) {
            return Turn::Wait(until);
        }
        state.resume = None;
        #[expect(clippy::cast_precision_loss, reason = "a small number of instances")]
        let room = state.running == 0 || (state.running as f64) + 1.0 <= state.width;
        if room {
            state.running += 1;
            return Turn::Go;
        }
        Turn::Full
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many calls may run at once now.
    #[cfg(test)]
    fn width(&self) -> f64 {
        self.lock().width
    }
}

impl Pass<'_> {
    /// The call went well: a little wider.
    pub(super) fn went_well(self) {
        let mut state = self.pace.lock();
        state.width = (state.width + 1.0 / state.width).min(self.pace.most);
    }

    /// The platform asks to slow down: half as wide, and nothing begins before it says so.
    pub(super) fn slow_down(self, delay: Duration) {
        let now = Instant::now();
        let mut state = self.pace.lock();
        if state.slowed.is_none_or(|at| self.began > at) {
            state.width = (state.width / 2.0).max(1.0);
            state.slowed = Some(now);
        }
        let until = now + delay;
        state.resume = Some(state.resume.map_or(until, |earlier| earlier.max(until)));
    }
}

impl Drop for Pass<'_> {
    fn drop(&mut self) {
        self.pace.lock().running -= 1;
        self.pace.freed.notify_one();
        // A wider pace may have room for one more.
        self.pace.freed.notify_one();
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::Arc;
    use std::sync::atomic::{AtomicUsize, Ordering};

    #[tokio::test(start_paused = true)]
    async fn a_platform_that_asks_to_slow_down_halves_the_width_once_a_round() {
        let pace = Pace::new(8);
        let (first, second) = (pace.enter().await, pace.enter().await);
        first.slow_down(Duration::from_secs(2));
        second.slow_down(Duration::from_secs(1));
        assert!((pace.width() - 4.0).abs() < 0.01, "{}", pace.width());
        let before = Instant::now();
        let third = pace.enter().await;
        assert_eq!(
            before.elapsed(),
            Duration::from_secs(2),
            "nothing begins before the longest delay"
        );
        third.slow_down(Duration::ZERO);
        assert!((pace.width() - 2.0).abs() < 0.01);
        for _ in 0..4 {
            pace.enter().await.went_well();
        }
        assert!(pace.width() > 3.0 && pace.width() < 4.0, "{}", pace.width());
        for _ in 0..40 {
            pace.enter().await.went_well();
        }
        assert!((pace.width() - 8.0).abs() < 0.01);
    }

    #[tokio::test(start_paused = true)]
    async fn never_more_run_than_the_width_and_nobody_is_forgotten() {
        let (pace, running, most) =
            (Arc::new(Pace::new(3)), Arc::new(AtomicUsize::new(0)), Arc::new(AtomicUsize::new(0)));
        let tasks: Vec<_> = (0..20)
            .map(|_| {
                let (pace, running, most) =
                    (Arc::clone(&pace), Arc::clone(&running), Arc::clone(&most));
                tokio::spawn(async move {
                    let pass = pace.enter().await;
                    most.fetch_max(running.fetch_add(1, Ordering::SeqCst) + 1, Ordering::SeqCst);
                    tokio::time::sleep(Duration::from_millis(5)).await;
                    running.fetch_sub(1, Ordering::SeqCst);
                    pass.went_well();
                })
            })
            .collect();
        for task in tasks {
            task.await.unwrap();
        }
        assert_eq!(most.load(Ordering::SeqCst), 3);
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_is_given_up_makes_room() {
        let pace = Pace::new(1);
        drop(pace.enter().await);
        let held = pace.enter().await;
        let waiting = pace.enter();
        tokio::pin!(waiting);
        assert!(tokio::time::timeout(Duration::from_secs(1), waiting.as_mut()).await.is_err());
        drop(held);
        waiting.await.went_well();
    }
}
