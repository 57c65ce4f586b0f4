//! Findings about stored records on their way between processes.
//!
//! Not here: findings themselves (`fault`). The invariant: a finding that arrives has a code that has a page.

use serde::{Deserialize, Serialize};

use super::fault::{Fault, Severity, Source};
use super::layers::Layers;
use crate::port::mapper::Place;

/// The codes of what only stored records can show.
const CODES: [&str; 3] = ["mapping::defaulted", "mapping::exception_nobody", "mapping::uncovered"];

/// A finding without the text of its file.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct ToldFault {
    code: String,
    severity: Severity,
    message: String,
    label: String,
    help: Option<String>,
    place: Place,
}

impl ToldFault {
    /// What is said of a finding; `None` for one that needs no stored record.
    pub fn of(fault: &Fault) -> Option<Self> {
        CODES.contains(&fault.code()).then(|| Self {
            code: fault.code().to_owned(),
            severity: fault.severity(),
            message: fault.to_string(),
            label: fault.marker().to_owned(),
            help: fault.advice().map(str::to_owned),
            place: fault.place().clone(),
        })
    }

    /// The finding, shown in the file that it is about; `None` for a code that nothing here tells.
    pub fn fault(self, layers: &Layers) -> Option<Fault> {
        let code = CODES.into_iter().find(|code| *code == self.code)?;
        let Place { script, line, column, text } = self.place;
        let source = layers.source(&script).unwrap_or_else(|| {
            // The file is gone meanwhile: its line is shown alone.
            Source { name: script, text: "\n".repeat(line.saturating_sub(1)) + text.as_str() }
        });
        let fault = Fault::at(&source, (line, column), code, self.message);
        let fault = fault.severe(self.severity).label(self.label);
        Some(match self.help {
            Some(help) => fault.help(help),
            None => fault,
        })
    }
}
