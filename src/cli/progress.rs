//! Progress of a run on stderr: a bar on a terminal, a plain line every second elsewhere.

use std::io::IsTerminal as _;
use std::sync::{Mutex, PoisonError};
use std::time::{Duration, Instant};

use indicatif::{ProgressBar, ProgressStyle};

use crate::sync::progress::{Event, Progress};

/// A plain line at most this often.
const LINE_EVERY: Duration = Duration::from_secs(1);

/// Shows news of a run.
pub(super) enum Shower {
    /// A bar.
    Bar(ProgressBar),
    /// Lines, with the time of the last.
    Lines(Mutex<Option<Instant>>),
}

impl Shower {
    /// A bar where stderr is a terminal, lines elsewhere.
    pub(super) fn new() -> Self {
        if !std::io::stderr().is_terminal() {
            return Self::Lines(Mutex::new(None));
        }
        let bar = ProgressBar::new_spinner();
        bar.enable_steady_tick(Duration::from_millis(120));
        Self::Bar(bar)
    }

    /// Takes the bar away.
    pub(super) fn clear(&self) {
        if let Self::Bar(bar) = self {
            bar.finish_and_clear();
        }
    }
}

const COUNTED: &str = "{spinner} {msg:<24} {wide_bar} {pos}/{len} {eta}";
const OPEN: &str = "{spinner} {msg:<24} {pos}";

impl Progress for Shower {
    fn tell(&self, event: Event) {
        let (what, done, of) = match event {
            Event::Read { entity, done, of } => (format!("reading {entity}"), done, of),
            // Records are what people count by.
            Event::Parts { .. } => return,
            Event::Remapped { entity, done } => (format!("mapping {entity} again"), done, None),
            Event::Applied { done, of } => ("writing".to_owned(), done, Some(of)),
            Event::Planned(plan) => {
                let of = plan.values().map(crate::model::plan::Tally::total).sum();
                ("planned".to_owned(), of, Some(of))
            }
        };
        match self {
            Self::Bar(bar) => {
                let style = ProgressStyle::with_template(if of.is_some() { COUNTED } else { OPEN });
                bar.set_style(style.unwrap_or_else(|_| ProgressStyle::default_spinner()));
                bar.set_length(of.unwrap_or(done).max(done));
                bar.set_position(done);
                bar.set_message(what);
            }
            Self::Lines(last) => {
                let mut last = last.lock().unwrap_or_else(PoisonError::into_inner);
                if last.is_none_or(|last| last.elapsed() >= LINE_EVERY) {
                    *last = Some(Instant::now());
                    let of = of.map(|of| format!(" of {of}")).unwrap_or_default();
                    eprintln!("{what}: {done}{of}");
                }
            }
        }
    }
}
