//! One engine for all plugins of a process: reads a file once, judges it, compiles it or takes it from the cache.
//!
//! The invariant: a file that is refused has run nothing.

use std::fs::File;
use std::io::Read as _;
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmtime::component::{Component, Linker};
use wasmtime::{Config, Engine};

use crate::model::hash::ContentHash;
use crate::model::ids::PluginName;
use crate::port::store::Store;

use super::cache::CompiledCache;
use super::context::{Context, Data};
use super::contract::since_v0_1::{Full, attendance, callback, directory, plugin, target};
use super::error::HostError;
use super::manifest::{self, Manifest};
use super::net::client::Clients;
use super::plugin::{Exports, Inspection, Plugin};
use super::rates::Budgets;
use super::sections;
use super::ticker::Ticker;
use super::turn::Turns;

/// The contract that this build speaks.
pub const CONTRACT: &str = "0.1.0";
const PACKAGE: &str = "rollcall:plugin/";
const IMPORTS: [&str; 4] = ["http", "host", "secrets", "types"];

/// The most bytes of a plugin file.
const FILE_BYTES: u64 = 32 << 20;
/// The stack of a guest; a deeper recursion traps.
const STACK_BYTES: usize = 512 << 10;

/// Loads plugins. One is enough for a process.
pub struct PluginHost {
    core: Arc<Core>,
    cache: Option<CompiledCache>,
}

/// What every plugin needs while it runs.
pub(super) struct Core {
    pub(super) engine: Engine,
    pub(super) ticker: Ticker,
    pub(super) turns: Turns,
    pub(super) clients: Clients,
    pub(super) budgets: Budgets,
    linker: Linker<Context>,
}

impl PluginHost {
    /// Sets the engine up. Compiled code is kept in `cache`, when one is named.
    ///
    /// # Errors
    /// [`HostError::Engine`] when this machine cannot run plugins, [`HostError::Cache`] when the folder cannot be used.
    pub fn new(cache: Option<PathBuf>) -> Result<Self, HostError> {
        let engine = Engine::new(&config()).map_err(|error| engine_error(&error))?;
        let linker = linker(&engine).map_err(|error| engine_error(&error))?;
        let ticker = Ticker::start(&engine)
            .map_err(|error| HostError::Engine { reason: error.to_string() })?;
        let cache = cache.map(|folder| CompiledCache::open(&folder, &engine)).transpose()?;
        let (clients, budgets) = (Clients::default(), Budgets::default());
        let turns = Turns::of_machine();
        let core = Core { engine, ticker, turns, clients, budgets, linker };
        Ok(Self { core: Arc::new(core), cache })
    }

    /// Ignores the rate limits that manifests declare: for simulated platforms, which have none unless they are asked for.
    pub fn ignore_rates(&self) {
        self.core.budgets.ignore();
    }

    /// Keeps the counts of calls that a platform meters by the month in `store`. Call it before connections are set up.
    pub fn keep_counts(&self, store: Arc<dyn Store>) {
        self.core.budgets.keep_counts(store);
    }

    /// Loads a plugin whose manifest bears the name of its file. Compiling takes up to a second: call it from a blocking thread.
    ///
    /// # Errors
    /// [`HostError`] saying why the file is refused.
    pub fn load(&self, path: &Path) -> Result<Arc<Plugin>, HostError> {
        let (plugin, _) = self.open(path)?;
        if path.file_stem().is_none_or(|stem| stem != plugin.name().as_str()) {
            return Err(HostError::Name { path: path.to_owned(), found: plugin.name().clone() });
        }
        Ok(Arc::new(plugin))
    }

    /// Says what a plugin is, under whatever name its file has.
    ///
    /// # Errors
    /// [`HostError`] saying why the file is refused.
    pub fn inspect(&self, path: &Path) -> Result<Inspection, HostError> {
        let (plugin, wasm) = self.open(path)?;
        let ty = plugin.component().component_type();
        let engine = &self.core.engine;
        let source = sections::custom(&wasm, manifest::SOURCE_SECTION).ok().flatten();
        Ok(Inspection {
            manifest: plugin.manifest().clone(),
            digest: plugin.digest(),
            source_digest: source.map(|it| String::from_utf8_lossy(it).trim().to_owned()),
            exports: ty.exports(engine).map(|(name, _)| name.to_owned()).collect(),
            imports: ty.imports(engine).map(|(name, _)| name.to_owned()).collect(),
            size_bytes: wasm.len(),
            compiled_bytes: plugin.compiled_bytes(),
        })
    }

    fn open(&self, path: &Path) -> Result<(Plugin, Vec<u8>), HostError> {
        let wasm = read(path)?;
        let section = sections::custom(&wasm, manifest::SECTION)
            .map_err(|source| HostError::NotComponent { path: path.to_owned(), source })?;
        let manifest = Manifest::parse(section)
            .map_err(|source| HostError::Manifest { path: path.to_owned(), source })?;
        check_contract(&manifest.name, &manifest.contract)?;
        let digest = ContentHash::of(&wasm);
        let plugin = self.prepare(&wasm, manifest, digest)?;
        Ok((plugin, wasm))
    }

    fn prepare(
        &self,
        wasm: &[u8],
        manifest: Manifest,
        digest: ContentHash,
    ) -> Result<Plugin, HostError> {
        let name = &manifest.name;
        let Core { engine, linker, .. } = self.core.as_ref();
        let failed = |error| compile_error(name, &error);
        let cached = self.cache.as_ref().and_then(|cache| cache.load(engine, digest));
        let (component, code) = match cached {
            Some((component, size)) => (component, Code::Cached(size)),
            None => compile(engine, wasm).map_err(failed)?,
        };
        check_names(engine, &component, name)?;
        let pre = linker.instantiate_pre(&component).map_err(failed)?;
        let exports = exports(engine, &pre, name)?;
        if let (Some(cache), Code::Fresh(code)) = (&self.cache, &code) {
            cache.store(digest, code);
        }
        Ok(Plugin::new(Arc::clone(&self.core), pre, exports, (manifest, digest, code.size())))
    }
}

/// Compiled code: its size, or all of it where it has yet to be cached.
enum Code {
    Cached(usize),
    Fresh(Vec<u8>),
}

impl Code {
    fn size(&self) -> usize {
        match self {
            Self::Cached(size) => *size,
            Self::Fresh(code) => code.len(),
        }
    }
}

fn compile(engine: &Engine, wasm: &[u8]) -> wasmtime::Result<(Component, Code)> {
    let component = Component::new(engine, wasm)?;
    let code = component.serialize()?;
    Ok((component, Code::Fresh(code)))
}

fn config() -> Config {
    let mut config = Config::new();
    config
        .wasm_component_model(true)
        .wasm_memory64(false)
        .epoch_interruption(true)
        .max_wasm_stack(STACK_BYTES)
        .generate_address_map(false)
        .native_unwind_info(false)
        .wasm_backtrace_max_frames(None);
    config
}

fn linker(engine: &Engine) -> wasmtime::Result<Linker<Context>> {
    let mut linker = Linker::new(engine);
    Full::add_to_linker::<_, Data>(&mut linker, |context| context)?;
    Ok(linker)
}

fn read(path: &Path) -> Result<Vec<u8>, HostError> {
    let failed = |source| HostError::Read { path: path.to_owned(), source };
    let file = File::open(path).map_err(failed)?;
    let found = file.metadata().map_err(failed)?.len();
    let mut wasm = Vec::with_capacity(usize::try_from(found.min(FILE_BYTES)).unwrap_or_default());
    file.take(FILE_BYTES + 1).read_to_end(&mut wasm).map_err(failed)?;
    if wasm.len() as u64 > FILE_BYTES {
        return Err(HostError::TooLarge { path: path.to_owned(), found, limit: FILE_BYTES });
    }
    Ok(wasm)
}

fn check_contract(plugin: &PluginName, found: &str) -> Result<(), HostError> {
    let minor = CONTRACT.rsplit_once('.').map_or(CONTRACT, |(minor, _)| minor);
    if found == CONTRACT || found == minor {
        return Ok(());
    }
    Err(HostError::Contract { plugin: plugin.clone(), found: found.to_owned(), spoken: CONTRACT })
}

fn check_names(
    engine: &Engine,
    component: &Component,
    plugin: &PluginName,
) -> Result<(), HostError> {
    let ty = component.component_type();
    for (import, _) in ty.imports(engine) {
        match interface(import) {
            Some((interface, version)) if IMPORTS.contains(&interface) => {
                check_contract(plugin, version)?;
            }
            _ => {
                return Err(HostError::Import {
                    plugin: plugin.clone(),
                    import: import.to_owned(),
                });
            }
        }
    }
    for (export, _) in ty.exports(engine) {
        if let Some((_, version)) = interface(export) {
            check_contract(plugin, version)?;
        }
    }
    Ok(())
}

/// An interface of the contract and its version, out of `rollcall:plugin/http@0.1.0`.
fn interface(name: &str) -> Option<(&str, &str)> {
    name.strip_prefix(PACKAGE)?.split_once('@')
}

fn exports(
    engine: &Engine,
    pre: &wasmtime::component::InstancePre<Context>,
    name: &PluginName,
) -> Result<Exports, HostError> {
    let ty = pre.component().component_type();
    let has = |wanted: &str| {
        ty.exports(engine)
            .any(|(name, _)| interface(name).is_some_and(|(found, _)| found == wanted))
    };
    if !has("plugin") {
        return Err(HostError::Export { plugin: name.clone(), export: "rollcall:plugin/plugin" });
    }
    let failed = |error| compile_error(name, &error);
    Ok(Exports {
        plugin: plugin::GuestIndices::new(pre).map_err(failed)?,
        directory: has("directory")
            .then(|| directory::GuestIndices::new(pre))
            .transpose()
            .map_err(failed)?,
        attendance: has("attendance")
            .then(|| attendance::GuestIndices::new(pre))
            .transpose()
            .map_err(failed)?,
        target: has("target")
            .then(|| target::GuestIndices::new(pre))
            .transpose()
            .map_err(failed)?,
        callback: has("callback")
            .then(|| callback::GuestIndices::new(pre))
            .transpose()
            .map_err(failed)?,
    })
}

fn compile_error(plugin: &PluginName, error: &wasmtime::Error) -> HostError {
    HostError::Compile { plugin: plugin.clone(), reason: format!("{error:#}") }
}

fn engine_error(error: &wasmtime::Error) -> HostError {
    HostError::Engine { reason: format!("{error:#}") }
}
