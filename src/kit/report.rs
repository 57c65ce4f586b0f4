//! What the kit found, for people and programs.
//!
//! The one invariant: a failure says what was found and what the author does about it.

use serde::Serialize;

use crate::model::hash::ContentHash;
use crate::model::ids::PluginName;

/// What was found of one component.
#[derive(Clone, Debug, Serialize)]
pub struct Report {
    /// Its name.
    pub plugin: PluginName,
    /// Its version.
    pub version: String,
    /// Of its file.
    pub digest: ContentHash,
    /// What was played to it, in words.
    pub platform: String,
    /// Every check, in the order in which they ran.
    pub checks: Vec<Check>,
}

/// One check.
#[derive(Clone, Debug, Serialize)]
pub struct Check {
    /// Its name, stable.
    pub name: &'static str,
    /// What it promises.
    pub promise: &'static str,
    /// How it ended.
    #[serde(flatten)]
    pub verdict: Verdict,
    /// How long it took.
    pub wall_ms: u64,
}

/// How a check ended.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
#[serde(rename_all = "snake_case", tag = "verdict")]
pub enum Verdict {
    /// The promise is kept; what was seen.
    Passed {
        /// Figures, in words.
        found: String,
    },
    /// The promise is broken.
    Failed {
        /// What was seen instead.
        found: String,
        /// What the author does about it.
        remedy: String,
    },
    /// It could not be tested.
    Skipped {
        /// Why not.
        why: String,
    },
}

impl Verdict {
    pub(super) fn passed(found: impl Into<String>) -> Self {
        Self::Passed { found: found.into() }
    }

    pub(super) fn failed(found: impl Into<String>, remedy: impl Into<String>) -> Self {
        Self::Failed { found: found.into(), remedy: remedy.into() }
    }

    pub(super) fn skipped(why: impl Into<String>) -> Self {
        Self::Skipped { why: why.into() }
    }
}

impl Report {
    /// The checks whose promise is broken.
    pub fn failures(&self) -> impl Iterator<Item = &Check> {
        self.checks.iter().filter(|check| matches!(check.verdict, Verdict::Failed { .. }))
    }

    /// Whether no promise is broken.
    pub fn passed(&self) -> bool {
        self.failures().next().is_none()
    }

    /// How many checks passed, failed and were skipped.
    pub fn counts(&self) -> (usize, usize, usize) {
        self.checks.iter().fold((0, 0, 0), |(passed, failed, skipped), check| match check.verdict {
            Verdict::Passed { .. } => (passed + 1, failed, skipped),
            Verdict::Failed { .. } => (passed, failed + 1, skipped),
            Verdict::Skipped { .. } => (passed, failed, skipped + 1),
        })
    }
}
