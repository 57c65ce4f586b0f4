//! What the author of a rollcall plugin imports.
//!
//! A plugin is plain Rust over the [`Host`] trait: `struct Mine;` with [`Plugin`] and whichever of [`Directory`],
//! [`Attendance`], [`Callback`] and [`Target`] it can do, then one line, `rollcall_sdk::export!(Mine: plugin, directory, attendance);`. Compiled for
//! `wasm32-unknown-unknown` that line makes the crate a component that speaks the contract; everywhere else it is
//! nothing, and the same code runs natively under a test harness ([`testing`]) or any other [`Host`].
//!
//! What is not here: HTTP, clocks, storage. All of it is the host's, behind [`Host`].
//!
//! The one invariant: a record is never taken apart by the plugin. A page is a [`Response`] that stays in the host and
//! pointers into it ([`Slice`]); the plugin reads only the few values that steer it.
#![warn(missing_docs)]

mod callback;
pub mod codes;
mod contract;
pub mod failure;
mod guest;
mod host;
pub mod json;
mod secrets;
mod target;

#[cfg(target_arch = "wasm32")]
#[doc(hidden)]
pub mod component;
#[cfg(feature = "testing")]
pub mod testing;

pub use callback::{Answer, Delivery, EVENT, Hint, Refused};
pub use contract::{
    Advice, Batch, Content, Evidence, Fault, Finding, Item, Kind, Page, Slice, Walk, Window,
};
pub use guest::{Attendance, Callback, Directory, Plugin, Target};
pub use host::{Denied, Host, Level, Request, Response};
pub use secrets::{Cbc, DigestAlgorithm, KeyForm, Padding, Part, Unworkable};
pub use target::{Change, Receipt, Verb};

/// Exports a plugin: `export!(Mine: plugin, directory)`, where `Mine` implements the named traits for every [`Host`].
///
/// Name `plugin` and the interfaces that the plugin has, no others: the host offers what it finds.
#[macro_export]
macro_rules! export {
    ($plugin:ident : $($interface:ident),+ $(,)?) => {
        #[cfg(target_arch = "wasm32")]
        const _: () = {
            $($crate::__export_interface!($plugin $interface);)+
        };
    };
}

/// One interface of [`export!`].
#[doc(hidden)]
#[macro_export]
macro_rules! __export_interface {
    ($plugin:ident plugin) => {
        $crate::component::plugin::export!($plugin with_types_in $crate::component::plugin);
    };
    ($plugin:ident directory) => {
        $crate::component::directory::export!($plugin with_types_in $crate::component::directory);
    };
    ($plugin:ident attendance) => {
        $crate::component::attendance::export!($plugin with_types_in $crate::component::attendance);
    };
    ($plugin:ident target) => {
        $crate::component::target::export!($plugin with_types_in $crate::component::target);
    };
    ($plugin:ident callback) => {
        $crate::component::callback::export!($plugin with_types_in $crate::component::callback);
    };
}
