//! What the fake DingTalk promises, over real HTTP.
#![cfg(test)]

mod attendance;
mod contact;
mod push;
mod refusals;
mod support;
