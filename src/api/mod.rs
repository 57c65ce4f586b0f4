//! What a running daemon tells and takes over HTTP: health, status, callbacks, and questions of its own command line.
//! Loopback unless configured otherwise.
//!
//! Not for: telling people's data to whoever has not the daemon's key. The invariant: no request can block a run, and no
//! run a request.

mod ask;
mod callbacks;
mod health;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::extract::DefaultBodyLimit;
use axum::routing::{get, post};
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use ask::{ANSWER_BYTES, Answer, Desk, KEY};
pub use callbacks::{Callbacks, Find};
pub use health::{HeldMapping, LongConnection, Snapshot};

/// Takes a snapshot of the daemon.
pub type Look = Arc<dyn Fn() -> Snapshot + Send + Sync>;

/// A server that is bound, not yet running.
pub struct Api {
    listener: TcpListener,
    router: Router,
}

impl Api {
    /// Binds the address.
    ///
    /// # Errors
    /// What the system says, when the address cannot be bound.
    pub async fn bind(
        address: SocketAddr,
        look: Look,
        callbacks: Callbacks,
        desk: Desk,
    ) -> std::io::Result<Self> {
        let take = get(callbacks::take).post(callbacks::take);
        let ask = post(ask::ask).layer(DefaultBodyLimit::max(ask::QUESTION_BYTES));
        let router = Router::new()
            .route("/healthz", get(health::healthz))
            .route("/status", get(health::status))
            .with_state(look)
            .route("/callbacks/{tenant}/{connection}", take.with_state(callbacks))
            .route("/ask", ask.with_state(desk));
        Ok(Self { listener: TcpListener::bind(address).await?, router })
    }

    /// The address it listens on.
    ///
    /// # Errors
    /// What the system says, when it cannot tell.
    pub fn address(&self) -> std::io::Result<SocketAddr> {
        self.listener.local_addr()
    }

    /// Serves until `stop`.
    ///
    /// # Errors
    /// What the system says, when serving fails.
    pub async fn run(self, stop: CancellationToken) -> std::io::Result<()> {
        axum::serve(self.listener, self.router)
            .with_graceful_shutdown(async move { stop.cancelled().await })
            .await
    }
}
