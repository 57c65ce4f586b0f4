//! The shipped WeCom mappings: every case beside them holds.

use std::path::Path;

use rollcall::mapping::{Fault, Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::ConnectionId;

fn wecom() -> Result<Generation, Vec<Fault>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/wecom");
    Generation::load(&Files::read("wecom", &folder), None)
}

#[test]
fn every_mapping_case_passes() {
    let report = wecom().unwrap().run_cases(&ConnectionId::parse("wecom").unwrap());
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_mapping_has_several_cases() {
    let generation = wecom().unwrap();
    let report = generation.run_cases(&ConnectionId::parse("wecom").unwrap());
    let entities = [Entity::Department, Entity::Employee, Entity::CheckIn, Entity::AttendanceDay];
    assert_eq!(generation.entities(), entities);
    for entity in entities {
        let cases = report.results.iter().filter(|result| result.entity == entity).count();
        assert!(cases >= 6, "{entity} has {cases} cases");
    }
}

#[test]
fn every_shipped_mapping_is_compiled_as_a_whole() {
    assert_eq!(wecom().unwrap().interpreted(), []);
}
