//! Domain values: ids, records, drafts, plans, faults. No I/O, no async, no clock.
//!
//! Everything that crosses a layer is one of these types. The invariant: a value that exists is valid; checks
//! happen in constructors, at the edge.

pub mod canary;
pub mod draft;
pub mod entity;
pub mod fault;
pub mod hash;
pub mod hint;
pub mod ids;
pub mod link;
pub mod plan;
pub mod rate;
pub mod record;
pub mod redact;
pub mod schema;
pub mod sheet;
pub mod sources;
