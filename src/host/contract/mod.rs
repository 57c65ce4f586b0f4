//! The contract's versions, one module each: generated bindings and the way from them to the model, nothing else.
//!
//! The invariant: a released version never changes; the host talks to guests through the latest one.

pub(super) mod since_v0_1;
