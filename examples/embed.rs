//! Syncs Feishu into a target of your own. Try it against the simulator:
//! `cargo run -p simulator -- --feishu 127.0.0.1:7001`, then
//! `cargo run --example embed -- http://127.0.0.1:7001 APP_ID APP_SECRET`

#![expect(clippy::unwrap_used, clippy::print_stdout, reason = "an example is short, and prints")]

use std::collections::BTreeMap;
use std::sync::{Arc, Mutex};

use rollcall::app::Embedding;
use rollcall::model::entity::Entity;
use rollcall::model::ids::{ConnectionId, ExternalId};
use rollcall::model::plan::{Change, ChangeSet, Verb};
use rollcall::port::target::{Dangling, Held, Refusal, Target, TargetError};

/// Keeps every record in a map.
#[derive(Default)]
struct InMemory(Mutex<BTreeMap<ExternalId, Held>>);

#[async_trait::async_trait]
impl Target for InMemory {
    async fn is_empty(&self, _: &ConnectionId, _: Entity) -> Result<bool, TargetError> {
        Ok(self.0.lock().unwrap().is_empty())
    }
    async fn load(&self, _: Entity, keys: &[ExternalId]) -> Result<Vec<Option<Held>>, TargetError> {
        let rows = self.0.lock().unwrap();
        Ok(keys.iter().map(|key| rows.get(key).cloned()).collect())
    }
    async fn apply(&self, set: Arc<ChangeSet>) -> Result<Vec<Result<(), Refusal>>, TargetError> {
        let mut rows = self.0.lock().unwrap();
        let write = |change: &Change| {
            let (hash, json) = (change.hash, change.json.clone());
            let held = Held { hash, retired: change.verb == Verb::Retire, json };
            rows.insert(change.external_id.clone(), held);
            Ok(())
        };
        Ok(set.changes.iter().map(write).collect())
    }
    async fn settle(&self, _: Entity) -> Result<Vec<Dangling>, TargetError> {
        Ok(Vec::new())
    }
}

#[tokio::main]
async fn main() -> Result<(), Box<dyn std::error::Error>> {
    let args: Vec<String> = std::env::args().skip(1).collect();
    let [url, app_id, app_secret] = &args[..] else { return Err("URL APP_ID APP_SECRET".into()) };
    let target = Arc::new(InMemory::default());
    let embedded = Embedding {
        plugin: "plugins/feishu.wasm".into(),
        mappings: "mappings/feishu".into(),
        settings: [("open_host", url), ("app_id", app_id)]
            .map(|(k, v)| (k.into(), v.clone()))
            .into(),
        secrets: [("app_secret".to_owned(), app_secret.clone())].into(),
        grants: vec![format!("private:{}", url.trim_start_matches("http://"))],
        state: None,
        zone: "Asia/Shanghai".to_owned(),
        region: "CN".to_owned(),
    }
    .open(target.clone())?;
    let report = embedded.sync().await?;
    println!("{} records, {} held", report.records(), target.0.lock().unwrap().len());
    Ok(())
}
