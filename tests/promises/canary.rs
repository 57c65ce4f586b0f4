//! An edited mapping that only one department is mapped by.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::collections::BTreeSet;
use std::sync::Arc;

use rollcall::mapping::{Files, Generation};
use rollcall::model::canary::{Canary, Tried};
use rollcall::model::entity::Entity;
use rollcall::model::hash::ContentHash;
use rollcall::model::ids::{RunId, TenantId};
use rollcall::port::mapper::Mapper;
use rollcall::state::MemoryStore;
use rollcall::sync::canary::{CanaryError, CanaryMapper, gather};
use rollcall::sync::impact::Sides;
use rollcall::sync::ledger::{InForce, Ledger};
use rollcall::sync::progress::Silent;
use rollcall::sync::{Mode, Request};
use serde_json::json;
use tokio_util::sync::CancellationToken;

use super::kept::keep;
use crate::support::{World, connection};

/// A mapping of the small world that marks people and punches. It refuses whoever is called like its mark.
fn mapper(mark: &str) -> Arc<dyn Mapper> {
    let department = "#{ name: record.name, status: \"active\", parent_external_id: id(\"department\", record.parent) }";
    let employee = format!(
        "#{{ display_name: record.name, status: if record.name == \"{mark}\" {{ record.name }} else {{ \"active\" }},\n\
         job_title: \"{mark}\", department_external_ids: record.departments.map(|d| id(\"department\", d)) }}"
    );
    let check_in = format!(
        "#{{ employee_external_id: id(\"employee\", record.person), at: instant(record.at, tz), timezone: tz,\n\
         work_date: \"2026-03-30\", direction: \"unknown\", kind: \"shift\", note: \"{mark}\" }}"
    );
    let scripts = [
        ("department.rhai", department),
        ("employee.rhai", employee.as_str()),
        ("check_in.rhai", check_in.as_str()),
    ];
    let generation = Generation::load(&Files::from_memory("feishu", scripts), None).unwrap();
    generation.mapper(&connection(), "Asia/Shanghai", "CN").unwrap()
}

/// A world that the mapping in force has been written by, and the mapping after an edit.
struct Scene {
    world: World,
    old: Arc<dyn Mapper>,
    new: Arc<dyn Mapper>,
}

impl Scene {
    async fn new(world: World) -> Self {
        let scene = Self { world, old: mapper("old"), new: mapper("new") };
        scene.run(&scene.old, Mode::Sync).await;
        scene
    }

    async fn run(&self, mapper: &Arc<dyn Mapper>, mode: Mode) {
        let request = Request {
            mode,
            approve: None,
            stop: CancellationToken::new(),
            progress: Arc::new(Silent),
            mapper: mapper.clone(),
        };
        self.world.syncer().run(&request).await.unwrap();
    }

    fn ledger(&self) -> Ledger {
        let tenant = TenantId::parse("acme").unwrap();
        Ledger::open(self.world.store.clone(), &tenant, &connection()).unwrap()
    }

    fn gather(&self, department: &str) -> Result<Canary, CanaryError> {
        gathered(&self.ledger(), &*self.old, &*self.new, department)
    }

    fn canary(&self, department: &str) -> Arc<dyn Mapper> {
        let canary = self.gather(department).unwrap();
        Arc::new(CanaryMapper::new(connection(), self.old.clone(), self.new.clone(), canary))
    }

    /// Whose row in the EHR bears the mark, of people and of those who punched.
    fn marked(&self, mark: &str) -> [String; 2] {
        let mut marked = [BTreeSet::new(), BTreeSet::new()];
        let rows = self.world.target.rows.lock().unwrap();
        for ((entity, key), held) in rows.iter() {
            let row: serde_json::Value = serde_json::from_slice(&held.json).unwrap();
            if *entity == Entity::Employee && row["job_title"] == mark {
                marked[0].insert(key.source().to_owned());
            }
            if *entity == Entity::CheckIn && row["note"] == mark {
                let id = row["employee_external_id"].as_str().unwrap();
                marked[1].insert(id.rsplit(':').next().unwrap().to_owned());
            }
        }
        marked.map(|ids| ids.into_iter().collect::<Vec<_>>().join(" "))
    }
}

fn gathered(
    ledger: &Ledger,
    old: &dyn Mapper,
    new: &dyn Mapper,
    department: &str,
) -> Result<Canary, CanaryError> {
    let digests = [new, old].map(|it| it.sources().unwrap().digest());
    let found = gather(ledger, &connection(), Sides { old, new }, digests, department)?;
    Ok(found.canary)
}

fn world(people: usize) -> World {
    let world = World::of(people, Arc::new(MemoryStore::default()));
    // Main department d1, also in the one below.
    world.platform().people.insert("u000".into(), ("Both".into(), vec!["d1".into(), "d2".into()]));
    world
}

#[tokio::test]
async fn one_department_with_all_below_it_goes_first_then_everybody_or_nobody() {
    let scene = Scene::new(world(6)).await;
    let canary = scene.canary("d2");
    scene.world.wrote();
    scene.run(&canary, Mode::Remap).await;
    let first = "u001 u002 u004 u005".to_owned();
    assert_eq!(scene.marked("new"), [first.clone(), first.clone()]);
    let wrote = scene.world.wrote();
    assert_eq!(wrote.len(), 4 + 8, "nobody else is written: {wrote:?}");

    scene.run(&canary, Mode::Sync).await;
    assert_eq!(scene.world.wrote(), [""; 0], "a run over the same canary changes nothing");

    scene.run(&scene.new, Mode::Remap).await;
    assert_eq!(scene.marked("old"), ["", ""]);
    assert_eq!(scene.world.wrote().len(), 2 + 4, "only those who were not in it");
    scene.run(&scene.old, Mode::Remap).await;
    scene.run(&canary, Mode::Remap).await;
    scene.world.wrote();
    scene.run(&scene.old, Mode::Remap).await;
    assert_eq!(scene.marked("new"), ["", ""]);
    assert_eq!(scene.world.wrote().len(), 4 + 8, "only its people come back");
}

#[tokio::test]
async fn who_joins_the_department_later_waits_and_who_leaves_it_stays_in() {
    let scene = Scene::new(world(6)).await;
    let canary = scene.canary("d3");
    scene.run(&canary, Mode::Remap).await;
    {
        let mut platform = scene.world.platform();
        platform.people.insert("u900".into(), ("Hired".into(), vec!["d3".into()]));
        platform.people.get_mut("u002").unwrap().1 = vec!["d1".into()];
        platform.punches.insert("p900".into(), ("u900".into(), crate::support::NOW_MS / 1000 - 60));
    }
    scene.run(&canary, Mode::Sync).await;
    assert_eq!(scene.marked("new"), ["u002 u005", "u002 u005"]);
    assert!(scene.marked("old")[1].contains("u900"), "the punch goes by the same mapping");
}

#[tokio::test]
async fn whoever_the_mapping_in_force_refuses_is_found_by_the_edited_one() {
    let scene = {
        let world = world(6);
        world.platform().people.get_mut("u001").unwrap().0 = "old".to_owned();
        Scene::new(world).await
    };
    assert!(scene.world.held(Entity::Employee, "u001").is_none(), "parked");
    assert_eq!(scene.gather("d2").unwrap().people.len(), 4);
    scene.run(&scene.canary("d2"), Mode::Remap).await;
    assert_eq!(scene.marked("new")[0], "u001 u002 u004 u005");
}

#[tokio::test]
async fn a_generation_in_force_tells_the_canary_that_ran_beside_it() {
    let scene = Scene::new(world(6)).await;
    let canary = scene.gather("d2").unwrap();
    let digest = |mapper: &Arc<dyn Mapper>| mapper.sources().unwrap().digest();
    scene.run(&scene.canary("d2"), Mode::Remap).await;
    let in_force = scene.ledger().generation_in_force().unwrap().unwrap();
    assert_eq!(in_force.digest, digest(&scene.old), "the texts in force are still the old ones");
    let tried = Tried { canary: canary.id(), edited: digest(&scene.new) };
    assert_eq!((in_force.canary, in_force.run), (Some(tried), RunId(2)));
    scene.run(&scene.new, Mode::Remap).await;
    let in_force = scene.ledger().generation_in_force().unwrap().unwrap();
    assert_eq!((in_force.digest, in_force.canary), (digest(&scene.new), None));
}

#[tokio::test]
async fn a_department_is_known_by_id_or_name_and_near_names_are_told() {
    let scene = Scene::new(world(6)).await;
    scene.world.platform().departments.insert("d4".into(), ("Dept d2".into(), None));
    scene.world.platform().departments.insert("d5".into(), ("Lonely".into(), None));
    scene.run(&scene.old, Mode::Sync).await;
    let error = |wanted: &str| scene.gather(wanted).unwrap_err().to_string();
    let by_name = scene.gather(" Dept d3 ").unwrap();
    assert_eq!(by_name, scene.gather("d3").unwrap());
    assert_eq!(by_name, scene.gather("feishu:department:d3").unwrap());
    assert_eq!(by_name.departments, ["d3".to_owned()].into());
    assert_eq!(error("Lonly"), "no stored department is known as `Lonly`; did you mean `Lonely`?");
    assert_eq!(
        error("Dept"),
        "no stored department is known as `Dept`; did you mean `Dept d1` or `Dept d2` or `Dept d3`?"
    );
    assert_eq!(
        error("elsewhere"),
        "no stored department is known as `elsewhere`; give its external id, the platform's id, or its name as the mapping in force writes it"
    );
    assert_eq!(
        error("Dept d2"),
        "2 departments are called `Dept d2`; name one of them by its key: feishu:department:d2, feishu:department:d4"
    );
    assert_eq!(
        error("Lonely"),
        "nobody's main department is feishu:department:d5 or one below it; choose another department"
    );
}

#[tokio::test]
async fn departments_that_are_below_each_other_end_the_search() {
    let scene = {
        let world = world(6);
        world.platform().departments.get_mut("d1").unwrap().1 = Some("d3".to_owned());
        Scene::new(world).await
    };
    assert_eq!(scene.gather("d2").unwrap().departments.len(), 3);
}

/// A state with so many people in one department, without runs.
fn crowd(people: usize) -> Ledger {
    let tenant = TenantId::parse("acme").unwrap();
    let ledger = Ledger::open(Arc::new(MemoryStore::default()), &tenant, &connection()).unwrap();
    keep(
        &ledger,
        Entity::Department,
        [("d1".to_owned(), json!({"name": "Crowd", "parent": null}).to_string())],
    );
    let raw = json!({"name": "P", "departments": ["d1"]}).to_string();
    keep(&ledger, Entity::Employee, (0..people).map(|n| (format!("u{n}"), raw.clone())));
    ledger
}

#[test]
fn a_canary_takes_ten_thousand_people_and_not_one_more() {
    let (old, new) = (mapper("old"), mapper("new"));
    let most = gathered(&crowd(Canary::MOST), &*old, &*new, "Crowd").unwrap();
    assert_eq!(most.people.len(), 10_000);
    let error = gathered(&crowd(Canary::MOST + 1), &*old, &*new, "Crowd").unwrap_err();
    assert_eq!(
        error.to_string(),
        "the canary of feishu:department:d1 would have 10001 people and 1 departments, 10000 of each are allowed; choose a smaller department"
    );
}

#[test]
fn a_canary_is_kept_as_long_as_a_generation_names_it() {
    let ledger = crowd(1);
    let canary = |id: &str| Canary {
        edited: ContentHash::of(b"new"),
        against: ContentHash::of(b"old"),
        department: id.to_owned(),
        departments: [id.to_owned()].into(),
        people: BTreeSet::new(),
    };
    let (first, second) = (canary("d1"), canary("d2"));
    let id = ledger.keep_canary(&first).unwrap();
    assert_eq!(ledger.canary(id).unwrap().as_ref(), Some(&first));
    ledger.keep_canary(&second).unwrap();
    assert_eq!(ledger.canary(id).unwrap(), None, "no run was made with it");
    let tried = Tried { canary: ledger.keep_canary(&first).unwrap(), edited: first.edited };
    let (digest, mappings) = (first.against, [].into());
    let one = InForce { digest, run: RunId(1), since_ms: 1, mappings, canary: Some(tried) };
    ledger.adopt(&one).unwrap();
    ledger.keep_canary(&second).unwrap();
    assert_eq!(ledger.canary(id).unwrap(), Some(first));
}
