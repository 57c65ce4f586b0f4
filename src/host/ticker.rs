//! The engine's pulse: one thread that lets busy guests be interrupted, and sleeps while there is none.
//!
//! The invariant: while a [`Pulse`] lives, the epoch grows at least every few [`TICK`]s.

use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

use wasmtime::Engine;

/// How often a running guest gives way.
const TICK: Duration = Duration::from_millis(5);

#[derive(Debug, Default)]
struct State {
    running: usize,
    /// Whether the thread waits to be woken: only then does a call pay for waking it.
    asleep: bool,
    stopped: bool,
}

#[derive(Debug, Default)]
struct Shared {
    state: Mutex<State>,
    changed: Condvar,
}

/// The thread; it ends with this value.
#[derive(Debug)]
pub(super) struct Ticker(Arc<Shared>);

/// Keeps the thread awake while a guest may run.
pub(super) struct Pulse<'t>(&'t Shared);

impl Ticker {
    pub(super) fn start(engine: &Engine) -> std::io::Result<Self> {
        let shared = Arc::new(Shared::default());
        let (theirs, engine) = (Arc::clone(&shared), engine.clone());
        std::thread::Builder::new()
            .name("rollcall-epoch".to_owned())
            .spawn(move || theirs.run(&engine))?;
        Ok(Self(shared))
    }

    pub(super) fn pulse(&self) -> Pulse<'_> {
        let mut state = self.0.state.lock().unwrap_or_else(PoisonError::into_inner);
        state.running += 1;
        if state.asleep {
            self.0.changed.notify_one();
        }
        Pulse(&self.0)
    }
}

impl Shared {
    fn run(&self, engine: &Engine) {
        let mut state = self.state.lock().unwrap_or_else(PoisonError::into_inner);
        while !state.stopped {
            state.asleep = state.running == 0;
            state = if state.asleep {
                self.changed.wait(state).unwrap_or_else(PoisonError::into_inner)
            } else {
                engine.increment_epoch();
                self.changed.wait_timeout(state, TICK).unwrap_or_else(PoisonError::into_inner).0
            };
        }
    }
}

impl Drop for Pulse<'_> {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).running -= 1;
    }
}

impl Drop for Ticker {
    fn drop(&mut self) {
        self.0.state.lock().unwrap_or_else(PoisonError::into_inner).stopped = true;
        self.0.changed.notify_one();
    }
}
