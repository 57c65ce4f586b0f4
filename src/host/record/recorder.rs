//! Listens to one connection and writes its recording.
//!
//! The invariant: what is written was asked, told and returned in an instance that knows stand-ins only.

use std::path::{Path, PathBuf};
use std::sync::atomic::{AtomicU64, Ordering};
use std::sync::{Arc, Mutex, PoisonError};

use serde::Serialize;
use tokio::time::{Instant, timeout_at};

use super::call::{Call, Made, Outcome};
use super::effect::Effect;
use super::file::{BYTES, Bounds, Header, Line, RecordError, Taken, Writer};
use super::stage::Stage;
use super::tape::{Script, Tape};
use crate::host::context::Shared;
use crate::host::failure::Failure;
use crate::host::instance::Live;
use crate::host::random::Randomness;
use crate::model::fault::Fault;
use crate::model::redact::Redactor;

/// Writes the recording of one connection.
pub struct Recorder {
    path: PathBuf,
    stage: Arc<Stage>,
    instances: AtomicU64,
    state: Mutex<State>,
}

struct State {
    writer: Option<Writer>,
    /// Whether the header is written: a connection has been set up.
    begun: bool,
    count: Recorded,
    /// What ended the recording early.
    fault: Option<RecordError>,
}

/// What a recording holds.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize)]
pub struct Recorded {
    /// Calls that can be repeated.
    pub calls: u64,
    /// Their effects.
    pub effects: u64,
    /// Calls that cannot.
    pub left_out: u64,
}

/// A call as it was heard: what came in, what crossed, what came out.
pub(in crate::host) struct Heard {
    pub(in crate::host) call: Call,
    pub(in crate::host) effects: Vec<Effect>,
    /// The real result; of a fault only that there was one.
    pub(in crate::host) made: Option<Made>,
}

/// The second instance, which goes through every call of the first with stand-ins.
pub(in crate::host) struct Understudy {
    live: Live,
    instance: u64,
}

impl Recorder {
    /// Begins a recording; the file gets its name when it is finished.
    ///
    /// # Errors
    /// [`RecordError::Write`] when it cannot be created.
    pub fn create(path: &Path, random: &dyn Randomness) -> Result<Self, RecordError> {
        Self::bounded(path, random, BYTES)
    }

    pub(super) fn bounded(
        path: &Path,
        random: &dyn Randomness,
        limit: u64,
    ) -> Result<Self, RecordError> {
        let mut key = [0; 32];
        random.fill(&mut key);
        let writer = Some(Writer::create(path, limit)?);
        let state = State { writer, begun: false, count: Recorded::default(), fault: None };
        Ok(Self {
            path: path.to_owned(),
            stage: Arc::new(Stage::new(Redactor::new(key))),
            instances: AtomicU64::new(0),
            state: Mutex::new(state),
        })
    }

    /// Writes the header for the connection that is to be listened to.
    pub(in crate::host) fn begin(&self, shared: &Shared) -> Result<(), RecordError> {
        let mut state = self.lock();
        if std::mem::replace(&mut state.begun, true) {
            return Err(RecordError::Connection);
        }
        let manifest = shared.plugin.manifest();
        let (name, version) = (manifest.name.clone(), manifest.version.clone());
        let header = Header::new(name, version, shared.plugin.digest(), Bounds::of(&shared.limits));
        state.write(&self.path, &header);
        Ok(())
    }

    /// Ends the recording.
    ///
    /// # Errors
    /// [`RecordError::TooLarge`] when there was more to record than the file may hold, else why it cannot be written. What
    /// was recorded until then is a whole file in the first case.
    pub fn finish(&self) -> Result<Recorded, RecordError> {
        let mut state = self.lock();
        let Some(writer) = state.writer.take() else {
            return Err(state.fault.take().unwrap_or(RecordError::Connection));
        };
        if !state.begun {
            writer.discard();
            return Err(RecordError::Connection);
        }
        let Recorded { calls, left_out, .. } = state.count;
        writer.finish(&Line::End { calls, left_out })?;
        state.fault.take().map_or(Ok(state.count), Err)
    }

    /// Notes a call that cannot be repeated.
    pub(in crate::host) fn leave_out(&self, call: &Call, reason: &str) {
        let line = Line::LeftOut { export: call.export().to_owned(), reason: reason.to_owned() };
        let mut state = self.lock();
        if state.write(&self.path, &line) {
            state.count.left_out += 1;
        }
    }

    /// Goes through a call again with stand-ins and writes that. Gives back the second instance if it may go on.
    pub(in crate::host) async fn take(
        &self,
        shared: &Arc<Shared>,
        understudy: Option<Understudy>,
        heard: Heard,
    ) -> Option<Understudy> {
        let Heard { call, effects, made } = heard;
        let call = call.redacted(&self.stage);
        let script = Script::rehearsal(effects, Arc::clone(&self.stage));
        let staged = self.staged(shared, understudy, &call, Tape::Playing(script)).await;
        let (understudy, played, outcome) = match staged {
            Ok(staged) => staged,
            Err(reason) => {
                self.leave_out(&call, &reason);
                return None;
            }
        };
        if let Err(reason) = self.learn(made.as_ref(), outcome.as_ref().ok()) {
            self.leave_out(&call, reason);
            return None;
        }
        let instance = understudy.instance;
        let crossed = played.len() as u64;
        let taken = Taken { instance, call, effects: played, outcome: Outcome::of(&outcome) };
        let mut state = self.lock();
        if state.write(&self.path, &Line::Call(Box::new(taken))) {
            state.count.calls += 1;
            state.count.effects += crossed;
        }
        drop(state);
        understudy.usable.then_some(Understudy { live: understudy.live, instance })
    }

    /// One call in the second instance, a new one where there is none.
    async fn staged(
        &self,
        shared: &Arc<Shared>,
        understudy: Option<Understudy>,
        call: &Call,
        tape: Tape,
    ) -> Result<(Staged, Vec<Effect>, Result<Made, Fault>), String> {
        let performance = async {
            let (mut live, instance) = if let Some(Understudy { mut live, instance }) = understudy {
                live.set_tape(tape);
                (live, instance)
            } else {
                let live = Live::start(shared, Some(tape)).await;
                let live = live.map_err(|_| "its second instance does not start".to_owned())?;
                (live, self.instances.fetch_add(1, Ordering::Relaxed))
            };
            let (usable, out) = live.play(call).await;
            Ok::<_, String>((live, instance, usable, out))
        };
        let deadline = Instant::now() + shared.limits.call;
        let played = timeout_at(deadline, performance).await;
        let (mut live, instance, usable, out) =
            played.map_err(|_| "it does not end once it is told stand-ins".to_owned())??;
        let Some(Tape::Playing(script)) = live.take_tape() else {
            return Err("it lost its script".to_owned());
        };
        let effects = script.end().map_err(|departed| {
            format!(
                "told stand-ins, it asks at effect {} for `{}` in place of `{}`",
                departed.effect.unwrap_or_default(),
                first_word(&departed.found),
                first_word(&departed.expected)
            )
        })?;
        let outcome = out.map_err(|failure: Failure| failure.into_fault(shared, call.export()));
        Ok((Staged { live, instance, usable }, effects, outcome))
    }

    /// Learns which ids and cursor stand for which.
    fn learn(&self, made: Option<&Made>, staged: Option<&Made>) -> Result<(), &'static str> {
        let (made, staged) = match (made, staged) {
            (None, None) => return Ok(()),
            (Some(made), Some(staged)) => (made, staged),
            (Some(_), None) => return Err("told stand-ins, it fails"),
            (None, Some(_)) => return Err("told stand-ins, it no longer fails"),
        };
        if made.records.len() != staged.records.len()
            || made.next.is_some() != staged.next.is_some()
        {
            return Err("told stand-ins, it gives another number of records or pages");
        }
        for (record, stand_in) in made.records.iter().zip(&staged.records) {
            self.stage.pair(record.id.as_str(), stand_in.id.as_str());
        }
        if let (Some(next), Some(stand_in)) = (&made.next, &staged.next) {
            self.stage.pair(next, stand_in);
        }
        Ok(())
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

struct Staged {
    live: Live,
    instance: u64,
    usable: bool,
}

fn first_word(text: &str) -> &str {
    text.split(' ').next().unwrap_or_default()
}

impl State {
    /// Writes a line unless the recording has ended; whether it is written.
    fn write<T: Serialize>(&mut self, path: &Path, line: &T) -> bool {
        let Some(writer) = self.writer.as_mut().filter(|_| self.fault.is_none()) else {
            return false;
        };
        match writer.line(line) {
            Ok(true) => true,
            Ok(false) => {
                let limit = writer.limit();
                self.fault = Some(RecordError::TooLarge { path: path.to_owned(), limit });
                false
            }
            Err(fault) => {
                (self.writer, self.fault) = (None, Some(fault));
                false
            }
        }
    }
}

impl std::fmt::Debug for Recorder {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Recorder({})", self.path.display())
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::host::random::OsRandom;

    #[test]
    fn a_recording_that_is_full_says_so_and_is_whole_up_to_there() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run");
        let recorder = Recorder::bounded(&file, &OsRandom, 1000).unwrap();
        recorder.lock().begun = true;
        for _ in 0..100 {
            recorder.leave_out(&Call::Probe, "it ran past its deadline");
        }
        let told = recorder.finish().unwrap_err();
        assert!(matches!(told, RecordError::TooLarge { limit: 1000, .. }), "{told}");
        let text = zstd::decode_all(std::fs::File::open(&file).unwrap()).unwrap();
        assert!(text.len() < 1100, "{}", text.len());
        let text = String::from_utf8(text).unwrap();
        let count = text.lines().count() - 1;
        assert_eq!(
            text.lines().last().unwrap(),
            format!("{{\"end\":{{\"calls\":0,\"left_out\":{count}}}}}")
        );
    }

    #[test]
    fn a_recording_of_nothing_leaves_no_file() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("run");
        let recorder = Recorder::create(&file, &OsRandom).unwrap();
        assert!(matches!(recorder.finish(), Err(RecordError::Connection)));
        assert_eq!(std::fs::read_dir(folder.path()).unwrap().count(), 0);
        let nowhere = folder.path().join("none/run");
        let told = Recorder::create(&nowhere, &OsRandom).unwrap_err();
        assert!(told.to_string().contains("none/run` cannot be written"), "{told}");
    }
}
