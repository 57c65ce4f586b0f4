//! `rollcall serve`: the daemon.

use std::sync::Arc;

use tokio_util::sync::CancellationToken;
use tracing::info;

use super::Context;
use super::exit::{Failure, Outcome};
use crate::app::{App, Daemon};
use crate::sync::progress::Silent;

/// Keeps every connection in step until it is stopped (SIGINT or SIGTERM).
#[derive(Debug, clap::Args)]
pub(super) struct Args {}

pub(super) fn run(context: &Context, _: &Args) -> Result<Outcome, Failure> {
    let app = App::open(&context.config)?;
    super::trace::start(app.config().log);
    let app = Arc::new(app);
    app.clone().block_on(async move {
        let stop = stop_on_signal();
        let daemon = Daemon::start(app, Arc::new(Silent), stop.clone()).await?;
        info!(address = %daemon.address(), "serving; stop with SIGINT or SIGTERM");
        daemon.finish().await;
        info!("stopped");
        Ok(Outcome::Done)
    })
}

/// Cancelled at the first SIGINT or SIGTERM. The second one ends the process the usual way.
pub(super) fn stop_on_signal() -> CancellationToken {
    let stop = CancellationToken::new();
    let signalled = stop.clone();
    tokio::spawn(async move {
        let terminate = async {
            use tokio::signal::unix::{SignalKind, signal};
            match signal(SignalKind::terminate()) {
                Ok(mut signals) => {
                    signals.recv().await;
                }
                Err(_) => std::future::pending().await,
            }
        };
        tokio::select! {
            _ = tokio::signal::ctrl_c() => {}
            () = terminate => {}
        }
        signalled.cancel();
        if tokio::signal::ctrl_c().await.is_ok() {
            std::process::exit(130);
        }
    });
    stop
}
