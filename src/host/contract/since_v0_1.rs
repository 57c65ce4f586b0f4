//! Contract 0.1: what `plugins/wit/since_v0_1` generates, and its values as values of the model.
//!
//! The invariant: a conversion keeps everything; bounds and checks are elsewhere.

use std::time::Duration;

use crate::model::entity::Entity;
use crate::model::fault::{Advice, Fault};
use crate::model::record::{self, AttendanceBatch, Walk};
use crate::port::callback::Refused;
use crate::port::inbox::Delivery;

wasmtime::component::bindgen!({
    path: "plugins/wit/since_v0_1",
    world: "full",
    imports: { "rollcall:plugin/http.send": async | trappable, default: trappable },
    exports: { default: async },
    with: { "rollcall:plugin/http.response": crate::host::response::Response },
});

pub(in crate::host) use self::exports::rollcall::plugin::{
    attendance, callback, directory, plugin, target,
};
pub(in crate::host) use self::rollcall::plugin::{host, http, secrets, types};

impl From<Entity> for types::Kind {
    fn from(entity: Entity) -> Self {
        match entity {
            Entity::Department => Self::Department,
            Entity::Employee => Self::Employee,
            Entity::CheckIn => Self::CheckIn,
            Entity::AttendanceDay => Self::AttendanceDay,
            Entity::Leave => Self::Leave,
        }
    }
}

impl From<types::Kind> for Entity {
    fn from(kind: types::Kind) -> Self {
        match kind {
            types::Kind::Department => Self::Department,
            types::Kind::Employee => Self::Employee,
            types::Kind::CheckIn => Self::CheckIn,
            types::Kind::AttendanceDay => Self::AttendanceDay,
            types::Kind::Leave => Self::Leave,
        }
    }
}

impl From<types::Advice> for Advice {
    fn from(advice: types::Advice) -> Self {
        Self { code: advice.code, message: advice.message, remedy: advice.remedy }
    }
}

impl From<types::Fault> for Fault {
    fn from(fault: types::Fault) -> Self {
        match fault {
            types::Fault::Unauthorized(advice) => Self::Unauthorized(advice.into()),
            types::Fault::Forbidden(advice) => Self::Forbidden(advice.into()),
            types::Fault::RateLimited(0) => Self::RateLimited(None),
            types::Fault::RateLimited(ms) => {
                Self::RateLimited(Some(Duration::from_millis(ms.into())))
            }
            types::Fault::NotFound => Self::NotFound,
            types::Fault::Invalid(advice) => Self::Invalid(advice.into()),
            types::Fault::StaleCursor => Self::StaleCursor,
            types::Fault::Unavailable(advice) => Self::Unavailable(advice.into()),
            types::Fault::Unsupported => Self::Unsupported,
        }
    }
}

impl From<types::Evidence> for record::Evidence {
    fn from(evidence: types::Evidence) -> Self {
        Self { scope: evidence.scope, total: evidence.total }
    }
}

impl From<record::Window> for types::Window {
    fn from(window: record::Window) -> Self {
        Self { start: window.start, end: window.end }
    }
}

impl From<plugin::Finding> for record::Finding {
    fn from(finding: plugin::Finding) -> Self {
        Self { check: finding.check, passed: finding.passed, remedy: finding.remedy }
    }
}

impl From<directory::Walk> for Walk {
    fn from(walk: directory::Walk) -> Self {
        match walk {
            directory::Walk::Whole(kind) => Self::Whole(kind.into()),
            directory::Walk::PerDepartment(kind) => Self::PerDepartment(kind.into()),
        }
    }
}

impl From<attendance::Batch> for AttendanceBatch {
    fn from(batch: attendance::Batch) -> Self {
        Self { entity: batch.kind.into(), people: batch.people as usize, days: batch.days }
    }
}

impl From<&Delivery> for callback::Request {
    fn from(delivery: &Delivery) -> Self {
        let lower = |(name, value): &(String, String)| (name.to_ascii_lowercase(), value.clone());
        Self {
            method: delivery.method.clone(),
            query: delivery.query.clone(),
            headers: delivery.headers.iter().map(lower).collect(),
            body: delivery.body.clone(),
        }
    }
}

impl From<callback::Refused> for Refused {
    fn from(refused: callback::Refused) -> Self {
        match refused {
            callback::Refused::Forged(advice) => Self::Forged(advice.into()),
            callback::Refused::Stale(advice) => Self::Stale(advice.into()),
            callback::Refused::Broken(advice) => Self::Broken(advice.into()),
            callback::Refused::Unready(advice) => Self::Unready(advice.into()),
        }
    }
}
