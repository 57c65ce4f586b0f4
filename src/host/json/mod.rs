//! Reading single values out of a JSON text without building it: where values stand, not what they are.
//!
//! One strict pass finds the spine (objects outside arrays, and the elements of arrays outside arrays); what lies deeper is
//! looked up inside its element. The invariant: a text is accepted exactly when `serde_json` accepts it, nesting up to
//! [`scan::DEPTH`]. Of equal keys in one object the first counts.

mod pointer;
mod scan;
mod spine;

pub(super) use pointer::{descend, tokens};
pub(super) use scan::JsonError;
pub(super) use spine::{Node, Span, Spine};
