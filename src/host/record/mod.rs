//! Record and replay: every effect of a plugin in one file, without people in it, and the same calls again without a network.
//!
//! A [`Recorder`] listens to one connection. [`replay`] runs a component over a recording, offline, and says the first
//! thing that differs. Connector regressions are tested from such files, and a bug at a customer's is reproduced from one.
//!
//! # The file
//! JSON lines, compressed with zstd: a header (format, plugin, digest of the component, the limits that decide what a guest
//! may do), then one line for each guest call in the order in which calls ended, then an end. A call holds its arguments,
//! its effects in order (request and response, refusal, setting, time, randomness, log, cache, results of secrets'
//! operations) and a digest of its outcome. Each call is a sequence of its own, so calls that ran at once do not mix; calls of
//! the same `instance` follow one another in one instance, because a guest may keep something in its memory.
//!
//! # What is in it
//! A recording holds no outcome of the real call. When a call has ended, its effects are redacted
//! ([`redact`](crate::model::redact)) and the call is gone through once more, in a second instance that is told the
//! stand-ins only: what *that* instance asks and returns is written. So whatever a guest makes of a name, a number or a
//! token (a joined id, a cursor, a header, a line of the log) is made of stand-ins, and a replay sees exactly what was
//! written. The price is that every call runs twice while a recording is made; without one, a call pays for a look at an
//! empty option.
//!
//! The same value has the same stand-in within one recording and another one in the next: the key is random and kept nowhere.
//! Ids of records are replaced too. What stays: times, verdicts, counts, codes, plain words of messages, settings that are
//! neither ids nor credentials, and the host names that requests went to. A call that takes another way once it is
//! told stand-ins, or that ended by its deadline, cannot be repeated; it is left out, counted, and its reason is written.
//!
//! The invariant: nothing in a file was derived from a person's data or a credential, except by the key.

mod call;
mod effect;
mod file;
mod recorder;
mod replay;
mod stage;
mod tape;

use serde::Serialize;

pub use file::RecordError;
pub use recorder::{Recorded, Recorder};
pub use replay::{Build, Departure, Replayed, component, replay};

pub(super) use call::{Call, Made};
pub(super) use effect::{Ask, Binary, Level, Part};
pub(super) use recorder::{Heard, Understudy};
pub(super) use tape::Tape;

/// The longest piece of a request or a result that is shown.
const SHOWN_CHARS: usize = 400;

/// Where a guest left its recording.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct Difference {
    /// Which of the call's effects, from 1; `None` when the effects are the same and the result is not.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<usize>,
    /// What was recorded.
    pub expected: String,
    /// What happened instead.
    pub found: String,
}

/// A text cut to what people read.
fn cut(text: &str) -> String {
    match text.char_indices().nth(SHOWN_CHARS) {
        Some((end, _)) => format!("{}.. ({} bytes)", &text[..end], text.len()),
        None => text.to_owned(),
    }
}
