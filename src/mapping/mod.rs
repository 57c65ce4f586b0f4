//! Mappings: Rhai scripts that turn a platform's objects into drafts of the EHR schema.
//!
//! A script is ordinary Rhai over `record` (the source object) and `tz` (the tenant's zone); its value is an object map
//! with the target fields. `()` as a field's value leaves the field alone, `clear()` erases it, `skip()` or a script
//! value of `()` leaves the record out. Rhai stays in this folder.
//!
//! How a record travels: [`Generation`] loads and checks scripts, tables and layers (`files`, `layers`, `load`,
//! `script`, `check`, `tables`, `exceptions`, `yaml`; what scripts import: `shared`, `modules`, `linked`, `tokens`);
//! its mapper parses a record onto a `tape`, keeping only what the scripts read, runs the scripts as expression trees
//! (`compiled`, `fast`) or, where these do not reach, in the interpreter (`engine`, `interpret`, `paths`), and checks the
//! result against the schema. Both call the same functions (`library`). What goes wrong is told by `fault` for files
//! and by `explain` for records.
//!
//! Deliberately absent: clocks, I/O, globals, randomness. The invariant: the same record and the same digest give the
//! same outcome.

mod analysis;
pub mod builtin;
mod cases;
mod check;
mod compiled;
mod coverage;
mod editor;
mod engine;
mod exceptions;
mod explain;
mod fast;
mod fault;
mod files;
mod generation;
mod interpret;
mod layers;
mod library;
mod linked;
mod load;
mod mapper;
mod modules;
mod paths;
mod pick;
mod projection;
mod script;
mod settings;
mod shared;
mod tables;
mod tape;
mod tokens;
mod told;
mod trace;
mod unshare;
mod value;
mod yaml;

#[cfg(test)]
mod testing;

pub use analysis::{Known, Pictures, documented};
pub use cases::{CaseReport, CaseResult};
pub use coverage::{Coverage, FieldCoverage, Missed, Reached, Watcher};
pub use editor::{Draft, Suggested, Suggestion};
pub use exceptions::{ExceptionInfo, ExceptionState, Sightings};
pub use fault::{Fault, Severity, Source};
pub use files::Files;
pub use generation::{Generation, Interpreted, SettingError};
pub use layers::Layers;
pub use library::{Function, functions};
pub use pick::{PickedCase, Picker};
pub use settings::Setting;
pub use shared::Shared;
pub use told::ToldFault;
