//! A mapping that is edited without pause while it is synced.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::fs;
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::{Duration, Instant};

use async_trait::async_trait;
use rollcall::config::{Schedule, Watched, Zone};
use rollcall::mapping::{Files, Generation, Layers, Shared};
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, ExternalId};
use rollcall::model::plan::ChangeSet;
use rollcall::port::mapper::Mapper;
use rollcall::port::target::{Dangling, Held, Refusal, Target, TargetError};
use rollcall::reload::{Built, Changed, Handle, Pace, Reloader};
use rollcall::state::MemoryStore;
use rollcall::sync::Syncer;
use rollcall::sync::progress::Silent;
use rollcall::sync::service::{Service, Wiring};
use serde_json::Value;
use tokio::time::timeout;
use tokio_util::sync::CancellationToken;

use crate::support::{FakeTarget, World, connection};

const EDITS: usize = 1_000;
const PEOPLE: usize = 24;
/// Only a broken promise waits for so long.
const PATIENCE: Duration = Duration::from_secs(20);

/// A target that remembers by which generation each record of each set was made.
struct Witness {
    inner: Arc<FakeTarget>,
    sets: Mutex<Vec<Vec<[String; 3]>>>,
}

#[async_trait]
impl Target for Witness {
    async fn is_empty(
        &self,
        connection: &ConnectionId,
        entity: Entity,
    ) -> Result<bool, TargetError> {
        self.inner.is_empty(connection, entity).await
    }

    async fn load(
        &self,
        entity: Entity,
        keys: &[ExternalId],
    ) -> Result<Vec<Option<Held>>, TargetError> {
        self.inner.load(entity, keys).await
    }

    async fn apply(&self, set: Arc<ChangeSet>) -> Result<Vec<Result<(), Refusal>>, TargetError> {
        if set.entity == Entity::Employee {
            let marks = set.changes.iter().map(|change| marks(&change.json)).collect();
            self.sets.lock().unwrap().push(marks);
        }
        self.inner.apply(set).await
    }

    async fn settle(&self, entity: Entity) -> Result<Vec<Dangling>, TargetError> {
        self.inner.settle(entity).await
    }
}

/// The three fields that every generation sets to its own mark.
fn marks(json: &[u8]) -> [String; 3] {
    let object: Value = serde_json::from_slice(json).unwrap();
    ["job_title", "work_location", "alias"].map(|field| object[field].as_str().unwrap().to_owned())
}

fn script(edit: usize) -> String {
    format!(
        "import \"lib/mark\" as mark;\n// edit {edit}\n#{{\n    display_name: record.name,\n    job_title: \"g{edit}\",\n    \
         department_external_ids: record.departments.map(|d| id(\"department\", d)),\n    status: \"active\",\n    \
         work_location: mark::of({edit}),\n    alias: `g${{ {edit} }}`,\n}}\n"
    )
}

/// The edit that a mapper was loaded from.
fn edit_of(mapper: &Arc<dyn Mapper>) -> usize {
    let sources = mapper.sources().unwrap();
    let script = sources.layers.iter().find_map(|layer| layer.files.get("employee.rhai")).unwrap();
    script.split("// edit ").nth(1).unwrap().lines().next().unwrap().parse().unwrap()
}

fn load(folder: &Path) -> Result<Built<Arc<dyn Mapper>>, String> {
    let layers = Layers {
        shared: Shared::read(folder),
        ..Layers::plain(&Files::read("feishu", &folder.join("feishu")), None)
    };
    let generation = Generation::of_layers(layers).map_err(|faults| faults[0].to_string())?;
    let mapper =
        generation.mapper(&connection(), "Asia/Shanghai", "CN").map_err(|e| e.to_string())?;
    Ok(Built { generation: mapper, watched: vec![Watched::mappings(folder.to_owned())] })
}

fn wiring(world: &World, target: &Arc<Witness>, mapper: Arc<dyn Mapper>) -> Wiring {
    Wiring {
        syncer: Syncer { target: target.clone(), ..world.syncer() },
        mapper,
        schedule: "never".parse::<Schedule>().unwrap(),
        full_listing: Schedule::nightly(),
        zone: Zone::try_from("Asia/Shanghai".to_owned()).unwrap(),
    }
}

/// A folder of mappings whose scripts every edit replaces.
fn mappings() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    fs::create_dir_all(folder.path().join("feishu")).unwrap();
    fs::create_dir_all(folder.path().join("lib")).unwrap();
    let module = "fn of(edit) { \"g\" + edit.to_text() }\n";
    fs::write(folder.path().join("lib/mark.rhai"), module).unwrap();
    let department = "#{ name: record.name, status: \"active\", parent_external_id: id(\"department\", record.parent) }";
    fs::write(folder.path().join("feishu/department.rhai"), department).unwrap();
    let path = folder.path().join("feishu/employee.rhai");
    fs::write(&path, script(0)).unwrap();
    (folder, path)
}

/// Makes an edit as people and editors do: good, broken, half-written, good and put in place at once.
fn edit_file(path: &Path, edit: usize) {
    let text = script(edit);
    match edit % 4 {
        0 => fs::write(path, &text).unwrap(),
        1 => fs::write(path, text.replace("status: \"active\",", "status: ")).unwrap(),
        2 => fs::write(path, &text[..text.len() * (edit % 7 + 1) / 9]).unwrap(),
        _ => {
            let aside = path.with_file_name(".employee.rhai.new");
            fs::write(&aside, &text).unwrap();
            fs::rename(&aside, path).unwrap();
        }
    }
}

/// Every set was made by one generation, and that one was good; how many records there are in all.
fn judge(sets: &[Vec<[String; 3]>]) -> usize {
    for set in sets {
        let one = &set[0];
        let alike = |marks: &[String; 3]| marks == one && marks.iter().all(|mark| *mark == one[0]);
        assert!(set.iter().all(alike), "mixed: {set:?}");
        let edit: usize = one[0].trim_start_matches('g').parse().unwrap();
        assert!(matches!(edit % 4, 0 | 3), "edit {edit} was broken");
    }
    assert!(sets.len() > 20, "only {} sets were written", sets.len());
    sets.iter().map(Vec::len).sum()
}

/// Edits a thousand times; how long the edits that were waited for took to be in force.
async fn edit_all(path: &Path, in_force: &Handle<Arc<dyn Mapper>>) -> Vec<Duration> {
    let mut waits = Vec::new();
    for edit in 1..=EDITS {
        let mut status = in_force.subscribe();
        let started = Instant::now();
        edit_file(path, edit);
        if edit % 8 == 1 {
            let told = status.wait_for(|status| status.error.is_some());
            timeout(PATIENCE, told).await.expect("a broken edit is told").unwrap();
        }
        if edit % 4 == 0 {
            let taken = status.wait_for(|_| edit_of(&in_force.current()) == edit);
            timeout(PATIENCE, taken).await.expect("a good edit comes into force").unwrap();
            waits.push(started.elapsed());
        }
    }
    waits
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_thousand_edits_while_it_syncs_mix_nothing_and_lose_nobody() {
    let (folder, path) = mappings();
    let world = Arc::new(World::of(PEOPLE, Arc::new(MemoryStore::default())));
    let stop = CancellationToken::new();
    let witness = Arc::new(Witness { inner: world.target.clone(), sets: Mutex::default() });
    let (quiet, steady) = (Duration::from_millis(1), Duration::from_millis(1));
    let pace = Pace { quiet, steady, ..Pace::default() };
    let root = folder.path().to_owned();
    let build = move |_: &Changed| load(&root);
    let watched = vec![Watched::mappings(folder.path().to_owned())];
    let (reloader, in_force) =
        Reloader::start(watched, pace, world.clock.clone(), build).await.unwrap();
    let first = wiring(&world, &witness, (*in_force.current()).clone());
    let (service, handle) = Service::new(first, Arc::new(Silent));
    tokio::spawn(reloader.run(stop.clone()));
    tokio::spawn(service.run(stop.clone()));
    let mut runs = handle.status();
    runs.wait_for(|status| status.runs > 0).await.unwrap();

    // What a daemon does with a new generation.
    let mut generations = in_force.generations();
    let (current, rewired, target) = (in_force.clone(), world.clone(), witness.clone());
    tokio::spawn(async move {
        while generations.changed().await.is_ok() {
            handle.rewire(wiring(&rewired, &target, (*current.current()).clone()));
        }
    });

    let waits = edit_all(&path, &in_force).await;
    let settled = || {
        (0..PEOPLE).all(|n| {
            let held = world.held(Entity::Employee, &format!("u{n:03}")).unwrap();
            held["job_title"] == format!("g{EDITS}")
        })
    };
    let reached = timeout(PATIENCE, runs.wait_for(|_| settled())).await;
    reached.expect("the last good edit reaches everyone").unwrap();
    stop.cancel();

    assert_eq!(world.standing(Entity::Employee), PEOPLE, "nobody is lost");
    let sets = witness.sets.lock().unwrap();
    let written = judge(&sets);
    let (most, total) = (waits.iter().max().unwrap(), waits.iter().sum::<Duration>());
    let (count, mean) = (waits.len(), total / u32::try_from(waits.len()).unwrap());
    println!(
        "{EDITS} edits: {} sets, {written} records written; {count} reloads watched: {mean:?} on average, {most:?} at most",
        sets.len(),
    );
}
