//! The network as a plugin may see it: which hosts, which addresses, through which client.
//!
//! The invariant: a connection is only ever made to an address that was checked by the same call that resolved it.

mod address;
pub(super) mod client;
pub(super) mod grant;
pub(super) mod outgoing;
pub(super) mod upgrade;
