//! Systems that are written: [`ehr::EmbeddedEhr`], one `SQLite` file, the default.
//!
//! Adapters of [`crate::port::target::Target`] live here and nowhere else. The invariant: a write is idempotent by
//! external id, so whatever was applied may be applied again.

pub mod ehr;
