//! What the host's rate limits promise, through the real component against a platform that keeps limits of its own.

use std::collections::BTreeMap;
use std::sync::Arc;

use rollcall::app::{Embedding, SystemClock};
use rollcall::target::ehr::{EmbeddedEhr, Options};
use simulator::{RateLimits, Simulator};

/// Below what one connection would send if nothing held it back.
const PER_SECOND: u32 = 20;

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_platform_is_hardly_ever_asked_more_often_than_it_allows() {
    let limits = RateLimits::Each { per_second: PER_SECOND, per_minute: 10_000 };
    let builder = Simulator::builder().people(800).seed(3).days(31).rate_limits(limits);
    let simulator = builder.start("127.0.0.1:0").await.unwrap();
    let text = |name: &str, value: &str| (name.to_owned(), value.to_owned());
    let url = simulator.url();
    let embedding = Embedding {
        plugin: "plugins/feishu.wasm".into(),
        mappings: "mappings/feishu".into(),
        settings: BTreeMap::from([text("open_host", &url), text("app_id", simulator.app_id())]),
        secrets: BTreeMap::from([text("app_secret", simulator.app_secret())]),
        grants: vec![format!("private:{}", url.trim_start_matches("http://"))],
        state: None,
        zone: "Asia/Shanghai".to_owned(),
        region: "CN".to_owned(),
    };
    let folder = tempfile::tempdir().unwrap();
    let clock = Arc::new(SystemClock);
    let ehr = EmbeddedEhr::open(&folder.path().join("ehr.db"), clock, Options::default());
    let report = embedding.open(Arc::new(ehr.unwrap())).unwrap().sync().await.unwrap();
    assert_eq!((report.failures.as_slice(), report.doubts.len()), (&[][..], 0));
    let requests = simulator.requests();
    assert!(
        requests.total > 2 * u64::from(PER_SECOND),
        "{} requests meet no limit",
        requests.total
    );
    // Until a limit that the manifest does not declare is learned, every instance may meet it once.
    let (refused, all) = (requests.throttled, requests.total);
    assert!(refused <= 12 && refused * 10 <= all, "{refused} of {all} refused");
}
