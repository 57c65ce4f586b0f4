//! Settings, time, randomness, log and the cache of short-lived values.

use crate::host::context::Context;
use crate::host::contract::since_v0_1::host::{Host, Level};
use crate::host::record::{self, Ask};

use super::Breach;

const RANDOM_BYTES: u32 = 4096;

impl Host for Context {
    fn setting(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        let ask = self.taped(|| Ask::Setting { name: name.clone() });
        self.crossing(ask, |context| context.shared.settings.get(&name).cloned())
    }

    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        let ask = self.taped(|| Ask::Now);
        self.crossing(ask, |context| context.shared.clock.now_ms())
    }

    fn random(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        if len > RANDOM_BYTES {
            return Err(Breach::Random { asked: len, limit: RANDOM_BYTES }.into());
        }
        let ask = self.taped(|| Ask::Random { len });
        self.crossing(ask, |context| {
            let mut bytes = vec![0; len as usize];
            context.shared.random.fill(&mut bytes);
            bytes
        })
    }

    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let ask = self.taped(|| Ask::Log { level: recorded(level), message: message.clone() });
        self.crossing(ask, |context| context.say(level, &message))
    }

    fn recall(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        let ask = self.taped(|| Ask::Recall { key: key.clone() });
        self.crossing(ask, |context| {
            let shared = &context.shared;
            shared.kept.recall(&key, shared.clock.now_ms())
        })
    }

    fn remember(&mut self, key: String, value: String, ttl_seconds: u32) -> wasmtime::Result<()> {
        let ask = self.taped(|| {
            let (key, value) = (key.clone(), value.clone());
            Ask::Remember { key, value, ttl_seconds }
        });
        self.crossing(ask, |context| {
            let shared = &context.shared;
            if !shared.kept.remember(key, value, ttl_seconds, shared.clock.now_ms()) {
                let (tenant, connection) = (&shared.tenant, &shared.connection);
                tracing::warn!(%tenant, %connection, "a plugin's value is too large to remember");
            }
        })
    }

    fn forget(&mut self, key: String) -> wasmtime::Result<()> {
        let ask = self.taped(|| Ask::Forget { key: key.clone() });
        self.crossing(ask, |context| context.shared.kept.forget(&key))
    }
}

fn recorded(level: Level) -> record::Level {
    match level {
        Level::Debug => record::Level::Debug,
        Level::Info => record::Level::Info,
        Level::Warn => record::Level::Warn,
    }
}

impl Context {
    fn say(&mut self, level: Level, message: &str) {
        let Some(said) = self.budget.cut_log(message) else { return };
        let shared = &self.shared;
        let (tenant, connection) = (&shared.tenant, &shared.connection);
        let plugin = shared.plugin.name();
        match level {
            Level::Debug => tracing::debug!(%tenant, %connection, %plugin, said, "plugin"),
            Level::Info => tracing::info!(%tenant, %connection, %plugin, said, "plugin"),
            Level::Warn => tracing::warn!(%tenant, %connection, %plugin, said, "plugin"),
        }
    }
}
