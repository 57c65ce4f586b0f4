//! A timer that is used again for call after call.
//!
//! Setting a new timer wakes the thread that waits for timers; moving one that is set to a later time does not. Calls come by
//! the thousand and nearly all end long before their time. The invariant: it fires for nobody but its last user.

use std::pin::Pin;

use tokio::runtime::{Handle, Id};
use tokio::time::{Instant, Sleep, sleep_until};

/// See the module.
#[derive(Default)]
pub(super) struct Timer(Option<(Id, Pin<Box<Sleep>>)>);

impl Timer {
    /// Awaits work until a deadline; `None` when that came first.
    pub(super) async fn limit<T>(
        &mut self,
        deadline: Instant,
        work: impl Future<Output = T>,
    ) -> Option<T> {
        let sleep = self.set(deadline);
        tokio::select! {
            biased;
            out = work => Some(out),
            () = sleep => None,
        }
    }

    fn set(&mut self, deadline: Instant) -> Pin<&mut Sleep> {
        // A timer ends with its runtime.
        let here = Handle::current().id();
        if self.0.as_ref().is_none_or(|(there, _)| *there != here) {
            self.0 = None;
        }
        let (_, sleep) = self.0.get_or_insert_with(|| (here, Box::pin(sleep_until(deadline))));
        if sleep.deadline() != deadline {
            sleep.as_mut().reset(deadline);
        }
        sleep.as_mut()
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    const SECOND: Duration = Duration::from_secs(1);

    #[tokio::test(start_paused = true)]
    async fn it_ends_what_takes_too_long_and_nothing_else_however_often() {
        let mut timer = Timer::default();
        for round in 0..4 {
            let quick = timer.limit(Instant::now() + 2 * SECOND, tokio::time::sleep(SECOND)).await;
            assert!(quick.is_some(), "{round}");
            let began = Instant::now();
            let slow = timer.limit(began + SECOND, tokio::time::sleep(2 * SECOND)).await;
            assert_eq!((slow, began.elapsed()), (None, SECOND), "{round}");
            assert_eq!(timer.limit(began, async { 7 }).await, Some(7), "what is done is done");
            assert_eq!(timer.limit(began, std::future::pending::<()>()).await, None);
        }
    }

    #[test]
    fn it_outlives_the_runtime_it_was_used_in() {
        let mut timer = Timer::default();
        for _ in 0..3 {
            let mut runtime = tokio::runtime::Builder::new_current_thread();
            let runtime = runtime.enable_time().start_paused(true).build().unwrap();
            let work =
                async { timer.limit(Instant::now() + SECOND, std::future::pending::<()>()).await };
            assert_eq!(runtime.block_on(work), None);
        }
    }
}
