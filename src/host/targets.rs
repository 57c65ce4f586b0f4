//! The target side of a connection: the calls of a component that writes a system.
//!
//! What this is not: the plan, the order of changes, or the outbox; a caller has those. The one invariant: a result is
//! either one outcome for each change, in their order, or a fault that says that it is not.

use async_trait::async_trait;

use crate::model::entity::Entity;
use crate::model::fault::{Advice, Fault};
use crate::model::record::{Cursor, Page};

use super::bounded;
use super::connection::Connection;
use super::contract::since_v0_1::target;
use super::failure::Failure;
use super::instance::{Live, Operation};
use super::page;

/// What becomes of a record in a target.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Write {
    /// It is made, or brought to these values.
    Upsert,
    /// It is marked as ended.
    Retire,
}

/// One write to a target.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetChange {
    /// The external id.
    pub key: String,
    /// What it is about.
    pub entity: Entity,
    /// What becomes of it.
    pub write: Write,
    /// The target's own id, once it is known.
    pub id: Option<String>,
    /// A JSON object: absent fields are left alone, `null` ones erased.
    pub fields: String,
}

/// What a target says of a change that it took.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct TargetReceipt {
    /// The target's own id.
    pub id: String,
    /// The previous values of the changed fields, where the target tells them.
    pub before: Option<String>,
}

impl Connection {
    /// Whether its plugin writes a system.
    pub fn writes(&self) -> bool {
        self.shared.plugin.exports.target.is_some()
    }

    /// A JSON Schema for each kind that the target takes.
    ///
    /// # Errors
    /// [`Fault`] as the target answers; [`Fault::Unsupported`] when the plugin is none.
    pub async fn describe(&self) -> Result<Vec<(Entity, String)>, Fault> {
        self.call(&Describe).await
    }

    /// One page of what the target holds.
    ///
    /// # Errors
    /// [`Fault`] as the target answers.
    pub async fn held(&self, entity: Entity, cursor: Option<&Cursor>) -> Result<Page, Fault> {
        self.call(&Held { entity, cursor }).await
    }

    /// Writes changes: one outcome for each, in order. Called once, never repeated here: what was refused for a while is the
    /// caller's to bring again.
    ///
    /// # Errors
    /// [`Fault::Plugin`] when the component failed; then nothing is known of any change.
    pub async fn write(
        &self,
        changes: &[TargetChange],
    ) -> Result<Vec<Result<TargetReceipt, Fault>>, Fault> {
        self.call(&Apply { changes }).await
    }
}

struct Describe;

#[async_trait]
impl Operation for Describe {
    type Out = Vec<(Entity, String)>;
    const EXPORT: &'static str = "target.describe";

    async fn run(&self, live: &mut Live) -> Result<Self::Out, Failure> {
        let guest = live.exports.target.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let described = guest.call_describe(&mut live.store).await??;
        let described = bounded::list("schemas", described)?;
        Ok(described.into_iter().map(|(kind, schema)| (kind.into(), schema)).collect())
    }
}

struct Held<'c> {
    entity: Entity,
    cursor: Option<&'c Cursor>,
}

#[async_trait]
impl Operation for Held<'_> {
    type Out = Page;
    const EXPORT: &'static str = "target.enumerate";

    async fn run(&self, live: &mut Live) -> Result<Page, Failure> {
        let guest = live.exports.target.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let cursor = self.cursor.map(|cursor| cursor.0.as_str());
        let page = guest.call_enumerate(&mut live.store, self.entity.into(), cursor).await??;
        let context = live.store.data_mut();
        page::page(page, &mut context.table, context.shared.limits.page_records)
    }
}

struct Apply<'c> {
    changes: &'c [TargetChange],
}

#[async_trait]
impl Operation for Apply<'_> {
    type Out = Vec<Result<TargetReceipt, Fault>>;
    const EXPORT: &'static str = "target.apply";

    async fn run(&self, live: &mut Live) -> Result<Self::Out, Failure> {
        let guest = live.exports.target.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let changes: Vec<target::Change> = self.changes.iter().map(Into::into).collect();
        let results = guest.call_apply(&mut live.store, &changes).await?;
        if results.len() != changes.len() {
            return Err(Failure::Fault(miscounted(results.len(), changes.len())));
        }
        let outcome = |result: Result<target::Receipt, _>| match result {
            Ok(target::Receipt { id, before }) => Ok(TargetReceipt { id, before }),
            Err(fault) => Err(bounded::fault(Fault::from(fault))),
        };
        Ok(results.into_iter().map(outcome).collect())
    }
}

impl From<&TargetChange> for target::Change {
    fn from(change: &TargetChange) -> Self {
        Self {
            key: change.key.clone(),
            kind: change.entity.into(),
            verb: match change.write {
                Write::Upsert => target::Verb::Upsert,
                Write::Retire => target::Verb::Retire,
            },
            id: change.id.clone(),
            fields: change.fields.clone(),
        }
    }
}

fn miscounted(found: usize, wanted: usize) -> Fault {
    Fault::Plugin(Advice {
        code: "plugin::apply".to_owned(),
        message: format!("the target gave {found} results for {wanted} changes"),
        remedy: "report it to the plugin's author: `apply` answers with one result for each change, in order".to_owned(),
    })
}
