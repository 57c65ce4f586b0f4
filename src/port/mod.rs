//! What the core asks of the outside, as traits. Adapters implement them, `app` wires them.
//!
//! The invariant: nothing here names a library of an adapter; what crosses is a [`crate::model`] type.

pub mod archive;
pub mod callback;
pub mod clock;
pub mod inbox;
pub mod mapper;
pub mod provider;
pub mod store;
pub mod target;
