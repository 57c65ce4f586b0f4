//! The events that nobody has acknowledged yet: one feed for every way of pushing them.
//!
//! Not how an event looks nor how it travels. Whoever pushes waits with [`Feed::next`], sends what it gets, and settles it;
//! what is not settled in time comes again by the platform's schedule, and is given up after its last repetition. The
//! invariant: an event leaves the feed when it was acknowledged or when its repetitions are used up, and then it is counted.

use std::collections::BTreeMap;
use std::sync::{Mutex, MutexGuard, PoisonError};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::sleep;

use crate::clock::Clock;
use crate::world::Change;

/// The platforms wait this long for an acknowledgement.
const ANSWER_TIME: Duration = Duration::from_secs(3);
/// So many events are kept, the newest.
const EVENTS_MOST: usize = 65_536;

/// What became of the events so far.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub struct Pushes {
    /// Not acknowledged yet.
    pub waiting: usize,
    /// Acknowledged.
    pub acknowledged: u64,
    /// Given up.
    pub given_up: u64,
    /// Sent, every repetition counted.
    pub sent: u64,
}

/// An event that is to be sent now.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Due {
    pub change: Change,
    /// Names it when it is settled.
    pub key: u64,
}

#[derive(Debug)]
pub(crate) struct Feed {
    state: Mutex<State>,
    /// Counts what may make another event due.
    moved: watch::Sender<u64>,
}

#[derive(Debug, Default)]
struct State {
    /// Nothing is kept before anyone could be told.
    open: bool,
    repeat_after: Vec<Duration>,
    waiting: BTreeMap<u64, Waiting>,
    pushes: Pushes,
}

#[derive(Debug)]
struct Waiting {
    change: Change,
    /// By the server's uptime.
    due: Duration,
    sent: usize,
}

impl Default for Feed {
    fn default() -> Self {
        Self { state: Mutex::default(), moved: watch::Sender::new(0) }
    }
}

impl Feed {
    fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// After which times what is not acknowledged is sent again.
    pub(crate) fn repeat_after(&self, schedule: Vec<Duration>) {
        self.state().repeat_after = schedule;
    }

    /// From now on there is somebody to tell.
    pub(crate) fn open(&self) {
        self.state().open = true;
    }

    /// Adds what has happened; reads of it must see it already.
    pub(crate) fn publish(&self, changes: impl IntoIterator<Item = Change>, uptime: Duration) {
        let mut state = self.state();
        if !state.open {
            return;
        }
        for change in changes {
            state.waiting.insert(change.seq, Waiting { change, due: uptime, sent: 0 });
        }
        while state.waiting.len() > EVENTS_MOST {
            state.waiting.pop_first();
            state.pushes.given_up += 1;
        }
        drop(state);
        self.wake();
    }

    /// Looks again at what is due: the clock was moved.
    pub(crate) fn wake(&self) {
        self.moved.send_modify(|count| *count += 1);
    }

    /// The next event to send, once there is one. Until it is settled, or its time is up, nobody else gets it.
    pub(crate) async fn next(&self, clock: &Clock) -> Due {
        let mut moved = self.moved.subscribe();
        loop {
            moved.mark_unchanged();
            let wait = match self.take(clock.uptime()) {
                Ok(due) => return due,
                Err(wait) => wait,
            };
            // The sender lives in this very feed, so `changed` cannot fail.
            match wait {
                Some(wait) => {
                    tokio::select! {
                        () = sleep(wait) => {}
                        _ = moved.changed() => {}
                    }
                }
                None => moved.changed().await.unwrap_or_default(),
            }
        }
    }

    /// The oldest event that is due, or the time until one is.
    fn take(&self, uptime: Duration) -> Result<Due, Option<Duration>> {
        let mut state = self.state();
        let State { waiting, repeat_after, pushes, .. } = &mut *state;
        let spent = |one: &Waiting| one.due <= uptime && one.sent > repeat_after.len();
        let before = waiting.len();
        waiting.retain(|_, one| !spent(one));
        pushes.given_up += (before - waiting.len()) as u64;
        let Some((key, one)) = waiting.iter_mut().find(|(_, one)| one.due <= uptime) else {
            let next = waiting.values().map(|one| one.due.saturating_sub(uptime)).min();
            return Err(next);
        };
        let pause = repeat_after.get(one.sent).copied().unwrap_or_default();
        one.due = uptime + ANSWER_TIME + pause;
        one.sent += 1;
        pushes.sent += 1;
        Ok(Due { change: one.change, key: *key })
    }

    /// The receiver has it.
    pub(crate) fn acknowledge(&self, key: u64) {
        let mut state = self.state();
        if state.waiting.remove(&key).is_some() {
            state.pushes.acknowledged += 1;
        }
    }

    /// The app may not hear of it: it never was an event.
    pub(crate) fn forget(&self, key: u64) {
        self.state().waiting.remove(&key);
    }

    /// The receiver does not have it: it comes again after its pause, which begins now.
    pub(crate) fn refuse(&self, key: u64, uptime: Duration) {
        let mut state = self.state();
        let State { waiting, repeat_after, .. } = &mut *state;
        if let Some(one) = waiting.get_mut(&key) {
            let pause = one.sent.checked_sub(1).and_then(|nth| repeat_after.get(nth));
            one.due = uptime + pause.copied().unwrap_or_default();
        }
        drop(state);
        self.wake();
    }

    pub(crate) fn pushes(&self) -> Pushes {
        let state = self.state();
        Pushes { waiting: state.waiting.len(), ..state.pushes }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::ids::PersonNo;
    use crate::world::What;

    const AT: Duration = Duration::from_secs(100);

    fn changes(seqs: &[u64]) -> Vec<Change> {
        let what = What::Punched { no: PersonNo(0), day: 0, at: 0 };
        seqs.iter().map(|seq| Change { step: 1, seq: *seq, at: 0, what }).collect()
    }

    fn feed(seqs: &[u64], schedule: &[u64]) -> Feed {
        let feed = Feed::default();
        feed.repeat_after(schedule.iter().copied().map(Duration::from_secs).collect());
        feed.open();
        feed.publish(changes(seqs), AT);
        feed
    }

    #[test]
    fn an_event_is_sent_once_at_a_time_and_gone_once_acknowledged() {
        let feed = feed(&[1, 2], &[15]);
        assert_eq!(feed.take(AT).unwrap().key, 1);
        assert_eq!(feed.take(AT).unwrap().key, 2);
        assert_eq!(feed.take(AT).unwrap_err(), Some(Duration::from_secs(18)));
        feed.acknowledge(1);
        feed.acknowledge(1);
        let pushes = Pushes { waiting: 1, acknowledged: 1, given_up: 0, sent: 2 };
        assert_eq!(feed.pushes(), pushes);
        assert_eq!(feed.take(AT + Duration::from_secs(18)).unwrap().key, 2);
    }

    #[test]
    fn what_is_refused_comes_again_by_the_schedule_and_is_given_up_after_it() {
        let feed = feed(&[1], &[10, 30]);
        let mut now = AT;
        for pause in [10, 30] {
            feed.take(now).unwrap();
            feed.refuse(1, now);
            now += Duration::from_secs(pause);
            let early = now.checked_sub(Duration::from_secs(1)).unwrap();
            assert_eq!(feed.take(early).unwrap_err(), Some(Duration::from_secs(1)));
        }
        feed.take(now).unwrap();
        feed.refuse(1, now);
        assert_eq!(feed.take(now).unwrap_err(), None);
        assert_eq!(feed.pushes(), Pushes { given_up: 1, sent: 3, ..Pushes::default() });
    }

    #[test]
    fn nothing_is_kept_while_there_is_nobody_to_tell() {
        let feed = Feed::default();
        feed.publish(changes(&[1]), AT);
        assert_eq!(feed.pushes(), Pushes::default());
    }

    #[tokio::test]
    async fn a_publication_wakes_whoever_waits() {
        let (feed, clock) = (feed(&[], &[]), Clock::new(0));
        let publish = async { feed.publish(changes(&[7]), Duration::ZERO) };
        let (due, ()) = tokio::join!(feed.next(&clock), publish);
        assert_eq!(due.key, 7);
    }
}
