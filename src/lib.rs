//! rollcall keeps an EHR (employee/HR system) in step with the platforms people work in.
//!
//! ```text
//! provider plugin ── pull ──▶ raw (kept) ── map (Rhai) ──▶ drafts ── diff ──▶ plan ── gate ──▶ apply ──▶ target
//! ```
//!
//! # Where things are
//! - [`model`]: domain values; [`port`]: what the core asks of the outside; [`config`]: the configuration.
//! - Core: [`sync`], which plans and applies, and [`inbox`], which keeps what platforms push; they know no platform, no
//!   script language, no database.
//! - Adapters: [`host`] (Wasm components), [`mapping`] (Rhai), [`state`] (sled), [`target`] (`SQLite`).
//! - Around them: [`reload`], [`api`], [`cli`], and [`app`], the one place that wires them.
//! - [`kit`] puts a component to the test before anybody relies on it.
//!
//! # Embedding
//! Build a [`sync::Syncer`] from adapters of your choice, or your own, and call [`sync::Syncer::run`];
//! `examples/embed.rs` does it with a target of its own.
//!
//! # Invariants
//! - Nothing is written to a target before its whole plan is on disk and has passed its gate.
//! - Only a listing certified complete ends anyone, and an end is a mark, never an erasure.
//! - Mapping is pure: the same record under the same digest gives the same draft.
//! - An unchanged world causes no write; a run killed at any point is made good by the next.
//! - A plugin gets nothing that was not granted, and its trap or overrun ends one call.
//!
//! Deliberately absent: clocks, environment and network inside the core; scripts with I/O; secrets in guests.
#![deny(unsafe_code)]

pub mod api;
pub mod app;
pub mod archive;
pub mod cli;
pub mod config;
pub mod host;
pub mod inbox;
pub mod kit;
pub mod mapping;
pub mod model;
pub mod port;
pub mod reload;
pub mod state;
pub mod sync;
pub mod target;
