//! rollcall keeps an EHR in step with the platforms people work in.
#![forbid(unsafe_code)]

pub mod model;
pub mod port;
pub mod sync;
