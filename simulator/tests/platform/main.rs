//! What the fake platform promises, over real HTTP.
#![cfg(test)]

mod attendance;
mod auth;
mod changes;
mod contact;
mod faults;
mod permissions;
mod push;
mod setup;
mod support;
