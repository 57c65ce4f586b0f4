//! What the loop of a connection promises: when it runs by itself.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;

use crate::support::{FakeMapper, NOW_MS, World};
use rollcall::config::{Matching, Schedule, Zone};
use rollcall::state::MemoryStore;
use rollcall::sync::look::{Looked, Sight};
use rollcall::sync::progress::Silent;
use rollcall::sync::service::{Handle, Service, Status, Wiring};
use tokio::sync::watch;
use tokio_util::sync::CancellationToken;

/// From ten in the morning to seventeen past three.
const UNTIL_NIGHT_MS: i64 = (17 * 60 + 17) * 60_000;

fn wiring(world: &World, suffix: &str) -> Wiring {
    Wiring {
        syncer: world.syncer(),
        mapper: Arc::new(FakeMapper::new(suffix, world.connection.clone())),
        schedule: "never".parse::<Schedule>().unwrap(),
        full_listing: Schedule::nightly(),
        zone: Zone::try_from("Asia/Shanghai".to_owned()).unwrap(),
    }
}

/// A service whose events drive everything but the nightly listing.
fn serve(world: &World, stop: &CancellationToken) -> (Handle, watch::Receiver<Status>) {
    let (service, handle) = Service::new(wiring(world, ""), Arc::new(Silent));
    tokio::spawn(service.run(stop.clone()));
    let status = handle.status();
    (handle, status)
}

fn idle(status: &Status) -> bool {
    status.running.is_none() && status.runs > 0
}

#[tokio::test(start_paused = true)]
async fn everything_is_listed_every_night_whatever_the_schedule() {
    let (world, stop) = (World::of(3, Arc::new(MemoryStore::default())), CancellationToken::new());
    let (_handle, mut status) = serve(&world, &stop);
    let night = Some(NOW_MS + UNTIL_NIGHT_MS);
    status.wait_for(|status| idle(status) && status.next_run_ms == night).await.unwrap();
    world.platform().people.get_mut("u001").unwrap().0 = "Renamed".to_owned();
    status.wait_for(|status| status.runs >= 2).await.unwrap();
    stop.cancel();
    let name = &world.held(rollcall::model::entity::Entity::Employee, "u001").unwrap();
    assert_eq!(name["display_name"], "Renamed", "no event told of it");
}

#[tokio::test(start_paused = true)]
async fn a_listing_that_could_not_be_certified_is_made_again_the_same_night() {
    let (world, stop) = (World::of(3, Arc::new(MemoryStore::default())), CancellationToken::new());
    world.platform().broken.insert("d2".to_owned());
    let (_handle, mut status) = serve(&world, &stop);
    let again = Some(NOW_MS + 30 * 60_000);
    status.wait_for(|status| idle(status) && status.next_run_ms == again).await.unwrap();
    world.platform().broken.clear();
    let night = Some(NOW_MS + UNTIL_NIGHT_MS);
    status.wait_for(|status| idle(status) && status.next_run_ms == night).await.unwrap();
    stop.cancel();
    assert!(status.borrow().last.as_ref().unwrap().doubts.is_empty());
}

#[tokio::test(start_paused = true)]
async fn an_event_that_is_lost_makes_everything_be_read() {
    let (world, stop) = (World::of(3, Arc::new(MemoryStore::default())), CancellationToken::new());
    let (handle, mut status) = serve(&world, &stop);
    status.wait_for(idle).await.unwrap();
    world.platform().people.get_mut("u001").unwrap().0 = "Renamed".to_owned();
    let looked = handle.look(Sight::Everything).await;
    stop.cancel();
    assert!(matches!(looked, Looked::Done(report) if report.writes() == 1));
}

#[tokio::test(start_paused = true)]
async fn a_reload_that_changes_no_mapping_of_a_connection_is_no_work_for_it() {
    let (mut world, stop) =
        (World::of(3, Arc::new(MemoryStore::default())), CancellationToken::new());
    let (handle, mut status) = serve(&world, &stop);
    status.wait_for(idle).await.unwrap();
    handle.rewire(wiring(&world, ""));
    handle.look(Sight::Everything).await;
    assert_eq!((status.borrow().runs, status.borrow().looks), (2, 0), "the first and the look");
    handle.rewire(wiring(&world, "!"));
    status.wait_for(|status| status.runs == 3).await.unwrap();
    let authority = vec![world.connection.clone()];
    world.matching = Some(Matching { key: "employee_number".to_owned(), authority });
    handle.rewire(wiring(&world, "!"));
    status.wait_for(|status| status.runs == 4).await.unwrap();
    stop.cancel();
}
