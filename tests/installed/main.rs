//! rollcall as it is installed: real files, the real binary, a simulated platform over real HTTP.
#![expect(clippy::unwrap_used, clippy::panic, reason = "a set-up that fails is a test that fails")]

mod canary;
mod changes;
mod command;
mod crash;
mod dingtalk;
mod events;
mod kept;
mod live;
mod mapping_checks;
mod mappings;
mod platform;
#[path = "../pushed/mod.rs"]
mod pushed;
mod rig;
mod stream;
mod wecom;
