//! The shipped mappings of every connector: each case beside them holds.

use std::path::Path;

use rollcall::mapping::{Fault, Files, Generation};
use rollcall::model::entity::Entity;
use rollcall::model::ids::ConnectionId;

const CONNECTORS: [&str; 3] = ["dingtalk", "feishu", "wecom"];

fn shipped(connector: &str) -> Result<Generation, Vec<Fault>> {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(connector);
    Generation::load(&Files::read(connector, &folder), None)
}

#[test]
fn every_mapping_case_passes() {
    for connector in CONNECTORS {
        let report =
            shipped(connector).unwrap().run_cases(&ConnectionId::parse(connector).unwrap());
        let failures: Vec<_> = report.failures().collect();
        assert!(failures.is_empty(), "{connector}: {failures:#?}");
    }
}

#[test]
fn every_mapping_has_several_cases_and_a_rejected_one() {
    for connector in CONNECTORS {
        let generation = shipped(connector).unwrap();
        let report = generation.run_cases(&ConnectionId::parse(connector).unwrap());
        let entities =
            [Entity::Department, Entity::Employee, Entity::CheckIn, Entity::AttendanceDay];
        assert_eq!(generation.entities(), entities);
        for entity in entities {
            let cases = report.results.iter().filter(|result| result.entity == entity).count();
            assert!(cases >= 6, "{connector}: {entity} has {cases} cases");
        }
    }
}

#[test]
fn every_shipped_mapping_is_compiled_as_a_whole() {
    for connector in CONNECTORS {
        assert_eq!(shipped(connector).unwrap().interpreted(), [], "{connector}");
    }
}

#[test]
fn the_texts_of_a_generation_make_the_same_mappings_again() {
    for connector in CONNECTORS {
        let connection = ConnectionId::parse(connector).unwrap();
        let layer = Files::from_memory(
            "acme",
            [("employee.rhai", "#{ alias: clear() }"), ("tables.yaml", "extra: { a: b }")],
        );
        let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("mappings").join(connector);
        let base = Files::read(connector, &folder);
        let first = Generation::load(&base, Some(&layer)).unwrap();
        let first = first.mapper(&connection, "Asia/Shanghai", "CN").unwrap();
        let kept = first.sources().unwrap();
        let names: Vec<&str> = kept.layers.iter().map(|layer| layer.name.as_str()).collect();
        assert_eq!(names, [connector, "acme"]);
        assert!(kept.layers[0].files.keys().any(|name| name.starts_with("cases/employee/")));
        let again = Generation::of_sources(kept).unwrap();
        let again = again.mapper(&connection, &kept.zone, &kept.region).unwrap();
        for entity in first.entities() {
            assert_eq!(again.digest(entity), first.digest(entity), "{connector} {entity}");
        }
        assert_eq!(again.sources().unwrap().digest(), kept.digest());
    }
}
