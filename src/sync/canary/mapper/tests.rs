use std::collections::BTreeMap;

use bytes::Bytes;
use serde_json::{Value, json};

use super::*;
use crate::model::draft::Draft;
use crate::model::ids::SourceId;
use crate::port::mapper::Reject;

/// Marks what it maps. A record is `{"who": .., "odd": ..}`: one that is odd for this mapping is rejected.
struct Marking {
    mark: &'static str,
    digests: BTreeMap<Entity, ContentHash>,
    sources: Sources,
}

fn marking(mark: &'static str, digests: &[(Entity, &str)]) -> Arc<dyn Mapper> {
    let digest = |(entity, text): &(Entity, &str)| (*entity, ContentHash::of(text.as_bytes()));
    let sources = Sources { library: mark.to_owned(), ..Sources::default() };
    Arc::new(Marking { mark, digests: digests.iter().map(digest).collect(), sources })
}

impl Mapper for Marking {
    fn entities(&self) -> Vec<Entity> {
        self.digests.keys().copied().collect()
    }

    fn digest(&self, entity: Entity) -> Option<ContentHash> {
        self.digests.get(&entity).copied()
    }

    fn sources(&self) -> Option<&Sources> {
        Some(&self.sources)
    }

    fn map(&self, entity: Entity, records: &[Record]) -> Vec<Mapped> {
        records.iter().map(|record| self.one(entity, record)).collect()
    }
}

impl Marking {
    fn one(&self, entity: Entity, record: &Record) -> Mapped {
        let raw: Value = serde_json::from_slice(&record.payload).unwrap();
        if raw["odd"] == self.mark || raw["odd"] == "both" {
            let (code, message) = ("mapping::payload".to_owned(), self.mark.to_owned());
            return Mapped::Rejected(Reject { code, field: None, message, place: None });
        }
        let key = ExternalId::of(&connection(), entity, record.id.as_str());
        let mut draft = match entity {
            Entity::Department => json!({"name": self.mark, "status": "active"}),
            Entity::Employee => {
                json!({"display_name": self.mark, "department_external_ids": [], "status": "active"})
            }
            Entity::Leave => json!({
                "employee_external_id": raw["who"], "type": "annual", "type_raw": self.mark,
                "status": "approved",
            }),
            Entity::CheckIn | Entity::AttendanceDay => json!({
                "employee_external_id": raw["who"], "at": "2026-03-30T09:00:00+08:00", "note": self.mark,
                "timezone": "Asia/Shanghai", "work_date": "2026-03-30", "direction": "in", "kind": "shift",
            }),
        };
        draft["external_id"] = json!(key);
        Mapped::Draft(Draft::from_json(entity, draft.as_object().unwrap()).unwrap())
    }
}

fn connection() -> ConnectionId {
    ConnectionId::parse("feishu").unwrap()
}

const OLD: &[(Entity, &str)] = &[
    (Entity::Department, "same"),
    (Entity::Employee, "old"),
    (Entity::CheckIn, "old"),
    (Entity::Leave, "old"),
];
const NEW: &[(Entity, &str)] = &[
    (Entity::Department, "same"),
    (Entity::Employee, "new"),
    (Entity::CheckIn, "new"),
    (Entity::AttendanceDay, "new"),
];

fn mapper(people: &[&str]) -> CanaryMapper {
    let set = |ids: &[&str]| ids.iter().map(|&id| id.to_owned()).collect();
    let canary = Canary {
        edited: ContentHash::of(b"new"),
        against: ContentHash::of(b"old"),
        department: "d1".to_owned(),
        departments: set(&["d1"]),
        people: set(people),
    };
    CanaryMapper::new(connection(), marking("old", OLD), marking("new", NEW), canary)
}

fn record(id: &str, raw: &Value) -> Record {
    Record { id: SourceId::parse(id).unwrap(), payload: Bytes::from(raw.to_string()) }
}

/// By whom each record was mapped.
fn marks(entity: Entity, records: &[Record]) -> String {
    let mapper = mapper(&["u1"]);
    let mark = |mapped: Mapped| match mapped {
        Mapped::Draft(draft) => {
            let json: Value = serde_json::from_slice(draft.json()).unwrap();
            let fields = ["name", "display_name", "note", "type_raw"];
            let mark = fields.iter().find_map(|name| json[name].as_str());
            mark.unwrap().to_owned()
        }
        Mapped::Rejected(reject) => format!("rejected by {}", reject.message),
        Mapped::Skipped => "skipped".to_owned(),
    };
    let together: Vec<String> = mapper.map(entity, records).into_iter().map(mark).collect();
    for (record, mark) in records.iter().zip(&together) {
        let told = mapper.in_canary(entity, record);
        assert_eq!(mark.ends_with("new"), told, "{mark}");
    }
    together.join(", ")
}

fn punch(id: &str, who: &str, odd: &str) -> Record {
    record(id, &json!({"who": who, "odd": odd}))
}

#[test]
fn people_go_by_their_own_id_and_keep_their_order() {
    let all = ["u2", "u1", "u3"].map(|id| record(id, &json!({})));
    assert_eq!(marks(Entity::Employee, &all), "old, new, old");
    let odd = [record("u1", &json!({"odd": "new"})), record("u2", &json!({"odd": "new"}))];
    assert_eq!(marks(Entity::Employee, &odd), "rejected by new, old");
}

#[test]
fn attendance_goes_by_its_employee_whatever_its_own_id_is() {
    let all = [
        punch("u1", "feishu:employee:u2", ""),
        punch("p2", "feishu:employee:u1", ""),
        punch("p3", "dingtalk:employee:u1", ""),
    ];
    assert_eq!(marks(Entity::CheckIn, &all), "old, new, old");
}

#[test]
fn attendance_that_the_mapping_in_force_refuses_goes_by_whom_the_edited_one_names() {
    let all = [
        punch("p1", "feishu:employee:u1", "old"),
        punch("p2", "feishu:employee:u2", "old"),
        punch("p3", "feishu:employee:u1", "new"),
        punch("p4", "feishu:employee:u1", "both"),
    ];
    let marks = marks(Entity::CheckIn, &all);
    assert_eq!(marks, "new, rejected by old, rejected by new, rejected by old");
}

#[test]
fn a_kind_whose_mapping_is_the_same_or_that_only_one_maps_stays_as_it_is_in_force() {
    assert_eq!(marks(Entity::Department, &[record("d1", &json!({}))]), "old");
    assert_eq!(marks(Entity::Leave, &[punch("l1", "feishu:employee:u1", "")]), "old");
    let (mapper, old) = (mapper(&["u1"]), marking("old", OLD));
    assert_eq!(mapper.entities(), old.entities());
    for entity in [Entity::Department, Entity::Leave, Entity::AttendanceDay] {
        assert_eq!(mapper.digest(entity), old.digest(entity), "{entity}");
    }
}

#[test]
fn the_digest_tells_a_canary_from_both_mappings_and_from_another_canary() {
    let digest = |people: &[&str]| mapper(people).digest(Entity::Employee).unwrap();
    assert_eq!(digest(&["u1"]), digest(&["u1"]));
    assert_ne!(digest(&["u1"]), digest(&["u2"]));
    for plain in [marking("old", OLD), marking("new", NEW)] {
        assert_ne!(Some(digest(&["u1"])), plain.digest(Entity::Employee));
    }
    assert_eq!(mapper(&[]).sources().unwrap().library, "old");
}
