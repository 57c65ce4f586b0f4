//! HTTP for guests: judged, filled in and bounded here, sent by [`crate::host::net`].
//!
//! The invariant: a request leaves only after its host was granted, and secrets are filled in after that.

use std::sync::atomic::Ordering;

use reqwest::header::HeaderMap;
use tokio::time::Instant;
use wasmtime::component::Resource;

use crate::host::context::Context;
use crate::host::contract::since_v0_1::http::{Denied, Host, HostResponse, Request};
use crate::host::net::client::{Fetched, NetError};
use crate::host::net::outgoing::{Outgoing, RequestError};
use crate::host::rates::{Classes, Refused};
use crate::host::record::Ask;
use crate::host::response::Response;
use crate::host::secret::Cover;

impl Host for Context {
    async fn send(
        &mut self,
        request: Request,
    ) -> wasmtime::Result<Result<Resource<Response>, Denied>> {
        let ask = self.taped(|| Ask::send(&request));
        let given = match self.played(ask)? {
            Ok(given) => given,
            Err(ask) => {
                let given = match self.exchange(request).await {
                    Ok(fetched) => Ok(fetched),
                    Err(Unsent::Denied(denied)) => Err(denied),
                    Err(Unsent::Refused(refused)) => return Err(refused.into()),
                };
                self.note(ask, &given);
                given
            }
        };
        match given {
            Ok(fetched) => Ok(Ok(self.table.push(Response::new(fetched))?)),
            Err(denied) => Ok(Err(denied)),
        }
    }
}

/// Why there is no response.
enum Unsent {
    /// The guest is told.
    Denied(Denied),
    /// The call ends.
    Refused(Refused),
}

impl From<Denied> for Unsent {
    fn from(denied: Denied) -> Self {
        Self::Denied(denied)
    }
}

impl Context {
    async fn exchange(&mut self, request: Request) -> Result<Fetched, Unsent> {
        let limits = self.shared.limits;
        let left = self.budget.requests.checked_sub(1).ok_or_else(|| {
            Denied::Invalid(format!("more than {} requests in one call", limits.requests))
        })?;
        let shared = &self.shared;
        let outgoing = Outgoing::prepare(request, &shared.reach, &|name| shared.secret(name))
            .map_err(denied)?;
        self.budget.requests = left;
        let Outgoing { request, route, endpoint, cover } = outgoing;
        // No turn is held while it waits for anybody.
        self.turn.rest();
        let classes = shared.rates.classes(request.url().path());
        let sent = self.take_turn(&classes).await.map_err(Unsent::Refused)?;
        let shared = &self.shared;
        shared.requests.fetch_add(1, Ordering::Relaxed);
        let clients = &shared.plugin.core.clients;
        let exchange = clients.exchange(route, request, self.budget.http_bytes);
        let fetched = self.timer.limit(self.budget.http_deadline, exchange).await;
        match fetched.unwrap_or(Err(NetError::Deadline)) {
            Ok(fetched) => {
                self.budget.http_bytes -= fetched.body.len();
                let fetched = covered(fetched, &cover);
                self.heed(&classes, sent, &fetched).await;
                Ok(fetched)
            }
            Err(NetError::TooLarge) => {
                // The bytes have travelled: what was left is used up.
                self.budget.http_bytes = 0;
                Err(Denied::TooLarge(limits.http_bytes as u64).into())
            }
            Err(NetError::NotPublic) => Err(Denied::NotGranted(endpoint.to_string()).into()),
            Err(NetError::Deadline) => Err(Denied::Deadline.into()),
            Err(NetError::Network(reason)) => Err(Denied::Network(reason.to_owned()).into()),
        }
    }

    /// Waits until the platform's limits let a request go.
    async fn take_turn(&mut self, classes: &Classes) -> Result<Instant, Refused> {
        let shared = self.shared.clone();
        self.budget.used.extend(classes.buckets());
        loop {
            let now_ms = shared.clock.now_ms();
            let at = shared.rates.reserve(classes, self.budget.patience, now_ms)?;
            if at > Instant::now() {
                self.budget.wait_until(at).await;
            }
            if !shared.rates.is_blocked(classes) {
                return Ok(Instant::now());
            }
        }
    }

    /// Takes note of what an answer says of the limits.
    async fn heed(&mut self, classes: &Classes, sent: Instant, fetched: &Fetched) {
        let shared = self.shared.clone();
        let now_ms = shared.clock.now_ms();
        if shared.rates.answered(classes, sent, fetched, now_ms) {
            let (tenant, connection) = (&shared.tenant, &shared.connection);
            let status = fetched.status;
            tracing::debug!(%tenant, %connection, status, "the platform asks to slow down");
            self.budget.throttled = true;
        } else {
            classes.count(now_ms).await;
        }
    }
}

fn denied(error: RequestError) -> Denied {
    match error {
        RequestError::NotGranted(host) => Denied::NotGranted(host),
        RequestError::NoSecret(name) => Denied::NoSecret(name),
        RequestError::Invalid(reason) => Denied::Invalid(reason),
    }
}

/// Covers the secrets that a response repeats.
fn covered(fetched: Fetched, cover: &Cover) -> Fetched {
    if cover.is_empty() {
        return fetched;
    }
    let Fetched { status, headers, body } = fetched;
    let body = cover.apply(&body).map_or(body, Into::into);
    let mut seen = HeaderMap::with_capacity(headers.len());
    for (name, value) in &headers {
        let value = cover
            .apply(value.as_bytes())
            .and_then(|it| it.try_into().ok())
            .unwrap_or_else(|| value.clone());
        seen.append(name, value);
    }
    Fetched { status, headers: seen, body }
}

impl HostResponse for Context {
    fn status(&mut self, response: Resource<Response>) -> wasmtime::Result<u16> {
        Ok(self.table.get(&response)?.status())
    }

    fn header(
        &mut self,
        response: Resource<Response>,
        name: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&response)?.header(&name))
    }

    fn pointer(
        &mut self,
        response: Resource<Response>,
        path: String,
    ) -> wasmtime::Result<Option<String>> {
        Ok(self.table.get(&response)?.pointer(&path).map(str::to_owned))
    }

    fn count(
        &mut self,
        response: Resource<Response>,
        path: String,
    ) -> wasmtime::Result<Option<u32>> {
        Ok(self.table.get(&response)?.count(&path))
    }

    fn body(&mut self, response: Resource<Response>) -> wasmtime::Result<Vec<u8>> {
        Ok(self.table.get(&response)?.body().to_vec())
    }

    fn drop(&mut self, response: Resource<Response>) -> wasmtime::Result<()> {
        self.table.delete(response)?;
        Ok(())
    }
}
