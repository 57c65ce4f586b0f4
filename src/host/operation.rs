//! The calls of the contract that a provider is made of.
//!
//! The invariant: one operation is one call of one export.

use async_trait::async_trait;

use crate::model::entity::Entity;
use crate::model::fault::Fault;
use crate::model::ids::SourceId;
use crate::model::record::{Capabilities, Cursor, Finding, Page, Record, Window};

use super::bounded;
use super::failure::Failure;
use super::instance::{Live, Operation};
use super::page;
use super::record::{Call, Made};

pub(super) struct Offer;

#[async_trait]
impl Operation for Offer {
    type Out = Capabilities;
    const EXPORT: &'static str = "directory.walks, attendance.batches";

    async fn run(&self, live: &mut Live) -> Result<Capabilities, Failure> {
        let mut offered = Capabilities::default();
        if let Some(directory) = &live.exports.directory {
            let walks = directory.call_walks(&mut live.store).await?;
            offered.walks = bounded::list("walks", walks)?.into_iter().map(Into::into).collect();
        }
        if let Some(attendance) = &live.exports.attendance {
            let batches = attendance.call_batches(&mut live.store).await?;
            offered.batches =
                bounded::list("batches", batches)?.into_iter().map(Into::into).collect();
        }
        Ok(offered)
    }

    fn call(&self) -> Option<Call> {
        Some(Call::Offer)
    }

    fn made(offered: &Capabilities) -> Made {
        offered.into()
    }
}

pub(super) struct Probe;

#[async_trait]
impl Operation for Probe {
    type Out = Vec<Finding>;
    const EXPORT: &'static str = "plugin.probe";

    async fn run(&self, live: &mut Live) -> Result<Vec<Finding>, Failure> {
        let findings = live.exports.plugin.call_probe(&mut live.store).await??;
        let findings = bounded::list("findings", findings)?;
        Ok(findings.into_iter().map(|it| bounded::finding(&it.into())).collect())
    }

    fn call(&self) -> Option<Call> {
        Some(Call::Probe)
    }

    fn made(findings: &Vec<Finding>) -> Made {
        Made { rest: serde_json::json!(findings), ..Made::default() }
    }
}

pub(super) struct List<'c> {
    pub(super) entity: Entity,
    pub(super) within: Option<&'c SourceId>,
    pub(super) cursor: Option<&'c Cursor>,
}

#[async_trait]
impl Operation for List<'_> {
    type Out = Page;
    const EXPORT: &'static str = "directory.enumerate";

    fn entity(&self) -> Option<Entity> {
        Some(self.entity)
    }

    async fn run(&self, live: &mut Live) -> Result<Page, Failure> {
        let directory =
            live.exports.directory.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let within = self.within.map(SourceId::as_str);
        let cursor = self.cursor.map(|cursor| cursor.0.as_str());
        let page =
            directory.call_enumerate(&mut live.store, self.entity.into(), within, cursor).await??;
        let context = live.store.data_mut();
        page::page(page, &mut context.table, context.shared.limits.page_records)
    }

    fn call(&self) -> Option<Call> {
        Some(Call::List {
            kind: self.entity,
            within: self.within.map(|id| id.as_str().to_owned()),
            cursor: self.cursor.map(|cursor| cursor.0.clone()),
        })
    }

    fn made(page: &Page) -> Made {
        page.into()
    }
}

pub(super) struct ListAttendance<'c> {
    pub(super) entity: Entity,
    pub(super) people: Vec<String>,
    pub(super) window: Window,
    pub(super) cursor: Option<&'c Cursor>,
}

#[async_trait]
impl Operation for ListAttendance<'_> {
    type Out = Page;
    const EXPORT: &'static str = "attendance.enumerate";

    fn entity(&self) -> Option<Entity> {
        Some(self.entity)
    }

    async fn run(&self, live: &mut Live) -> Result<Page, Failure> {
        let attendance =
            live.exports.attendance.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let cursor = self.cursor.map(|cursor| cursor.0.as_str());
        let (kind, window) = (self.entity.into(), self.window.into());
        let page = attendance
            .call_enumerate(&mut live.store, kind, &self.people, window, cursor)
            .await??;
        let context = live.store.data_mut();
        page::page(page, &mut context.table, context.shared.limits.page_records)
    }

    fn call(&self) -> Option<Call> {
        let Window { start, end } = self.window;
        let cursor = self.cursor.map(|cursor| cursor.0.clone());
        Some(Call::Attendance {
            kind: self.entity,
            people: self.people.clone(),
            start,
            end,
            cursor,
        })
    }

    fn made(page: &Page) -> Made {
        page.into()
    }
}

pub(super) struct Fetch {
    pub(super) entity: Entity,
    pub(super) ids: Vec<String>,
}

#[async_trait]
impl Operation for Fetch {
    type Out = Vec<Record>;
    const EXPORT: &'static str = "directory.fetch";

    async fn run(&self, live: &mut Live) -> Result<Vec<Record>, Failure> {
        let directory =
            live.exports.directory.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let found = directory.call_fetch(&mut live.store, self.entity.into(), &self.ids).await??;
        let context = live.store.data_mut();
        page::records(found, &mut context.table, context.shared.limits.page_records)
    }

    fn call(&self) -> Option<Call> {
        Some(Call::Fetch { kind: self.entity, ids: self.ids.clone() })
    }

    fn made(records: &Vec<Record>) -> Made {
        Made { records: records.clone(), ..Made::default() }
    }
}
