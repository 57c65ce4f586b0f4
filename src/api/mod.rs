//! What a running daemon tells over HTTP: health and status. Loopback unless configured otherwise.
//!
//! Not for: people's data. The invariant: every answer is built from a snapshot; no request can block a run.

mod health;

use std::net::SocketAddr;
use std::sync::Arc;

use axum::Router;
use axum::routing::get;
use tokio::net::TcpListener;
use tokio_util::sync::CancellationToken;

pub use health::Snapshot;

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
    pub async fn bind(address: SocketAddr, look: Look) -> std::io::Result<Self> {
        let router = Router::new()
            .route("/healthz", get(health::healthz))
            .route("/status", get(health::status))
            .with_state(look);
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
