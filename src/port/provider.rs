//! A platform that is read.

use std::time::Duration;

use async_trait::async_trait;

use crate::model::entity::Entity;
use crate::model::fault::Fault;
use crate::model::ids::SourceId;
use crate::model::rate::Quota;
use crate::model::record::{Capabilities, Cursor, Finding, Page, Record, Window};

/// One connection to a platform. Calls may run concurrently; the provider bounds how many really do.
#[async_trait]
pub trait Provider: Send + Sync {
    /// What it offers.
    ///
    /// # Errors
    /// [`Fault::Plugin`] when the plugin cannot be started.
    async fn capabilities(&self) -> Result<Capabilities, Fault>;

    /// Checks credentials and permissions.
    ///
    /// # Errors
    /// The fault that kept the checks from running.
    async fn probe(&self) -> Result<Vec<Finding>, Fault>;

    /// One page of a directory listing; `within` names a department for kinds walked per department.
    ///
    /// # Errors
    /// As the platform answers; see [`Fault::disposition`].
    async fn list(
        &self,
        entity: Entity,
        within: Option<&SourceId>,
        cursor: Option<&Cursor>,
    ) -> Result<Page, Fault>;

    /// One page of attendance of some people in a window.
    ///
    /// # Errors
    /// As the platform answers; see [`Fault::disposition`].
    async fn list_attendance(
        &self,
        entity: Entity,
        people: &[SourceId],
        window: Window,
        cursor: Option<&Cursor>,
    ) -> Result<Page, Fault>;

    /// Reads single objects; those that do not exist are left out.
    ///
    /// # Errors
    /// As the platform answers; see [`Fault::disposition`].
    async fn fetch(&self, entity: Entity, ids: &[SourceId]) -> Result<Vec<Record>, Fault>;

    /// The least time that so many further HTTP requests for a kind take under the platform's limits; `None` while none was made.
    fn time_for(&self, _entity: Entity, _requests: u64) -> Option<Duration> {
        None
    }

    /// What of its calls the platform meters by the month.
    fn quotas(&self) -> Vec<Quota> {
        Vec::new()
    }

    /// HTTP requests made so far.
    fn requests(&self) -> u64;
}
