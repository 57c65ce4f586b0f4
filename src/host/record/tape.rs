//! What an instance does at every crossing while it is recorded or replayed: note what was said, or say what was noted.
//!
//! The invariant: an instance with a script never reaches the outside, whatever its guest asks.

use std::sync::Arc;

use super::Difference;
use super::effect::{Answer, Ask, Crossing, Effect};
use super::stage::Stage;
use crate::host::context::Context;

/// The state of one call.
#[derive(Debug)]
pub(in crate::host) enum Tape {
    /// The outside answers; what it says is noted.
    Noting(Vec<Effect>),
    /// The outside is not there; a script answers.
    Playing(Script),
}

/// Answers in the order in which they were given.
#[derive(Debug)]
pub(in crate::host) struct Script {
    rest: std::vec::IntoIter<Effect>,
    /// The redacted effects, while they are made; without a stage the script is kept to the letter.
    stage: Option<Arc<Stage>>,
    played: Vec<Effect>,
    count: usize,
    difference: Option<Difference>,
}

/// Ends a call that does not follow its script.
#[derive(Clone, Copy, Debug, thiserror::Error)]
#[error("it asks for something else than when it was recorded")]
struct OffScript;

impl Script {
    /// A recording, to be followed to the letter.
    pub(super) fn recorded(effects: Vec<Effect>) -> Self {
        Self::new(effects, None)
    }

    /// What was just noted, to be gone through again with stand-ins.
    pub(super) fn rehearsal(effects: Vec<Effect>, stage: Arc<Stage>) -> Self {
        Self::new(effects, Some(stage))
    }

    fn new(effects: Vec<Effect>, stage: Option<Arc<Stage>>) -> Self {
        let rest = effects.into_iter();
        Self { rest, stage, played: Vec::new(), count: 0, difference: None }
    }

    fn next(&mut self, ask: Ask) -> wasmtime::Result<Answer> {
        self.count += 1;
        let Some(effect) = self.rest.next() else { return self.depart("nothing more", &ask) };
        let Some(stage) = self.stage.clone() else {
            if effect.ask != ask {
                return self.depart(&shown(&effect.ask), &ask);
            }
            return Ok(effect.answer);
        };
        if effect.ask.name() != ask.name() {
            return self.depart(effect.ask.name(), &ask);
        }
        stage.learn(&effect.ask, &ask);
        let answer = stage.answer(effect, &ask);
        self.played.push(Effect { ask, answer: answer.clone() });
        Ok(answer)
    }

    fn depart(&mut self, expected: &str, found: &Ask) -> wasmtime::Result<Answer> {
        let expected = expected.to_owned();
        let effect = Some(self.count);
        self.difference.get_or_insert(Difference { effect, expected, found: shown(found) });
        Err(OffScript.into())
    }

    /// Ends the script: what was played, or where the guest left it.
    pub(super) fn end(mut self) -> Result<Vec<Effect>, Difference> {
        if let Some(difference) = self.difference {
            return Err(difference);
        }
        match self.rest.next() {
            Some(effect) => Err(Difference {
                effect: Some(self.count + 1),
                expected: shown(&effect.ask),
                found: "nothing more".to_owned(),
            }),
            None => Ok(self.played),
        }
    }
}

/// An ask for people: its import and all it says.
fn shown(ask: &Ask) -> String {
    let json = serde_json::to_string(ask).unwrap_or_default();
    format!("{} {}", ask.name(), super::cut(&json))
}

impl Context {
    /// The ask, built only when somebody listens.
    pub(in crate::host) fn taped(&self, ask: impl FnOnce() -> Ask) -> Option<Ask> {
        self.tape.is_some().then(ask)
    }

    /// The script's answer; else what to note the outside's answer under.
    pub(in crate::host) fn played<T: Crossing>(
        &mut self,
        ask: Option<Ask>,
    ) -> wasmtime::Result<Result<T, Option<Ask>>> {
        match (self.tape.as_deref_mut(), ask) {
            (Some(Tape::Playing(script)), Some(ask)) => {
                let answer = script.next(ask)?;
                T::from_answer(answer).map(Ok).ok_or_else(|| OffScript.into())
            }
            (_, ask) => Ok(Err(ask)),
        }
    }

    /// Notes what the outside answered.
    pub(in crate::host) fn note<T: Crossing>(&mut self, ask: Option<Ask>, given: &T) {
        if let (Some(Tape::Noting(effects)), Some(ask)) = (self.tape.as_deref_mut(), ask) {
            effects.push(Effect { ask, answer: given.to_answer() });
        }
    }

    /// One crossing: out of the script, or real and noted.
    pub(in crate::host) fn crossing<T: Crossing>(
        &mut self,
        ask: Option<Ask>,
        real: impl FnOnce(&mut Self) -> T,
    ) -> wasmtime::Result<T> {
        match self.played(ask)? {
            Ok(given) => Ok(given),
            Err(ask) => {
                let given = real(self);
                self.note(ask, &given);
                Ok(given)
            }
        }
    }
}
