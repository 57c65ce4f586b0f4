//! Whose turn it is to compute. Most calls compute for less than a tick and never get here; a guest that computes on and on
//! takes turns with others of its kind on all cores but one, so that everybody else's calls find a core that is free. So
//! does a connection whose last call was broken off or had to take a turn: a guest that ends in no time, or just in time to
//! begin again, can be as busy as one that loops.
//!
//! Not a deadline: that ends a call, this only makes it wait. The invariant: of the calls that have computed for more than a
//! tick without a pause, or follow one that did or was broken off, no more run at once than there are turns.

use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{OwnedSemaphorePermit, Semaphore};

/// The turns of a process.
#[derive(Debug)]
pub(super) struct Turns(Arc<Semaphore>);

impl Turns {
    /// All cores but one; on a machine of one core, that one.
    pub(super) fn of_machine() -> Self {
        let cores = std::thread::available_parallelism().map_or(1, std::num::NonZero::get);
        Self::new(cores - 1)
    }

    fn new(turns: usize) -> Self {
        Self(Arc::new(Semaphore::new(turns.max(1))))
    }

    /// Waits for a turn.
    pub(super) async fn take(&self) -> Option<Permit> {
        Arc::clone(&self.0).acquire_owned().await.ok()
    }
}

/// The right to compute while others of its kind wait.
pub(super) type Permit = OwnedSemaphorePermit;

/// The turn of one instance.
#[derive(Debug, Default)]
pub(super) struct Turn {
    /// Ticks since its call began or last waited for the network.
    ticks: u32,
    /// Whether it has had to take a turn since its call began.
    long: bool,
    held: Arc<Mutex<Option<Permit>>>,
}

impl Turn {
    /// A tick has passed while the guest computed: gives its turn back and waits for the next one.
    pub(super) fn next(&mut self, turns: &Turns) -> impl Future<Output = ()> + Send + 'static {
        self.give_back();
        self.ticks = self.ticks.saturating_add(1);
        // The tick is the machine's, so a call that met one has not computed for a whole one yet.
        let long = self.ticks > 1;
        self.long |= long;
        let (turns, held) = (Arc::clone(&turns.0), Arc::clone(&self.held));
        async move {
            tokio::task::yield_now().await;
            if long {
                let turn = turns.acquire_owned().await.ok();
                *held.lock().unwrap_or_else(PoisonError::into_inner) = turn;
            }
        }
    }

    /// A call begins; it may have its turn from its start.
    pub(super) fn begin(&mut self, permit: Option<Permit>) {
        self.rest();
        self.long = false;
        *self.held.lock().unwrap_or_else(PoisonError::into_inner) = permit;
    }

    /// Whether the call has had to take a turn.
    pub(super) fn was_long(&self) -> bool {
        self.long
    }

    /// The guest pauses: its call ends or waits for the network.
    pub(super) fn rest(&mut self) {
        self.give_back();
        self.ticks = 0;
    }

    fn give_back(&self) {
        self.held.lock().unwrap_or_else(PoisonError::into_inner).take();
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use super::*;

    async fn comes(turn: &mut Turn, turns: &Turns) -> bool {
        tokio::time::timeout(Duration::from_secs(1), turn.next(turns)).await.is_ok()
    }

    #[tokio::test(start_paused = true)]
    async fn who_computes_on_waits_for_a_turn_and_who_pauses_gives_it_back() {
        let turns = Turns::new(1);
        let (mut busy, mut other) = (Turn::default(), Turn::default());
        for _ in 0..5 {
            assert!(comes(&mut busy, &turns).await, "alone, it gets every turn");
        }
        assert!(comes(&mut other, &turns).await, "a first tick is free");
        assert!(!comes(&mut other, &turns).await, "the only turn is taken");
        busy.rest();
        assert!(comes(&mut other, &turns).await);
        assert!(comes(&mut busy, &turns).await, "after a pause, a first tick is free again");
        assert!(!comes(&mut busy, &turns).await);
        drop(other);
        assert!(comes(&mut busy, &turns).await, "an instance that is gone holds nothing");
    }

    #[tokio::test(start_paused = true)]
    async fn a_call_that_had_to_take_a_turn_is_remembered_until_the_next() {
        let (turns, mut turn) = (Turns::new(1), Turn::default());
        turn.next(&turns).await;
        assert!(!turn.was_long(), "a first tick is free");
        turn.next(&turns).await;
        turn.rest();
        assert!(turn.was_long(), "though it paused since");
        turn.begin(None);
        assert!(!turn.was_long());
    }

    #[tokio::test(start_paused = true)]
    async fn turns_go_round() {
        let turns = Turns::new(1);
        let (mut first, mut second) = (Turn::default(), Turn::default());
        first.next(&turns).await;
        second.next(&turns).await;
        first.next(&turns).await;
        for _ in 0..3 {
            let waiting = tokio::spawn(second.next(&turns));
            tokio::task::yield_now().await;
            tokio::task::yield_now().await;
            let again = tokio::spawn(first.next(&turns));
            assert!(tokio::time::timeout(Duration::from_secs(1), waiting).await.is_ok());
            assert!(!again.is_finished(), "it waits behind the other");
            let waiting = tokio::spawn(second.next(&turns));
            assert!(tokio::time::timeout(Duration::from_secs(1), again).await.is_ok());
            waiting.abort();
        }
    }
}
