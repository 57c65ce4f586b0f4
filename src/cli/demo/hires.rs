//! A hire on a platform, and how long it takes until the EHR has it.

use std::net::SocketAddr;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::time::{sleep, timeout};

use super::super::exit::Failure;
use super::company::Company;
use super::setup;
use crate::model::ids::ConnectionId;
use crate::sync::service::Status;

/// What is expected within seconds is given up after this long.
const PATIENCE: Duration = Duration::from_secs(30);
/// Between two looks whether a long connection is up.
const LOOK: Duration = Duration::from_millis(20);

/// One hire, told.
pub(super) fn told(connection: &ConnectionId, ms: u128) -> String {
    format!("{connection}: somebody was hired, and was in the EHR {ms} ms later")
}

/// Waits for the first run of a connection to end.
pub(super) async fn settled(mut status: watch::Receiver<Status>) {
    status.wait_for(|status| status.runs > 0 || status.error.is_some()).await.ok();
}

/// Lets one person join on the platform; how long it took until what the event caused had been read and written.
pub(super) async fn hire(
    company: &Company,
    mut status: watch::Receiver<Status>,
    daemon: SocketAddr,
) -> Result<Duration, Failure> {
    settled(status.clone()).await;
    listen(company, daemon).await?;
    let before = status.borrow().looks;
    let begin = Instant::now();
    company.simulator.step(1);
    let arrived = status.wait_for(|status| status.looks > before);
    match timeout(PATIENCE, arrived).await {
        Ok(Ok(_)) => Ok(begin.elapsed()),
        Ok(Err(_)) => Err(Failure::user("the daemon was stopped before the hire arrived")),
        Err(_) => Err(Failure::bug(format!(
            "somebody was hired on {}, and {} s later the EHR does not have them",
            company.name(),
            PATIENCE.as_secs()
        ))),
    }
}

/// Sees to it that the platform has somebody to tell: enters the callback's address, or waits for the long connection.
async fn listen(company: &Company, daemon: SocketAddr) -> Result<(), Failure> {
    if let Some(keys) = company.callback_keys() {
        let url = format!("http://{daemon}/callbacks/{}/{}", setup::TENANT, company.connection);
        let set = company.simulator.set_callback(&url, keys).await;
        return set.map_err(|cause| {
            Failure::bug(format!("{} does not take the callback: {cause}", company.name()))
        });
    }
    let up = async {
        while company.simulator.long_connections().0 == 0 {
            sleep(LOOK).await;
        }
    };
    timeout(PATIENCE, up)
        .await
        .map_err(|_| Failure::bug(format!("no long connection to {} came up", company.name())))
}
