//! Settings, time, randomness, log and the cache of short-lived values.

use crate::host::context::Context;
use crate::host::contract::since_v0_1::host::{Host, Level};

use super::Breach;

const RANDOM_BYTES: u32 = 4096;

impl Host for Context {
    fn setting(&mut self, name: String) -> wasmtime::Result<Option<String>> {
        Ok(self.shared.settings.get(&name).cloned())
    }

    fn now_ms(&mut self) -> wasmtime::Result<i64> {
        Ok(self.shared.clock.now_ms())
    }

    fn random(&mut self, len: u32) -> wasmtime::Result<Vec<u8>> {
        if len > RANDOM_BYTES {
            return Err(Breach::Random { asked: len, limit: RANDOM_BYTES }.into());
        }
        let mut bytes = vec![0; len as usize];
        self.shared.random.fill(&mut bytes);
        Ok(bytes)
    }

    fn log(&mut self, level: Level, message: String) -> wasmtime::Result<()> {
        let Some(said) = self.budget.cut_log(&message) else { return Ok(()) };
        let shared = &self.shared;
        let (tenant, connection) = (&shared.tenant, &shared.connection);
        let plugin = shared.plugin.name();
        match level {
            Level::Debug => tracing::debug!(%tenant, %connection, %plugin, said, "plugin"),
            Level::Info => tracing::info!(%tenant, %connection, %plugin, said, "plugin"),
            Level::Warn => tracing::warn!(%tenant, %connection, %plugin, said, "plugin"),
        }
        Ok(())
    }

    fn recall(&mut self, key: String) -> wasmtime::Result<Option<String>> {
        Ok(self.shared.kept.recall(&key, self.shared.clock.now_ms()))
    }

    fn remember(&mut self, key: String, value: String, ttl_seconds: u32) -> wasmtime::Result<()> {
        let shared = &self.shared;
        if !shared.kept.remember(key, value, ttl_seconds, shared.clock.now_ms()) {
            let (tenant, connection) = (&shared.tenant, &shared.connection);
            tracing::warn!(%tenant, %connection, "a plugin's value is too large to remember");
        }
        Ok(())
    }

    fn forget(&mut self, key: String) -> wasmtime::Result<()> {
        self.shared.kept.forget(&key);
        Ok(())
    }
}
