//! The simulated WeCom over HTTP: what a connector meets, and what a company that begins today is refused.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

mod attendance;
mod contact;
mod refusals;
mod support;
