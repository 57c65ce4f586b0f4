//! What the archive keeps of records that change.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;

use rollcall::archive::FileArchive;
use rollcall::model::entity::Entity;
use rollcall::model::ids::{SourceId, TenantId};
use rollcall::port::archive::{Archive as _, Retention, Shelf};
use rollcall::state::MemoryStore;
use rollcall::sync::Mode;
use tempfile::TempDir;

use crate::support::{World, connection};

fn world(people: usize) -> (World, TempDir, Arc<FileArchive>) {
    let dir = TempDir::new().unwrap();
    let retention = Retention { days: 365, bytes: 1 << 30 };
    let archive = Arc::new(FileArchive::new(dir.path().join("archive"), retention));
    let mut world = World::of(people, Arc::new(MemoryStore::default()));
    world.archive = archive.clone();
    (world, dir, archive)
}

fn shelf() -> Shelf {
    let tenant = TenantId::parse("acme").unwrap();
    Shelf { tenant, connection: connection(), entity: Entity::Employee }
}

/// The names that versions had, each with the run that replaced it and whether it had ended.
fn kept(archive: &FileArchive, id: &str) -> Vec<(String, u32, bool)> {
    let id = SourceId::parse(id).unwrap();
    let versions = archive.versions(&shelf(), Some(&id)).unwrap();
    let name = |raw: &[u8]| {
        let raw: serde_json::Value = serde_json::from_slice(raw).unwrap();
        raw["name"].as_str().unwrap().to_owned()
    };
    versions.iter().map(|it| (name(&it.raw), it.until_run.0, it.ended)).collect()
}

fn rename(world: &World, id: &str, name: &str) {
    name.clone_into(&mut world.platform().people.get_mut(id).unwrap().0);
}

#[tokio::test]
async fn a_first_sync_archives_nothing_and_later_ones_what_they_replace() {
    let (world, dir, archive) = world(7);
    world.sync().await;
    world.sync().await;
    assert!(!dir.path().join("archive").exists());
    for name in ["Ada", "Bea", "Ada", "Cem"] {
        rename(&world, "u003", name);
        world.sync().await;
    }
    let names = ["Person 3", "Ada", "Bea", "Ada"].map(str::to_owned);
    let expected: Vec<_> =
        names.into_iter().zip(3..).map(|(name, run)| (name, run, false)).collect();
    assert_eq!(kept(&archive, "u003"), expected);
    assert_eq!(archive.versions(&shelf(), None).unwrap().len(), 4, "the others did not change");
}

#[tokio::test]
async fn somebody_whose_record_differs_by_where_it_is_listed_is_archived_once_at_most() {
    let (world, _dir, archive) = world(1_600);
    for _ in 0..4 {
        world.sync().await;
    }
    assert!(kept(&archive, "u001").len() <= 1, "{:?}", kept(&archive, "u001"));
}

#[tokio::test]
async fn a_version_that_an_edited_mapping_maps_again_is_archived_when_the_platform_changes_it() {
    let (mut world, _dir, archive) = world(7);
    world.sync().await;
    world.suffix = "!".to_owned();
    rename(&world, "u003", "Ada");
    world.sync().await;
    assert_eq!(kept(&archive, "u003"), [("Person 3".to_owned(), 2, false)]);
}

#[tokio::test]
async fn a_run_that_is_killed_and_repeated_archives_nothing_twice() {
    let (world, _dir, archive) = world(7);
    world.sync().await;
    rename(&world, "u003", "Ada");
    let sets = world.target.sets.load(std::sync::atomic::Ordering::Relaxed);
    *world.target.fail_at.lock().unwrap() = Some(sets + 1);
    world.run(Mode::Sync).await.unwrap_err();
    *world.target.fail_at.lock().unwrap() = None;
    world.sync().await;
    world.sync().await;
    assert_eq!(kept(&archive, "u003"), [("Person 3".to_owned(), 2, false)]);
}

#[tokio::test]
async fn whoever_goes_and_comes_back_leaves_a_version_of_each_time() {
    let (world, _dir, archive) = world(7);
    world.sync().await;
    let gone = world.platform().people.remove("u003").unwrap();
    world.sync().await;
    let ended = vec![("Person 3".to_owned(), 2, false)];
    assert_eq!(kept(&archive, "u003"), ended);
    world.sync().await;
    assert_eq!(kept(&archive, "u003"), ended, "an end is archived once");
    world.platform().people.insert("u003".to_owned(), gone);
    world.sync().await;
    let returned = ("Person 3".to_owned(), 4, true);
    assert_eq!(kept(&archive, "u003"), [ended, vec![returned]].concat());
}
