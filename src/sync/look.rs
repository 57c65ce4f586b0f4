//! Runs that someone waits for: a look at single objects, or at everything.
//!
//! What this is not: a second way to run; the service takes one look at a time, between its other passes. The one
//! invariant: whoever asked is told how it ended, even when the service stops.

use std::sync::Arc;

use tokio::sync::{mpsc, oneshot};

use crate::model::fault::Fault;

use super::SyncError;
use super::report::Report;
use super::run::Mode;
use super::service::Trigger;
use super::targets::Targets;

/// What is looked at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Sight {
    /// These objects.
    Targets(Arc<Targets>),
    /// Everything: what changed is not known.
    Everything,
}

/// How a look ended.
#[derive(Clone, Debug)]
pub enum Looked {
    /// It came to a report.
    Done(Arc<Report>),
    /// The platform cannot be asked for single objects: only a listing helps.
    Unable,
    /// It broke off, for this reason; it can be repeated.
    Failed(String),
}

impl Looked {
    pub(super) fn of(ended: &Result<Arc<Report>, SyncError>) -> Self {
        match ended {
            Ok(report) => Self::Done(report.clone()),
            Err(SyncError::Provider(Fault::Unsupported)) => Self::Unable,
            Err(cause) => Self::Failed(cause.to_string()),
        }
    }
}

/// A look that waits for its turn.
pub(super) struct Order {
    pub(super) sight: Sight,
    pub(super) told: oneshot::Sender<Looked>,
}

impl Order {
    pub(super) fn trigger(&self) -> Trigger {
        match self.sight {
            Sight::Targets(_) => Trigger::Event,
            Sight::Everything => Trigger::Lost,
        }
    }

    pub(super) fn mode(&self) -> Mode {
        match &self.sight {
            Sight::Targets(targets) => Mode::Targeted(targets.clone()),
            Sight::Everything => Mode::Sync,
        }
    }
}

/// Asks for looks.
#[derive(Clone)]
pub(super) struct Asker(mpsc::Sender<Order>);

/// Looks that were asked for. One waits at most; who asks next waits for room.
pub(super) fn channel() -> (Asker, mpsc::Receiver<Order>) {
    let (sender, orders) = mpsc::channel(1);
    (Asker(sender), orders)
}

impl Asker {
    pub(super) async fn ask(&self, sight: Sight) -> Looked {
        let (told, ended) = oneshot::channel();
        let stopped = || Looked::Failed("the connection's service has stopped".to_owned());
        if self.0.send(Order { sight, told }).await.is_err() {
            return stopped();
        }
        ended.await.unwrap_or_else(|_| stopped())
    }
}
