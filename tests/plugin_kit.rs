//! The conformance kit: what it passes keeps a connector's promises, and what breaks one it names with a remedy.
#![cfg(test)]

use std::path::{Path, PathBuf};

use rollcall::host::PluginHost;
use rollcall::kit::{self, Options, Report};

/// Large enough to have several pages of everything.
const OPTIONS: Options = Options { script: None, records: 3_000 };

fn file(path: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join(path)
}

async fn examine(path: &Path) -> Report {
    let host = PluginHost::new(None).unwrap();
    kit::examine(&host, path, OPTIONS).await.unwrap()
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
    assert!(passed >= 20 && skipped <= 3, "{report:#?}");
}
