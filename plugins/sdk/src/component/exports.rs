//! The exported interfaces over the plugin's traits: whoever implements [`Directory`](crate::Directory) for
//! [`Imports`] has the export.

use super::Imports;
use super::bindings::attendance::exports::rollcall::plugin::attendance;
use super::bindings::base::rollcall::plugin::types;
use super::bindings::callback::exports::rollcall::plugin::callback;
use super::bindings::directory::exports::rollcall::plugin::directory;
use super::bindings::plugin::exports::rollcall::plugin::plugin;
use super::bindings::target::exports::rollcall::plugin::target;
use crate::{
    Answer, Attendance, Callback, Change, Delivery, Directory, Hint, Plugin, Receipt, Refused,
    Target, Verb, Walk,
};

impl<T: Plugin<Imports>> plugin::Guest for T {
    fn probe() -> Result<Vec<plugin::Finding>, types::Fault> {
        let findings = T::probe(&Imports)?;
        let finding = |found: crate::Finding| plugin::Finding {
            check: found.check,
            passed: found.passed,
            remedy: found.remedy,
        };
        Ok(findings.into_iter().map(finding).collect())
    }
}

impl<T: Directory<Imports>> directory::Guest for T {
    fn walks() -> Vec<directory::Walk> {
        let walk = |walk| match walk {
            Walk::Whole(kind) => directory::Walk::Whole(kind.into()),
            Walk::PerDepartment(kind) => directory::Walk::PerDepartment(kind.into()),
        };
        T::walks_for(&Imports).into_iter().map(walk).collect()
    }

    fn enumerate(
        kind: types::Kind,
        within: Option<String>,
        cursor: Option<String>,
    ) -> Result<types::Page, types::Fault> {
        let page = T::enumerate(&Imports, kind.into(), within.as_deref(), cursor.as_deref())?;
        Ok(page.into())
    }

    fn fetch(kind: types::Kind, ids: Vec<String>) -> Result<types::Content, types::Fault> {
        Ok(T::fetch(&Imports, kind.into(), &ids)?.into())
    }
}

impl<T: Attendance<Imports>> attendance::Guest for T {
    fn batches() -> Vec<attendance::Batch> {
        let batch = |batch: crate::Batch| attendance::Batch {
            kind: batch.kind.into(),
            people: batch.people,
            days: batch.days,
        };
        T::batches_for(&Imports).into_iter().map(batch).collect()
    }

    fn enumerate(
        kind: types::Kind,
        people: Vec<String>,
        window: types::Window,
        cursor: Option<String>,
    ) -> Result<types::Page, types::Fault> {
        let window = window.into();
        let page = T::enumerate(&Imports, kind.into(), &people, window, cursor.as_deref())?;
        Ok(page.into())
    }
}

impl<T: Callback<Imports>> callback::Guest for T {
    fn receive(request: callback::Request) -> Result<callback::Answer, callback::Refused> {
        Ok(T::receive(&Imports, &request.into())?.into())
    }

    fn hints(event: Vec<u8>) -> Result<Vec<callback::Hint>, types::Fault> {
        Ok(T::hints(&Imports, &event)?.into_iter().map(Into::into).collect())
    }
}

impl From<callback::Request> for Delivery {
    fn from(request: callback::Request) -> Self {
        let callback::Request { method, query, headers, body } = request;
        Self { method, query, headers, body }
    }
}

impl From<Answer> for callback::Answer {
    fn from(answer: Answer) -> Self {
        let Answer { status, content_type, body, event_id, event } = answer;
        Self { status, content_type, body, event_id, event }
    }
}

impl From<Hint> for callback::Hint {
    fn from(hint: Hint) -> Self {
        Self { kind: hint.kind.into(), id: hint.id, gone: hint.gone }
    }
}

impl From<Refused> for callback::Refused {
    fn from(refused: Refused) -> Self {
        match refused {
            Refused::Forged(advice) => Self::Forged(advice.into()),
            Refused::Stale(advice) => Self::Stale(advice.into()),
            Refused::Broken(advice) => Self::Broken(advice.into()),
            Refused::Unready(advice) => Self::Unready(advice.into()),
        }
    }
}

impl<T: Target<Imports>> target::Guest for T {
    fn describe() -> Result<Vec<(types::Kind, String)>, types::Fault> {
        let described = T::describe(&Imports)?;
        Ok(described.into_iter().map(|(kind, schema)| (kind.into(), schema)).collect())
    }

    fn enumerate(kind: types::Kind, cursor: Option<String>) -> Result<types::Page, types::Fault> {
        Ok(T::enumerate(&Imports, kind.into(), cursor.as_deref())?.into())
    }

    fn apply(changes: Vec<target::Change>) -> Vec<Result<target::Receipt, types::Fault>> {
        let changes: Vec<Change> = changes.into_iter().map(Into::into).collect();
        let results = T::apply(&Imports, &changes).into_iter();
        results.map(|result| result.map(Into::into).map_err(Into::into)).collect()
    }
}

impl From<target::Change> for Change {
    fn from(change: target::Change) -> Self {
        let target::Change { key, kind, verb, id, fields } = change;
        let verb = match verb {
            target::Verb::Upsert => Verb::Upsert,
            target::Verb::Retire => Verb::Retire,
        };
        Self { key, kind: kind.into(), verb, id, fields }
    }
}

impl From<Receipt> for target::Receipt {
    fn from(receipt: Receipt) -> Self {
        Self { id: receipt.id, before: receipt.before }
    }
}
