//! What a guest may call: the imports of the contract over a connection's [`super::context::Context`].
//!
//! The invariant: a guest's mistake is an answer it can read or a trap of its own call, never a panic of the host.

mod host;
mod http;
mod secrets;

/// A guest that breaks a rule no answer exists for; it traps.
#[derive(Clone, Debug, PartialEq, Eq, thiserror::Error)]
pub(super) enum Breach {
    #[error("it asks for {asked} random bytes, {limit} are allowed at once")]
    Random { asked: u32, limit: u32 },
}

impl super::contract::since_v0_1::types::Host for super::context::Context {}
