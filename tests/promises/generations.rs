//! What is kept of mappings that were in force.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::sync::Arc;

use rollcall::model::entity::Entity;
use rollcall::model::hash::ContentHash;
use rollcall::model::ids::{RunId, TenantId};
use rollcall::model::sources::{Layer, LayerKind, Sources};
use rollcall::state::MemoryStore;
use rollcall::sync::Mode;
use rollcall::sync::ledger::{InForce, KEPT_GENERATIONS, Ledger};

use crate::support::{World, connection};

fn ledger() -> Ledger {
    let tenant = TenantId::parse("acme").unwrap();
    Ledger::open(Arc::new(MemoryStore::default()), &tenant, &connection()).unwrap()
}

fn sources(text: &str) -> Sources {
    let files = [("employee.rhai".to_owned(), text.to_owned())].into();
    let layers = vec![Layer { name: "feishu".to_owned(), kind: LayerKind::Connector, files }];
    Sources { layers, ..Sources::default() }
}

fn adopt(ledger: &Ledger, run: u32, text: &str) -> ContentHash {
    let digest = ledger.keep_sources(&sources(text)).unwrap();
    let mappings = [(Entity::Employee, digest)].into();
    let since_ms = i64::from(run) * 1_000;
    ledger.adopt(&InForce { digest, run: RunId(run), since_ms, mappings, canary: None }).unwrap();
    digest
}

#[test]
fn a_generation_that_comes_back_is_kept_once_and_told_twice() {
    let ledger = ledger();
    let one = adopt(&ledger, 1, "one");
    adopt(&ledger, 2, "one");
    let two = adopt(&ledger, 3, "two");
    adopt(&ledger, 7, "one");
    let told: Vec<(u32, ContentHash)> =
        ledger.generations().map(Result::unwrap).map(|it| (it.run.0, it.digest)).collect();
    assert_eq!(told, [(1, one), (3, two), (7, one)]);
    assert_eq!(ledger.generation_in_force().unwrap().unwrap().run, RunId(7));
    assert_eq!(ledger.sources(two).unwrap(), Some(sources("two")));
    assert_eq!(ledger.sources(ContentHash([0; 16])).unwrap(), None);
}

#[test]
fn the_generation_of_a_run_is_the_last_one_that_came_before_it() {
    let ledger = ledger();
    let one = adopt(&ledger, 2, "one");
    let two = adopt(&ledger, 5, "two");
    let at = |run| ledger.generation_at(RunId(run)).unwrap().map(|it| it.digest);
    assert_eq!(
        [at(1), at(2), at(4), at(5), at(9)],
        [None, Some(one), Some(one), Some(two), Some(two)]
    );
}

#[test]
fn old_generations_go_and_their_texts_with_them_unless_a_newer_one_has_them() {
    let ledger = ledger();
    let again = adopt(&ledger, 1, "again");
    let first = adopt(&ledger, 2, "2");
    let most = u32::try_from(KEPT_GENERATIONS).unwrap();
    for run in 3..=most {
        adopt(&ledger, run, &run.to_string());
    }
    assert!(ledger.sources(first).unwrap().is_some());
    adopt(&ledger, most + 1, "again");
    adopt(&ledger, most + 2, "last");
    assert_eq!(ledger.generations().count(), KEPT_GENERATIONS);
    assert!(ledger.sources(first).unwrap().is_none());
    assert!(ledger.sources(again).unwrap().is_some());
}

#[tokio::test]
async fn a_run_keeps_the_texts_it_maps_by_and_files_them_once_they_are_in_force() {
    let store: Arc<MemoryStore> = Arc::default();
    let mut world = World::of(30, store.clone());
    let open =
        || Ledger::open(store.clone(), &TenantId::parse("acme").unwrap(), &connection()).unwrap();
    world.sync().await;
    let first = open().generation_in_force().unwrap().unwrap();
    assert_eq!(first.run, RunId(1));
    world.suffix = "!".to_owned();
    world.run(Mode::Plan).await.unwrap();
    assert_eq!(
        open().generation_in_force().unwrap().unwrap(),
        first,
        "a plan puts nothing in force"
    );
    let planned = open().last_run().unwrap().unwrap().generation.unwrap();
    assert_ne!(planned, first.digest);
    world.sync().await;
    let second = open().generation_in_force().unwrap().unwrap();
    assert_eq!((second.run, second.digest), (RunId(3), planned));
    assert_eq!(open().generation_at(RunId(2)).unwrap(), Some(first));
    let texts = open().sources(planned).unwrap().unwrap();
    assert_eq!(texts.layers[0].files["employee.rhai"], "!");
    world.sync().await;
    assert_eq!(open().generations().count(), 2);
}
