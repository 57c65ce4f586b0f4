//! The shipped Feishu mappings: every case beside them holds.

use std::path::Path;

use rollcall::mapping::{Fault, Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::ConnectionId;

fn feishu() -> Result<Generation, Vec<Fault>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings/feishu");
    Generation::load(&Files::read("feishu", &folder), None)
}

#[test]
fn every_mapping_case_passes() {
    let report = feishu().unwrap().run_cases(&ConnectionId::parse("feishu").unwrap());
    let failures: Vec<_> = report.failures().collect();
    assert!(failures.is_empty(), "{failures:#?}");
}

#[test]
fn every_mapping_has_several_cases_and_a_rejected_one() {
    let generation = feishu().unwrap();
    let report = generation.run_cases(&ConnectionId::parse("feishu").unwrap());
    let entities = [Entity::Department, Entity::Employee, Entity::CheckIn, Entity::AttendanceDay];
    assert_eq!(generation.entities(), entities);
    for entity in entities {
        let cases = report.results.iter().filter(|result| result.entity == entity).count();
        assert!(cases >= 6, "{entity} has {cases} cases");
    }
}

#[test]
fn every_shipped_mapping_is_compiled_as_a_whole() {
    assert_eq!(feishu().unwrap().interpreted(), []);
}
