//! The committed Feishu connector under the same host, for comparison: it gets through.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use rollcall::host::{Connection, ConnectionSpec, Limits, Secret, SecretSource};
use rollcall::model::entity::Entity;
use rollcall::model::record::Walk;
use rollcall::port::provider::Provider as _;
use simulator::Simulator;

use super::{Bench, spec};

struct AppSecret(String);

impl SecretSource for AppSecret {
    fn secret(&self, name: &str) -> Option<Secret> {
        (name == "app_secret").then(|| Secret::new(self.0.clone()))
    }
}

fn connected(bench: &Bench, simulator: &Simulator, app_secret: &str) -> Connection {
    let file = Path::new(env!("CARGO_MANIFEST_DIR")).join("plugins/feishu.wasm");
    let plugin = bench.host.load(&file).unwrap();
    let url = simulator.url();
    let settings = [("app_id", simulator.app_id()), ("open_host", &*url)];
    let spec = spec(&plugin, &settings, &[url.trim_start_matches("http://")]);
    let secrets = Arc::new(AppSecret(app_secret.to_owned()));
    Connection::new(ConnectionSpec { secrets, limits: Limits::STANDARD, ..spec }).unwrap()
}

#[tokio::test]
async fn the_feishu_connector_lists_every_department_once() {
    let simulator = Simulator::builder().people(300).seed(1).start("127.0.0.1:0").await.unwrap();
    let bench = Bench::new();
    let connection = connected(&bench, &simulator, simulator.app_secret());
    let offered = connection.capabilities().await.unwrap();
    assert!(offered.walks.contains(&Walk::Whole(Entity::Department)), "{offered:?}");
    let (mut ids, mut cursor, mut listed) = (BTreeSet::new(), None, 0);
    loop {
        let page = connection.list(Entity::Department, None, cursor.as_ref()).await.unwrap();
        listed += page.records.len();
        ids.extend(page.records.into_iter().map(|record| record.id));
        cursor = page.next;
        if cursor.is_none() {
            break;
        }
    }
    assert_eq!(ids.len(), listed);
    assert_eq!(u64::try_from(listed).unwrap(), simulator.truth().departments);
    assert!(connection.probe().await.unwrap().iter().all(|finding| finding.passed));
    simulator.shutdown().await;
}

#[tokio::test]
async fn a_wrong_secret_is_the_administrators_to_mend() {
    let simulator = Simulator::builder().people(20).seed(1).start("127.0.0.1:0").await.unwrap();
    let bench = Bench::new();
    let connection = connected(&bench, &simulator, "not the secret");
    let fault = connection.list(Entity::Department, None, None).await.unwrap_err();
    let text = format!("{fault} {fault:?}");
    assert!(fault.advice().is_some_and(|advice| !advice.remedy.is_empty()), "{text}");
    assert!(!text.contains("not the secret"), "{text}");
    simulator.shutdown().await;
}
