//! The conformance kit: what it passes keeps a connector's promises, and what breaks one it names with a remedy.
#![cfg(test)]

use std::path::{Path, PathBuf};

use rollcall::host::PluginHost;
use rollcall::kit::{self, Check, Options, Report, Verdict};

/// Large enough to have several pages of everything.
const OPTIONS: Options = Options { script: None, records: 3_000 };

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

async fn examine(path: &Path) -> Report {
    examine_with(path, OPTIONS).await
}

async fn examine_with(path: &Path, options: Options) -> Report {
    let host = PluginHost::new(None).unwrap();
    kit::examine(&host, path, options).await.unwrap()
}

/// What `rollcall plugin new` writes, compiled from `templates/`.
async fn template(kind: &str) -> Report {
    let script = Some(file(&format!("templates/{kind}/kit.yaml")));
    let component = file(&format!("tests/kit/starter-{kind}.wasm"));
    examine_with(&component, Options { script, ..OPTIONS }).await
}

/// The names of the checks that ended so, with what was told.
fn failures(report: &Report) -> Vec<String> {
    report.failures().map(|check| format!("{}: {:?}", check.name, check.verdict)).collect()
}

#[tokio::test(flavor = "multi_thread")]
async fn the_feishu_connector_keeps_every_promise() {
    let report = examine(&file("plugins/feishu.wasm")).await;
    assert_eq!(failures(&report), Vec::<String>::new());
    let (passed, _, skipped) = report.counts();
    assert!(passed >= 20 && skipped <= 10, "{report:#?}");
}

#[tokio::test(flavor = "multi_thread")]
async fn the_declarative_connector_keeps_every_promise_with_its_example() {
    let report = examine(&file("plugins/rest.wasm")).await;
    assert_eq!(failures(&report), Vec::<String>::new());
    // It writes no system; everything else is put to the test.
    assert_eq!(skipped(&report), TARGET_CHECKS);
}

#[tokio::test(flavor = "multi_thread")]
async fn the_templates_of_new_plugins_keep_every_promise() {
    let provider = template("provider").await;
    assert_eq!(failures(&provider), Vec::<String>::new());
    assert_eq!(skipped(&provider).len(), TARGET_CHECKS.len() + 1, "{:?}", skipped(&provider));
    let target = template("target").await;
    assert_eq!(failures(&target), Vec::<String>::new());
    assert!(TARGET_CHECKS.iter().all(|name| !skipped(&target).contains(name)), "{target:#?}");
}

/// What only a target is put to.
const TARGET_CHECKS: [&str; 7] = [
    "target_schema",
    "target_results",
    "target_repetition",
    "target_fields",
    "target_ends",
    "target_listing",
    "target_interruption",
];

fn skipped(report: &Report) -> Vec<&'static str> {
    let skipped = |check: &&Check| matches!(check.verdict, Verdict::Skipped { .. });
    report.checks.iter().filter(skipped).map(|check| check.name).collect()
}

/// The declarative connector with a description of its own, in a folder of its own.
async fn described(spec: &str, kit: &str) -> Report {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("rest.wasm");
    std::fs::copy(file("plugins/rest.wasm"), &component).unwrap();
    std::fs::write(folder.path().join("spec.yaml"), spec).unwrap();
    std::fs::write(folder.path().join("rest.kit.yaml"), kit).unwrap();
    examine(&component).await
}

const KIT: &str = r#"
settings: { base_url: "{url}", spec: file:spec.yaml }
listings:
  - kind: employee
    request: { get: /people }
    items: /data
    item: { id: "{id}", name: "{name}" }
    page: { by: page, param: { query: page }, pages: /pages, size: 100 }
"#;

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_stops_after_the_first_page_fails_by_name() {
    let spec = "listings:\n  employee: { request: { get: /people }, items: /data, id: /id }\n";
    let report = described(spec, KIT).await;
    let paging = report.failures().find(|check| check.name == "paging").unwrap();
    let Verdict::Failed { found, remedy } = &paging.verdict else { unreachable!() };
    assert_eq!(found, "100 of 2000 employee records were listed");
    assert!(remedy.contains("follow the platform's page token"), "{remedy}");
}

#[tokio::test(flavor = "multi_thread")]
async fn a_connector_that_looks_in_the_wrong_place_fails_its_probe() {
    let spec = "listings:\n  employee: { request: { get: /people }, items: /people, id: /id }\n";
    let report = described(spec, KIT).await;
    let told = failures(&report).join("\n");
    assert!(told.contains("probe: ") && told.contains("no array at `/people`"), "{told}");
}

#[tokio::test(flavor = "multi_thread")]
async fn without_a_platform_the_rest_is_skipped_and_never_passed() {
    let folder = tempfile::tempdir().unwrap();
    let component = folder.path().join("rest.wasm");
    std::fs::copy(file("plugins/rest.wasm"), &component).unwrap();
    let report = examine(&component).await;
    let paging = report.checks.iter().find(|check| check.name == "paging").unwrap();
    let Verdict::Skipped { why } = &paging.verdict else { panic!("{paging:?}") };
    assert!(why.contains("kit.yaml"), "{why}");
    let passed = report.checks.iter().filter(|it| matches!(it.verdict, Verdict::Passed { .. }));
    assert_eq!(passed.map(|check| check.name).collect::<Vec<_>>(), ["manifest", "exports"]);
}

#[tokio::test(flavor = "multi_thread")]
async fn a_description_that_cannot_be_played_is_refused_with_its_place() {
    let told = |kit: &str| {
        let folder = tempfile::tempdir().unwrap();
        let script = folder.path().join("kit.yaml");
        std::fs::write(&script, kit).unwrap();
        let options = Options { script: Some(script), ..OPTIONS };
        async move {
            let _kept = &folder;
            let host = PluginHost::new(None).unwrap();
            let examined = kit::examine(&host, &file("plugins/rest.wasm"), options).await;
            examined.unwrap_err().to_string()
        }
    };
    let misspelt = told("listing: []").await;
    assert!(
        misspelt.contains("unknown field `listing`") && misspelt.contains("line 1"),
        "{misspelt}"
    );
    let pathless =
        told(&KIT.replace("{ get: /people }", "{}").replace("file:spec.yaml", "x")).await;
    assert!(pathless.contains("names no path"), "{pathless}");
    let missing = told("settings: { spec: file:nowhere.yaml }").await;
    assert!(missing.contains("nowhere.yaml"), "{missing}");
}
