//! The callback side of a connection: instances of their own, so that a delivery never waits for a pull.
//!
//! What this is not: the inbox; nothing is stored or counted here. The one invariant: a call that receives ends within
//! [`WAIT`] and `limits.callback` of its arrival, whatever else the connection does, and is never repeated here: the
//! platform repeats it.

use std::sync::{Mutex, PoisonError};
use std::time::Duration;

use async_trait::async_trait;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::model::fault::Fault;
use crate::model::hint::Hint;
use crate::model::ids::SourceId;
use crate::port::callback::{Callback, Received};
use crate::port::inbox::{Answer, Delivery};

use super::bounded;
use super::connection::Connection;
use super::contract::since_v0_1::callback;
use super::failure::Failure;
use super::instance::{Live, Operation, run};
use super::limits::Limits;
use super::secret::mentions;

/// How long a call may wait for a free instance: with the call itself, still within what platforms wait.
const WAIT: Duration = Duration::from_millis(500);

/// The instances that serve callbacks, one call at a time each.
pub(super) struct Callbacks {
    idle: Mutex<Vec<Live>>,
    free: Semaphore,
}

impl Callbacks {
    pub(super) fn new(instances: usize) -> Self {
        Self { idle: Mutex::default(), free: Semaphore::new(instances.max(1)) }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Vec<Live>> {
        self.idle.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl Connection {
    /// Whether its plugin takes what the platform pushes.
    pub fn takes_callbacks(&self) -> bool {
        self.shared.plugin.exports.callback.is_some()
    }

    async fn serve<O: Operation>(&self, operation: &O) -> Result<O::Out, Fault> {
        if !self.takes_callbacks() {
            return Err(Fault::Unsupported);
        }
        let Ok(Ok(_permit)) = timeout(WAIT, self.callbacks.free.acquire()).await else {
            return Err(Fault::RateLimited(None));
        };
        let idle = self.callbacks.lock().pop();
        let ran = run(&self.shared, idle, operation).await;
        self.callbacks.lock().extend(ran.live);
        ran.out
    }
}

#[async_trait]
impl Callback for Connection {
    async fn receive(&self, delivery: &Delivery) -> Result<Received, Fault> {
        self.serve(&Receive { delivery }).await
    }

    async fn hints(&self, event: &[u8]) -> Result<Vec<Hint>, Fault> {
        self.serve(&Hints { event }).await
    }
}

struct Receive<'d> {
    delivery: &'d Delivery,
}

#[async_trait]
impl Operation for Receive<'_> {
    type Out = Received;
    const EXPORT: &'static str = "callback.receive";

    fn limit(&self, limits: &Limits) -> Duration {
        limits.callback
    }

    async fn run(&self, live: &mut Live) -> Result<Received, Failure> {
        let guest = live.exports.callback.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        match guest.call_receive(&mut live.store, &self.delivery.into()).await? {
            Ok(answer) => Ok(received(answer)?),
            Err(refused) => Ok(Received::Refused(bounded::refused(refused.into()))),
        }
    }
}

fn received(found: callback::Answer) -> Result<Received, super::failure::PageError> {
    let callback::Answer { status, content_type, body, event_id, event } = found;
    let answer = bounded::answer(Answer { status, content_type, body })?;
    match event {
        None => Ok(Received::Handshake(answer)),
        Some(event) => {
            let (event, id) = bounded::event(event, event_id)?;
            Ok(Received::Event { answer, id, event })
        }
    }
}

struct Hints<'e> {
    event: &'e [u8],
}

#[async_trait]
impl Operation for Hints<'_> {
    type Out = Vec<Hint>;
    const EXPORT: &'static str = "callback.hints";

    async fn run(&self, live: &mut Live) -> Result<Vec<Hint>, Failure> {
        let guest = live.exports.callback.as_ref().ok_or(Failure::Fault(Fault::Unsupported))?;
        let hints = bounded::hints(guest.call_hints(&mut live.store, self.event).await??)?;
        // An id that cannot be one, or that would become a secret in a guest's request, names nothing.
        let usable = hints.into_iter().filter(|it| !mentions(it.id.as_bytes()));
        let hint = |it: callback::Hint| {
            let id = SourceId::parse(&it.id).ok()?;
            Some(Hint { entity: it.kind.into(), id, gone: it.gone })
        };
        Ok(usable.filter_map(hint).collect())
    }
}
