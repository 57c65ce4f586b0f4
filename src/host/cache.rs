//! Compiled components on disk, so that a plugin is compiled once for each machine and build of rollcall.
//!
//! Compiled code runs unchecked, so an entry counts only when it lies in a folder that nobody else may write and carries the
//! seal this host gave it, behind the code; anything else is ignored and written anew. The folder keeps others out, the seal
//! tells damage: it has no key, so it need not be a cryptographic hash. An entry is mapped, not copied: it is looked through
//! once for its seal, and of the code only what runs takes memory. So an entry never changes in place. The invariant: it
//! appears whole or not at all.

use std::fs;
use std::io::{self, BufReader, Read as _, Write as _};
use std::path::{Path, PathBuf};

use wasmtime::Engine;
use wasmtime::component::Component;
use xxhash_rust::xxh3::Xxh3;

use crate::model::hash::ContentHash;

/// The most entries that are kept; the oldest go first.
const ENTRIES: usize = 64;
const EXTENSION: &str = "compiled";
const SEAL_BYTES: usize = 16;
/// What is read at once while an entry is looked through.
const CHUNK: usize = 64 << 10;

/// The folder of compiled components.
#[derive(Debug)]
pub(super) struct CompiledCache {
    folder: PathBuf,
    /// What an entry depends on besides the component: wasmtime's version, its settings, the processor.
    engine: ContentHash,
}

/// Why a folder cannot hold compiled code.
#[derive(Debug, thiserror::Error)]
pub enum CacheError {
    /// It cannot be created or written.
    #[error(
        "the cache folder `{folder}` cannot be used; make it writable for rollcall, or name another"
    )]
    Unusable {
        /// The folder.
        folder: PathBuf,
        /// What the system says.
        #[source]
        source: io::Error,
    },
    /// Someone else may write into it.
    #[error(
        "others may write into the cache folder `{folder}`; run `chmod go-w` on it, or name another"
    )]
    Shared {
        /// The folder.
        folder: PathBuf,
    },
}

impl CompiledCache {
    /// Opens a folder, creating it when it is missing.
    pub(super) fn open(folder: &Path, engine: &Engine) -> Result<Self, CacheError> {
        let unusable = |source| CacheError::Unusable { folder: folder.to_owned(), source };
        create_private(folder).map_err(unusable)?;
        if !is_private(folder).map_err(unusable)? {
            return Err(CacheError::Shared { folder: folder.to_owned() });
        }
        Ok(Self { folder: folder.to_owned(), engine: engine_hash(engine) })
    }

    /// The compiled component of a digest, with its size. `None` when there is no entry or not one of ours.
    pub(super) fn load(&self, engine: &Engine, digest: ContentHash) -> Option<(Component, usize)> {
        let path = self.path(digest);
        let Some(size) = self.sealed(&path, digest).ok()? else {
            tracing::warn!(%digest, "a compiled component in the cache is damaged, compiling it again");
            return None;
        };
        Some((deserialize(engine, &path).ok()?, size))
    }

    /// The size of an entry's code; `None` when it does not bear our seal.
    fn sealed(&self, path: &Path, digest: ContentHash) -> io::Result<Option<usize>> {
        let mut file = fs::File::open(path)?;
        let Some(size) = file.metadata()?.len().checked_sub(SEAL_BYTES as u64) else {
            return Ok(None);
        };
        let mut sealer = self.sealer(digest);
        io::copy(&mut BufReader::with_capacity(CHUNK, (&file).take(size)), &mut sealer)?;
        let mut seal = [0; SEAL_BYTES];
        file.read_exact(&mut seal)?;
        Ok(usize::try_from(size).ok().filter(|_| sealer.digest128().to_le_bytes() == seal))
    }

    /// Writes an entry; a failure costs the next start a compilation, nothing else.
    pub(super) fn store(&self, digest: ContentHash, code: &[u8]) {
        if let Err(error) = self.write(digest, code) {
            tracing::warn!(folder = %self.folder.display(), %error, "a compiled component is not cached");
        }
        if let Err(error) = self.prune() {
            tracing::warn!(folder = %self.folder.display(), %error, "the cache is not tidied");
        }
    }

    fn write(&self, digest: ContentHash, code: &[u8]) -> io::Result<()> {
        let target = self.path(digest);
        let part = target.with_extension(format!("part-{}", std::process::id()));
        let mut file = fs::File::create(&part)?;
        file.write_all(code)?;
        let mut sealer = self.sealer(digest);
        sealer.update(code);
        file.write_all(&sealer.digest128().to_le_bytes())?;
        file.sync_all()?;
        fs::rename(&part, &target)
    }

    fn prune(&self) -> io::Result<()> {
        let mut entries = Vec::new();
        for entry in fs::read_dir(&self.folder)? {
            let entry = entry?;
            if entry.path().extension().is_some_and(|extension| extension == EXTENSION) {
                entries.push((entry.metadata()?.modified()?, entry.path()));
            }
        }
        entries.sort();
        let surplus = entries.len().saturating_sub(ENTRIES);
        entries[..surplus].iter().try_for_each(|(_, path)| fs::remove_file(path))
    }

    fn path(&self, digest: ContentHash) -> PathBuf {
        self.folder.join(format!("{digest}-{}.{EXTENSION}", self.engine))
    }

    /// What makes the seal, once it has seen the code.
    fn sealer(&self, digest: ContentHash) -> Xxh3 {
        let mut sealer = Xxh3::new();
        sealer.update(&digest.0);
        sealer.update(&self.engine.0);
        sealer
    }
}

fn engine_hash(engine: &Engine) -> ContentHash {
    struct Collected(blake3::Hasher);
    impl std::hash::Hasher for Collected {
        fn write(&mut self, bytes: &[u8]) {
            self.0.update(bytes);
        }
        fn finish(&self) -> u64 {
            0
        }
    }
    let mut collected = Collected(blake3::Hasher::new());
    std::hash::Hash::hash(&engine.precompile_compatibility_hash(), &mut collected);
    ContentHash::of(collected.0.finalize().as_bytes())
}

#[expect(
    unsafe_code,
    reason = "the code was compiled by this host: `load` checked the folder and the seal"
)]
fn deserialize(engine: &Engine, path: &Path) -> wasmtime::Result<Component> {
    // SAFETY: `path` holds what `Component::serialize` returned to this build of rollcall, unaltered since, and a seal that no
    // section covers. An entry is replaced by renaming or removed, neither of which reaches what is mapped.
    unsafe { Component::deserialize_file(engine, path) }
}

#[cfg(unix)]
fn create_private(folder: &Path) -> io::Result<()> {
    use std::os::unix::fs::DirBuilderExt as _;
    fs::DirBuilder::new().recursive(true).mode(0o700).create(folder)
}

#[cfg(not(unix))]
fn create_private(folder: &Path) -> io::Result<()> {
    fs::create_dir_all(folder)
}

/// Whether only this user may write into the folder. Proves on the way that it may.
#[cfg(unix)]
fn is_private(folder: &Path) -> io::Result<bool> {
    use std::os::unix::fs::MetadataExt as _;
    let probe = folder.join(format!("probe-{}", std::process::id()));
    let me = fs::File::create(&probe)?.metadata()?.uid();
    fs::remove_file(&probe)?;
    let folder = fs::metadata(folder)?;
    Ok(folder.uid() == me && folder.mode() & 0o022 == 0)
}

#[cfg(not(unix))]
fn is_private(_folder: &Path) -> io::Result<bool> {
    Ok(true)
}
