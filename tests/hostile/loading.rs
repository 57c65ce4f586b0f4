//! What is refused before anything of it runs.

use rollcall::model::entity::Entity;
use rollcall::model::fault::Fault;
use rollcall::port::provider::Provider as _;

use super::{Bench, FULL, component, component_in, connect, manifest, with_section};

const EMPTY: &str = r#"(module (memory (export "memory") 1)
    (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (i32.const 1024)))"#;

fn plugin(manifest: &str) -> Vec<u8> {
    with_section(component(EMPTY, &["plugin"]), "rollcall:manifest", manifest.as_bytes())
}

#[test]
fn what_is_no_component_is_refused_with_what_it_is_instead() {
    let bench = Bench::new();
    assert!(bench.refused("p", b"#!/bin/sh\n").contains("no WebAssembly file"));
    assert!(bench.refused("p", b"").contains("no WebAssembly file"));
    assert!(bench.refused("p", &wat::parse_str("(module)").unwrap()).contains("core module"));
    let whole = plugin(&manifest("p"));
    assert!(bench.refused("p", &whole[..whole.len() - 5]).contains("truncated"));
    let missing = bench.host.load(&bench.folder.path().join("none.wasm")).unwrap_err();
    assert!(super::told(&missing).contains("none.wasm"), "{missing}");
}

#[test]
fn every_truncation_of_a_plugin_is_refused() {
    let bench = Bench::new();
    let whole = plugin(&manifest("p"));
    for cut in (0..whole.len()).step_by(97) {
        assert!(bench.host.load(&bench.file("p", &whole[..cut])).is_err(), "cut at {cut}");
    }
    assert!(bench.host.load(&bench.file("p", &whole)).is_ok());
}

#[test]
fn a_forged_manifest_is_refused() {
    let bench = Bench::new();
    let refused = |manifest: &str| bench.refused("p", &plugin(manifest));
    assert!(
        bench
            .refused("p", &component(EMPTY, &["plugin"]))
            .contains("no `rollcall:manifest` section")
    );
    assert!(refused("{").contains("cannot be read"));
    assert!(refused("[]").contains("cannot be read"));
    assert!(refused(&manifest("../p")).contains("cannot be read"));
    assert!(refused(&manifest("other")).contains("calls itself `other`"));
    let large = manifest("p").replace("a guest", &"x".repeat(65 << 10));
    assert!(refused(&large).contains("65536 are allowed"), "{}", refused(&large));
    let hosts = format!("[{}]", vec!["\"a.test\""; 101].join(","));
    assert!(refused(&manifest("p").replace("[\"{setting:url}\"]", &hosts)).contains("101 hosts"));
    let twice = manifest("p").replace("\"unset\"", "\"app_secret\"");
    assert!(refused(&twice).contains("`app_secret` twice"), "{}", refused(&twice));
}

#[test]
fn another_contract_is_refused_in_the_manifest_and_in_the_code() {
    let bench = Bench::new();
    let said = manifest("p").replace("\"contract\":\"0.1.0\"", "\"contract\":\"0.2.0\"");
    assert!(
        bench
            .refused("p", &plugin(&said))
            .contains("speaks contract 0.2.0, this build speaks 0.1.0")
    );
    let world = "package test:guest; world guest { export rollcall:plugin/plugin@0.9.0; }
        package rollcall:plugin@0.9.0 { interface plugin { probe: func() -> u32; } }";
    let other = component_in(&EMPTY.replace("0.1.0", "0.9.0"), world);
    let other = with_section(other, "rollcall:manifest", manifest("p").as_bytes());
    assert!(
        bench.refused("p", &other).contains("speaks contract 0.9.0"),
        "{}",
        bench.refused("p", &other)
    );
}

#[test]
fn an_import_beyond_the_contract_is_named() {
    let bench = Bench::new();
    let wat = r#"(module (import "wasi:cli/environment@0.2.0" "all" (func $all (result i32)))
        (memory (export "memory") 1)
        (func (export "rollcall:plugin/plugin@0.1.0#probe") (result i32) (call $all)))"#;
    let world = "package test:guest; world guest {
            import wasi:cli/environment@0.2.0; export rollcall:plugin/plugin@0.1.0; }
        package wasi:cli@0.2.0 { interface environment { all: func() -> u32; } }";
    let guest =
        with_section(component_in(wat, world), "rollcall:manifest", manifest("p").as_bytes());
    let told = bench.refused("p", &guest);
    assert!(told.contains("plugin `p` imports `wasi:cli/environment@0.2.0`"), "{told}");
}

#[test]
fn a_component_that_exports_nothing_of_ours_is_refused() {
    let bench = Bench::new();
    let bare = wat::parse_str("(component)").unwrap();
    let bare = with_section(bare, "rollcall:manifest", manifest("p").as_bytes());
    assert!(bench.refused("p", &bare).contains("does not export `rollcall:plugin/plugin`"));
}

#[test]
fn a_plugin_can_be_inspected_under_any_name() {
    let bench = Bench::new();
    let bytes = with_section(plugin(&manifest("p")), "rollcall:source", b"abc123\n");
    let seen = bench.host.inspect(&bench.file("renamed", &bytes)).unwrap();
    assert_eq!(seen.manifest.name.as_str(), "p");
    assert_eq!(seen.source_digest.as_deref(), Some("abc123"));
    assert_eq!(seen.exports, ["rollcall:plugin/plugin@0.1.0"]);
    assert_eq!(seen.size_bytes, bytes.len());
    assert!(seen.compiled_bytes > 0);
    assert!(serde_json::to_value(&seen).unwrap()["digest"].is_string());
}

#[tokio::test]
async fn a_replaced_file_is_another_plugin_and_the_old_one_works_on() {
    let bench = Bench::new();
    let old = bench.guest("trap", &FULL);
    let file = bench.file("trap", &plugin(&manifest("trap")));
    let new = bench.host.load(&file).unwrap();
    assert_ne!(old.digest(), new.digest());
    let old = connect(&old, &[], &[]);
    assert_eq!(old.list(Entity::Department, None, None).await.unwrap().records, vec![]);
    let new = connect(&new, &[], &[]);
    assert_eq!(new.list(Entity::Department, None, None).await, Err(Fault::Unsupported));
    assert_eq!(new.capabilities().await.unwrap().walks, vec![]);
    std::fs::write(&file, b"half a fi").unwrap();
    assert!(bench.host.load(&file).is_err());
    assert!(new.probe().await.unwrap().is_empty());
}
