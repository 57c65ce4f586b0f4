//! Runs plugins: WebAssembly components that speak the contract in `plugins/wit`.
//!
//! [`PluginHost`] loads a file into a [`Plugin`]; a [`Connection`] is a plugin set up for one tenant and is what the core
//! reads through ([`crate::port::provider::Provider`]).
//!
//! What a guest gets: the contract's imports and nothing else. No files, no environment, no WASI; the network only through
//! the host, to hosts that its manifest asks for and the tenant grants; secrets only by name. What a guest may use up is in
//! [`Limits`]. What a granted host learns or repeats is beyond this module, except that secrets are covered in responses to
//! the requests that carried them.
//!
//! The invariant: whatever a guest does, the process goes on and so does every other call. A trap, an overrun or a broken
//! rule ends one call with a [`crate::model::fault::Fault`] that names the plugin and says what to do, within its deadline
//! plus 100 ms.

mod bounded;
mod cache;
mod callbacks;
mod connection;
mod context;
mod contract;
mod crypto;
mod error;
mod failure;
mod imports;
mod instance;
mod json;
mod kept;
mod limits;
pub mod manifest;
mod net;
mod operation;
mod pace;
mod page;
mod plugin;
mod plugin_host;
mod random;
pub mod rates;
mod record;
mod response;
mod retry;
mod secret;
mod sections;
mod settings;
mod stream;
mod targets;
mod ticker;
mod timer;
mod turn;

pub use cache::CacheError;
pub use connection::{Connection, ConnectionSpec};
pub use error::HostError;
pub use limits::{Limits, RetryLimits};
pub use net::grant::{Grant, GrantError};
pub use plugin::{Inspection, Plugin};
pub use plugin_host::{CONTRACT, PluginHost};
pub use random::{OsRandom, Randomness};
pub use record::{
    Build, Departure, Difference, RecordError, Recorded, Recorder, Replayed, component, replay,
};
pub use secret::{Secret, SecretSource};
pub use sections::SectionError;
pub use stream::Stream;
pub use targets::{TargetChange, TargetReceipt, Write};
