//! Builds a guest crate into a plugin: one component file with its manifest and the digest of its sources inside.
//!
//! What this is not: loading or running a plugin (that is the host's), or choosing what it may do. It uses the `cargo`
//! it finds: first the one on `PATH`, and where that toolchain cannot compile for `wasm32-unknown-unknown`, the next
//! one on `PATH` that can, building the standard library from the toolchain's own source if need be.
//!
//! The one invariant: a file is replaced only by a whole component that imports nothing but the contract, stamped with
//! the digest of exactly the sources it was compiled from.

mod toolchain;

use std::fs;
use std::io::{self, Write as _};
use std::path::{Path, PathBuf};
use std::process::{ExitStatus, Stdio};

use serde_json::Value;
use wit_component::{ComponentEncoder, DecodedWasm};

use toolchain::Toolchain;

/// The contract a guest built here speaks.
const CONTRACT: &str = "0.1.0";
const TARGET: &str = "wasm32-unknown-unknown";
const MANIFEST_SECTION: &str = "rollcall:manifest";
const SOURCE_SECTION: &str = "rollcall:source";
/// What of a guest crate goes into its digest; its tests and notes do not change the component.
const CRATE_SOURCES: [&str; 4] = ["Cargo.toml", "build.rs", "manifest.json", "src"];

/// A plugin that was built and written.
#[derive(Debug)]
pub(crate) struct Built {
    /// Where it is.
    pub(crate) path: PathBuf,
    /// Its size.
    pub(crate) bytes: usize,
}

/// Why a plugin was not built. Nothing was written.
#[derive(Debug, thiserror::Error)]
pub(crate) enum BuildError {
    #[error("cannot read `{}`; check that it is a guest crate with `src/` and `manifest.json`", .path.display())]
    Read { path: PathBuf, source: io::Error },
    #[error("the manifest `{}` {reason}", .path.display())]
    Manifest { path: PathBuf, reason: String },
    #[error(
        "no Rust toolchain on PATH can compile for {TARGET} ({looked}); run `rustup target add {TARGET}`, \
         or on Debian `apt-get install rustc-web cargo-web rust-web-src lld-22`, and build again"
    )]
    NoToolchain { looked: String },
    #[error("cannot run `{}`; check the toolchain's installation", .program.display())]
    Run { program: PathBuf, source: io::Error },
    #[error("`cargo build` of the guest ended with {status}; its messages stand above")]
    Cargo { status: ExitStatus },
    #[error(
        "`cargo build` made no module of `{}`; give its Cargo.toml `[lib] crate-type = [\"cdylib\", \"rlib\"]`",
        .crate_dir.display()
    )]
    NoModule { crate_dir: PathBuf },
    #[error("the module makes no plugin: {reason}; export the plugin with `rollcall_sdk::export!`")]
    Component { reason: String },
    #[error(
        "the component imports {names}, which the contract does not have; \
         drop the dependency that needs it (a guest has no WASI: time, randomness and settings come from the sdk)"
    )]
    ForeignImport { names: String },
    #[error("the sources changed while they were compiled; build again")]
    SourceChanged,
    #[error("cannot write `{}`; check the folder's permissions and free space", .path.display())]
    Write { path: PathBuf, source: io::Error },
}

/// Compiles the crate in `crate_dir`, wraps, checks and stamps the component and writes it to `out`, all or nothing.
///
/// cargo's own messages go to stderr as they come.
///
/// # Errors
/// [`BuildError`], each variant with its next step; `out` then is as it was.
pub(crate) fn build(crate_dir: &Path, out: &Path) -> Result<Built, BuildError> {
    build_with(&Toolchain::find(crate_dir)?, crate_dir, out)
}

fn build_with(toolchain: &Toolchain, crate_dir: &Path, out: &Path) -> Result<Built, BuildError> {
    let crate_dir = &fs::canonicalize(crate_dir).map_err(|e| read_error(crate_dir, e))?;
    let manifest = read_manifest(&crate_dir.join("manifest.json"))?;
    let source_digest = source_digest(crate_dir)?;
    let mut component = encode(&compile(crate_dir, toolchain)?)?;
    check_surface(&component)?;
    if self::source_digest(crate_dir)? != source_digest {
        return Err(BuildError::SourceChanged);
    }
    stamp(&mut component, MANIFEST_SECTION, manifest.as_bytes());
    stamp(&mut component, SOURCE_SECTION, source_digest.as_bytes());
    replace(out, &component).map_err(|source| BuildError::Write { path: out.into(), source })?;
    Ok(Built { path: out.to_owned(), bytes: component.len() })
}

/// The digest of everything a guest is made of: its own sources, and the sdk and contract where its `Cargo.toml` says
/// that they are (the contract is beside the sdk). It depends on names and contents alone, not on where the files are.
///
/// # Errors
/// [`BuildError::Read`] when a file cannot be read.
pub(crate) fn source_digest(crate_dir: &Path) -> Result<String, BuildError> {
    let mut files = Vec::new();
    let sdk = crate_dir.join(sdk_path(crate_dir));
    for part in CRATE_SOURCES {
        collect(&crate_dir.join(part), &format!("crate/{part}"), &mut files)?;
        collect(&sdk.join(part), &format!("sdk/{part}"), &mut files)?;
    }
    collect(&sdk.join("../wit"), "wit", &mut files)?;
    files.sort();
    let mut hasher = blake3::Hasher::new();
    for (label, path) in files {
        let content = fs::read(&path).map_err(|e| read_error(&path, e))?;
        for part in [label.as_bytes(), content.as_slice()] {
            hasher.update(&(part.len() as u64).to_le_bytes());
            hasher.update(part);
        }
    }
    Ok(hasher.finalize().to_hex().to_string())
}

/// Where the crate's `Cargo.toml` says that the sdk is; beside the crate where it does not say.
fn sdk_path(crate_dir: &Path) -> String {
    let manifest = fs::read_to_string(crate_dir.join("Cargo.toml")).unwrap_or_default();
    let line = manifest.lines().find(|line| line.trim_start().starts_with("rollcall-sdk"));
    let path = line.and_then(|line| line.split_once("path = \"")?.1.split('"').next());
    path.unwrap_or("../sdk").to_owned()
}

/// Adds `path`, or every file below it, under its label. What is not there is left out, and so are hidden files.
fn collect(path: &Path, label: &str, files: &mut Vec<(String, PathBuf)>) -> Result<(), BuildError> {
    if path.is_file() {
        files.push((label.to_owned(), path.to_owned()));
        return Ok(());
    }
    let entries = match fs::read_dir(path) {
        Ok(entries) => entries,
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(()),
        Err(error) => return Err(read_error(path, error)),
    };
    for entry in entries {
        let entry = entry.map_err(|e| read_error(path, e))?;
        let name = entry.file_name().to_string_lossy().into_owned();
        if !name.starts_with('.') && !name.ends_with('~') {
            collect(&entry.path(), &format!("{label}/{name}"), files)?;
        }
    }
    Ok(())
}

/// The manifest in compact form.
fn read_manifest(path: &Path) -> Result<String, BuildError> {
    let text = fs::read_to_string(path).map_err(|e| read_error(path, e))?;
    let wrong = |reason: String| BuildError::Manifest { path: path.to_owned(), reason };
    let value: Value =
        serde_json::from_str(&text).map_err(|e| wrong(format!("is no JSON: {e}; correct it")))?;
    let field = |name: &str| match value.get(name).and_then(Value::as_str) {
        Some(text) if !text.is_empty() => Ok(text.to_owned()),
        _ => Err(wrong(format!("has no `{name}`; add it as a string"))),
    };
    let (name, contract) = (field("name")?, field("contract")?);
    field("version")?;
    if !name.bytes().all(|b| b.is_ascii_lowercase() || b.is_ascii_digit() || b == b'-') {
        return Err(wrong(format!("names the plugin `{name}`; use a-z, 0-9 and `-` only")));
    }
    if contract != CONTRACT {
        return Err(wrong(format!("asks for contract {contract}; this build makes {CONTRACT}")));
    }
    Ok(value.to_string())
}

/// Runs cargo and reads the module it made.
fn compile(crate_dir: &Path, toolchain: &Toolchain) -> Result<Vec<u8>, BuildError> {
    let workspace = toolchain.workspace(crate_dir)?;
    let mut cargo = toolchain.cargo(crate_dir);
    cargo.args([
        "build",
        "--profile",
        "guest",
        "--target",
        TARGET,
        "--message-format=json-render-diagnostics",
    ]);
    cargo.arg("--target-dir").arg(workspace.join("target-guest"));
    cargo.env_remove("RUSTFLAGS").env("CARGO_ENCODED_RUSTFLAGS", toolchain.flags(&workspace));
    let output = cargo
        .stderr(Stdio::inherit())
        .output()
        .map_err(|source| BuildError::Run { program: toolchain.cargo_path(), source })?;
    if !output.status.success() {
        return Err(BuildError::Cargo { status: output.status });
    }
    let module = module_of(crate_dir, &String::from_utf8_lossy(&output.stdout))
        .ok_or_else(|| BuildError::NoModule { crate_dir: crate_dir.to_owned() })?;
    fs::read(&module).map_err(|e| read_error(&module, e))
}

/// The `.wasm` among the artifacts of the crate in `crate_dir`, in cargo's messages.
fn module_of(crate_dir: &Path, messages: &str) -> Option<PathBuf> {
    let manifest = crate_dir.join("Cargo.toml");
    let artifacts = messages
        .lines()
        .filter_map(|line| serde_json::from_str::<Value>(line).ok())
        .filter(|message| message["reason"] == "compiler-artifact")
        .filter(|message| message["manifest_path"].as_str().map(Path::new) == Some(&manifest));
    artifacts
        .filter_map(|message| message["filenames"].as_array().cloned())
        .flatten()
        .filter_map(|name| name.as_str().map(PathBuf::from))
        .find(|path| path.extension().is_some_and(|e| e == "wasm"))
}

fn encode(module: &[u8]) -> Result<Vec<u8>, BuildError> {
    ComponentEncoder::default()
        .validate(true)
        .module(module)
        .and_then(|mut encoder| encoder.encode())
        .map_err(|error| BuildError::Component { reason: format!("{error:#}") })
}

/// What a component imports must be the contract's, and it must be a plugin.
fn check_surface(component: &[u8]) -> Result<(), BuildError> {
    let decoded = wit_component::decode(component)
        .map_err(|error| BuildError::Component { reason: format!("{error:#}") })?;
    let DecodedWasm::Component(resolve, world) = decoded else {
        return Err(BuildError::Component { reason: "it is a bare WIT package".into() });
    };
    let world = &resolve.worlds[world];
    let contract = format!("@{CONTRACT}");
    let foreign: Vec<String> = world
        .imports
        .keys()
        .map(|key| resolve.name_world_key(key))
        .filter(|name| !(name.starts_with("rollcall:plugin/") && name.ends_with(&contract)))
        .map(|name| format!("`{name}`"))
        .collect();
    if !foreign.is_empty() {
        return Err(BuildError::ForeignImport { names: foreign.join(", ") });
    }
    let plugin = format!("rollcall:plugin/plugin{contract}");
    if !world.exports.keys().any(|key| resolve.name_world_key(key) == plugin) {
        return Err(BuildError::Component { reason: format!("it does not export `{plugin}`") });
    }
    Ok(())
}

/// Appends a custom section.
fn stamp(component: &mut Vec<u8>, name: &str, content: &[u8]) {
    let mut section = Vec::with_capacity(name.len() + content.len() + 5);
    leb128(&mut section, name.len());
    section.extend_from_slice(name.as_bytes());
    section.extend_from_slice(content);
    component.push(0);
    leb128(component, section.len());
    component.extend_from_slice(&section);
}

fn leb128(bytes: &mut Vec<u8>, mut value: usize) {
    while value >= 0x80 {
        bytes.push(value.to_le_bytes()[0] | 0x80);
        value >>= 7;
    }
    bytes.push(value.to_le_bytes()[0]);
}

/// Writes beside `out` and renames, so that whoever watches the file never sees half of it.
fn replace(out: &Path, content: &[u8]) -> io::Result<()> {
    if let Some(folder) = out.parent() {
        fs::create_dir_all(folder)?;
    }
    let aside = out.with_extension(format!("wasm.{}", std::process::id()));
    let written = fs::File::create(&aside).and_then(|mut file| {
        file.write_all(content)?;
        file.sync_all()?;
        fs::rename(&aside, out)
    });
    if written.is_err() {
        // The first error is the one to tell; a leftover beside the target is harmless.
        drop(fs::remove_file(&aside));
    }
    written
}

fn read_error(path: &Path, source: io::Error) -> BuildError {
    BuildError::Read { path: path.to_owned(), source }
}

#[cfg(test)]
mod tests;
