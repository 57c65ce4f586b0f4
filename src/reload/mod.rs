//! Live reload: one watcher for config, mappings, tables and plugins; build aside, check, swap.
//!
//! Not here: what a generation is, how it is built and which cases it must pass; that is the build function's business.
//! The file system's notices only say *look*: what changed is told by looking at the files themselves, so a lost,
//! doubled or misleading notice costs time at most.
//!
//! The invariant: what is in force was built from files that did not change while it was built. Whatever fails leaves the
//! old generation in force, and [`Status`] says why.

mod reloader;
mod scan;
mod sentry;
mod watcher;

#[cfg(test)]
mod tests;

pub use reloader::{Built, Handle, LastError, Reloader, Status};
pub use watcher::{Changed, Pace, Watching};
