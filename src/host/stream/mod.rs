//! Long connections: events for customers who cannot open a port.
//!
//! [`Stream`] keeps one connection to one platform up for as long as it runs: it asks for it, opens it, hands what arrives to
//! an [`Inbox`] and acknowledges what was stored. A connection that the platform is about to drop is replaced before; one
//! that was lost or fell silent is made again, with growing and spread waits. What the events mean is beyond this module: a
//! plugin reads them, as it reads callbacks.
//!
//! The invariant: at most one connection takes events, except for the moment in which a new one relieves the old.
//!
//! # Why in the host and not in the plugins
//! A guest lives for one call; a connection lives for weeks. It also needs the app's secret, which no guest may see. So the
//! host speaks the protocols, and a manifest names which (`long_connection`).

mod dingtalk;
mod door;
mod error;
mod feishu;
mod frame;
mod line;
mod parts;
mod pauses;
mod protocol;

use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, sleep};
use tokio_util::sync::CancellationToken;
use tokio_util::task::AbortOnDropHandle;
use tracing::{info, warn};

use crate::model::ids::{ConnectionId, TenantId};
use crate::model::link::{LinkState, LinkStatus};
use crate::port::inbox::Inbox;

use super::connection::Connection;
use super::error::HostError;
use super::manifest::{LongConnectionAsk, LongProtocol};
use super::random::Randomness;
use super::settings;

use dingtalk::DingTalk;
use door::Door;
use error::StreamError;
use feishu::Feishu;
use line::{Ears, End, Line};
use pauses::{GOOD, Pauses};
use protocol::Protocol;

/// The long connection of one tenant's connection. Run it with [`Stream::run`].
pub struct Stream {
    tenant: TenantId,
    connection: ConnectionId,
    protocol: Box<dyn Protocol>,
    door: Box<dyn Door>,
    ears: Ears,
    random: Arc<dyn Randomness>,
    pauses: Pauses,
}

/// A line that is up.
struct Up {
    end: AbortOnDropHandle<End>,
    stop: CancellationToken,
    replace: CancellationToken,
    since: Instant,
    /// How the platform wants clients spread that come back.
    spread: Duration,
}

/// What becomes of a line that was up.
enum Turn {
    /// Nobody wants one any more.
    Stop,
    /// Another one had better be opened before this one ends.
    Replace,
    Lost(Option<StreamError>),
}

impl Stream {
    /// The long connection of a plugin that has one; its events go to `inbox`. The receiver tells how it is doing.
    ///
    /// # Errors
    /// [`HostError::NoLongConnection`] when the plugin's platform has none, [`HostError::Host`] when a setting makes no
    /// address.
    pub fn new(
        connection: &Connection,
        inbox: Arc<dyn Inbox>,
    ) -> Result<(Self, watch::Receiver<LinkStatus>), HostError> {
        let shared = &connection.shared;
        let manifest = shared.plugin.manifest();
        let ask = connection.long_connection()?;
        let base = settings::with_settings(&ask.url, &shared.settings).unwrap_or_default();
        let base = base.trim_end_matches('/').to_owned();
        if url::Url::parse(&base).is_err() {
            return Err(HostError::Host { plugin: manifest.name.clone(), host: base });
        }
        let app_id = shared.settings.get(&ask.app_id).cloned().unwrap_or_default();
        let (status, receiver) = watch::channel(LinkStatus::default());
        let stream = Self {
            tenant: shared.tenant.clone(),
            connection: shared.connection.clone(),
            protocol: protocol(ask, base, app_id),
            door: Box::new(shared.clone()),
            ears: Ears { inbox, clock: shared.clock.clone(), status },
            random: shared.random.clone(),
            pauses: Pauses::default(),
        };
        Ok((stream, receiver))
    }

    /// Keeps the connection up until `stop`; then lets the events that are being stored come to their end.
    pub async fn run(mut self, stop: CancellationToken) {
        let mut old: Option<Up> = None;
        while let Some(mut fresh) = self.connect(&stop).await {
            // The new one takes events already.
            self.relieve(old.take()).await;
            let turn = turn(&mut fresh, &stop).await;
            if fresh.since.elapsed() >= GOOD {
                self.pauses.went_well();
            }
            match turn {
                Turn::Stop => old = Some(fresh),
                Turn::Replace => {
                    let (tenant, connection) = (&self.tenant, &self.connection);
                    info!(%tenant, %connection, "long connection is being replaced");
                    self.ears.status.send_modify(|status| status.reconnects += 1);
                    old = Some(fresh);
                }
                Turn::Lost(error) => {
                    let wait = self.pauses.after_loss(fresh.spread, self.random.as_ref());
                    self.ears.status.send_modify(|status| status.reconnects += 1);
                    self.wait(error, wait, &stop).await;
                }
            }
            if stop.is_cancelled() {
                break;
            }
        }
        self.relieve(old).await;
        self.down(LinkState::Stopped, None);
    }

    /// Tries until a line is up; `None` once it is to stop.
    async fn connect(&mut self, stop: &CancellationToken) -> Option<Up> {
        loop {
            self.ears.status.send_if_modified(|status| {
                let down = status.state == LinkState::Waiting;
                if down {
                    status.state = LinkState::Connecting;
                }
                down
            });
            let attempt = tokio::select! {
                biased;
                () = stop.cancelled() => return None,
                attempt = self.attempt(stop) => attempt,
            };
            let error = match attempt {
                Ok(up) => {
                    self.up();
                    return Some(up);
                }
                Err(error) => error,
            };
            let wait = self.pauses.after_failure(error.needs_people(), self.random.as_ref());
            self.wait(Some(error), wait, stop).await;
        }
    }

    async fn attempt(&self, stop: &CancellationToken) -> Result<Up, StreamError> {
        let protocol = self.protocol.as_ref();
        let (status, body) = self.door.ask(protocol.ask()).await?;
        let invitation = protocol.invitation(status, &body)?;
        let wire = self.door.open(&invitation.url, protocol).await?;
        let line = Line::new(wire, protocol.dialogue(&invitation), self.ears.clone());
        let (stop, replace) = (stop.child_token(), CancellationToken::new());
        let end = tokio::spawn(line.run(stop.clone(), replace.clone()));
        let spread = invitation.spread;
        Ok(Up { end: AbortOnDropHandle::new(end), stop, replace, since: Instant::now(), spread })
    }

    /// Ends a line that is no longer needed.
    async fn relieve(&self, old: Option<Up>) {
        let Some(old) = old else { return };
        old.stop.cancel();
        // However it ended: another one is up, or none is wanted.
        old.end.await.ok();
    }

    fn up(&self) {
        let (tenant, connection) = (&self.tenant, &self.connection);
        info!(%tenant, %connection, "long connection is up");
        let now = self.ears.clock.now_ms();
        self.ears.status.send_modify(|status| {
            status.state = LinkState::Connected;
            status.connected_since_ms = Some(now);
        });
    }

    fn down(&self, state: LinkState, error: Option<String>) {
        self.ears.status.send_modify(|status| {
            status.state = state;
            status.connected_since_ms = None;
            status.last_error = error.or(status.last_error.take());
        });
    }

    /// Says why there is no connection, and waits before the next attempt or until `stop`.
    async fn wait(&self, error: Option<StreamError>, wait: Duration, stop: &CancellationToken) {
        let (tenant, connection) = (&self.tenant, &self.connection);
        if let Some(error) = &error {
            warn!(%tenant, %connection, %error, ?wait, "long connection is down");
        }
        self.down(LinkState::Waiting, error.map(|error| error.to_string()));
        tokio::select! {
            biased;
            () = stop.cancelled() => {}
            () = sleep(wait) => {}
        }
    }
}

/// What becomes of a line, once something does.
async fn turn(up: &mut Up, stop: &CancellationToken) -> Turn {
    tokio::select! {
        biased;
        () = stop.cancelled() => Turn::Stop,
        end = &mut up.end => match end {
            Ok(End::Lost(error)) => Turn::Lost(Some(error)),
            // Nobody told it to stop: it broke down.
            Ok(End::Stopped) | Err(_) => Turn::Lost(None),
        },
        () = up.replace.cancelled() => Turn::Replace,
    }
}

fn protocol(ask: &LongConnectionAsk, base: String, app_id: String) -> Box<dyn Protocol> {
    let app_secret = ask.app_secret.clone();
    match ask.protocol {
        LongProtocol::Feishu => Box::new(Feishu { base, app_id, app_secret }),
        LongProtocol::DingTalk => Box::new(DingTalk { base, app_id, app_secret }),
    }
}

#[cfg(test)]
mod tests;
