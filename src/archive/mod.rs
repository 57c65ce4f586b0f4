//! Versions of raw records that were replaced, in files that any tool reads:
//! `<folder>/<tenant>/<connection>/<kind>/<run>.jsonl.zst`, one JSON object on a line.
//!
//! ```text
//! zstd -dc archive/acme/feishu/employee/00000042.jsonl.zst | jq .raw.name
//! ```
//! A version is written when the next one replaces it: the newest one is in the state, so a first sync archives nothing. Each
//! group of a run becomes one zstd frame with a checksum, appended to the segment of that run. Not for: deciding what a version
//! is. The invariant: a segment holds whole frames; what a crash left behind the last one is cut before more is added, and
//! passed over when it is read.

mod line;
mod reach;
mod segment;

#[cfg(test)]
mod tests;

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{self, File};
use std::io::Write as _;
use std::ops::ControlFlow;
use std::path::{Path, PathBuf};
use std::sync::{Mutex, PoisonError};

use crate::model::ids::{ConnectionId, RunId, SourceId, TenantId};
use crate::port::archive::{Archive, ArchiveError, Reach, Retention, Shelf, Version};

/// Milliseconds of a day.
const DAY_MS: i64 = 86_400_000;
/// Between two looks at all segments of a connection: events bring a run each, and each run adds a segment.
const PRUNE_EVERY_MS: i64 = 3_600_000;

/// An archive in a folder.
#[derive(Debug)]
pub struct FileArchive {
    folder: PathBuf,
    retention: Retention,
    /// Segments written since the last flush.
    dirty: Mutex<BTreeSet<PathBuf>>,
    /// When each connection's folder was pruned last.
    pruned: Mutex<BTreeMap<PathBuf, i64>>,
}

impl FileArchive {
    /// An archive in `folder`, which is made with the first version.
    pub fn new(folder: PathBuf, retention: Retention) -> Self {
        Self { folder, retention, dirty: Mutex::default(), pruned: Mutex::default() }
    }

    fn connection(&self, tenant: &TenantId, connection: &ConnectionId) -> PathBuf {
        self.folder.join(tenant.as_str()).join(connection.as_str())
    }

    /// Whether it is time to prune a connection's folder; the next time is later then.
    fn is_due(&self, folder: &Path, now_ms: i64) -> bool {
        let mut pruned = self.pruned.lock().unwrap_or_else(PoisonError::into_inner);
        let due = pruned.get(folder).is_none_or(|last| now_ms - last >= PRUNE_EVERY_MS);
        if due {
            pruned.insert(folder.to_owned(), now_ms);
        }
        due
    }

    fn folder_of(&self, place: &Shelf) -> PathBuf {
        self.connection(&place.tenant, &place.connection).join(place.entity.name())
    }
}

impl Archive for FileArchive {
    fn append(&self, place: &Shelf, run: RunId, versions: &[Version]) -> Result<(), ArchiveError> {
        if versions.is_empty() {
            return Ok(());
        }
        let folder = self.folder_of(place);
        let path = folder.join(segment::name(run));
        let mut dirty = self.dirty.lock().unwrap_or_else(PoisonError::into_inner);
        let known = dirty.remove(&path);
        let write = || {
            fs::create_dir_all(&folder)?;
            // What this process added itself since the last flush is whole.
            if !known {
                segment::mend(&path)?;
            }
            let frame = segment::pack(versions)?;
            File::options().create(true).append(true).open(&path)?.write_all(&frame)
        };
        write().map_err(|cause| fault(&path, "written", &cause))?;
        dirty.insert(path);
        Ok(())
    }

    fn flush(&self) -> Result<(), ArchiveError> {
        let dirty = std::mem::take(&mut *self.dirty.lock().unwrap_or_else(PoisonError::into_inner));
        for path in dirty {
            let synced = File::open(&path).and_then(|file| file.sync_all());
            synced.map_err(|cause| fault(&path, "written", &cause))?;
        }
        Ok(())
    }

    fn versions(&self, place: &Shelf, id: Option<&SourceId>) -> Result<Vec<Version>, ArchiveError> {
        let mut found: Vec<Version> = Vec::new();
        for path in segments(&self.folder_of(place))? {
            let keep = |version| {
                found.push(version);
                ControlFlow::Continue(())
            };
            segment::each(&path, id, keep).map_err(|cause| fault(&path, "read", &cause))?;
        }
        // Runs are numbered anew when the state is lost; time goes on.
        found.sort_by(|a, b| (a.id.as_str(), a.until_ms).cmp(&(b.id.as_str(), b.until_ms)));
        // Two versions of a record in a row always differ, unless a run was killed and repeated.
        found.dedup_by(|later, kept| {
            let same = later.id == kept.id && later.ended == kept.ended && later.raw == kept.raw;
            if same {
                (kept.until_run, kept.until_ms) = (later.until_run, later.until_ms);
            }
            same
        });
        found.sort_by_key(|version| version.until_ms);
        Ok(found)
    }

    fn since(
        &self,
        place: &Shelf,
        ms: i64,
        take: &mut dyn FnMut(Version) -> ControlFlow<()>,
    ) -> Result<(), ArchiveError> {
        let mut late = Vec::new();
        for path in segments(&self.folder_of(place))? {
            let at = segment::until_ms(&path).map_err(|cause| fault(&path, "read", &cause))?;
            if at > ms {
                late.push((at, path));
            }
        }
        late.sort();
        for (_, path) in late {
            let read = segment::each(&path, None, &mut *take);
            let to_its_end = read.map_err(|cause| fault(&path, "read", &cause))?;
            if !to_its_end {
                break;
            }
        }
        Ok(())
    }

    fn reach(&self, tenant: &TenantId, connection: &ConnectionId) -> Result<Reach, ArchiveError> {
        reach::read(&self.connection(tenant, connection))
    }

    fn is_empty(&self, place: &Shelf) -> Result<bool, ArchiveError> {
        Ok(segments(&self.folder_of(place))?.is_empty())
    }

    fn prune(
        &self,
        tenant: &TenantId,
        connection: &ConnectionId,
        now_ms: i64,
    ) -> Result<usize, ArchiveError> {
        let all = self.connection(tenant, connection);
        if !self.is_due(&all, now_ms) {
            return Ok(0);
        }
        let mut found = Vec::new();
        for folder in folders(&all)? {
            for path in segments(&folder)? {
                let read =
                    segment::until_ms(&path).and_then(|at| Ok((at, fs::metadata(&path)?.len())));
                let (at, bytes) = read.map_err(|cause| fault(&path, "read", &cause))?;
                found.push((at, path, bytes));
            }
        }
        found.sort();
        let oldest_ms = now_ms - i64::from(self.retention.days) * DAY_MS;
        let mut bytes: u64 = found.iter().map(|(_, _, bytes)| bytes).sum();
        let mut gone = Vec::new();
        for (at, path, size) in found {
            if at >= oldest_ms && bytes <= self.retention.bytes {
                break;
            }
            bytes -= size;
            gone.push((at, path));
        }
        if let Some((last, _)) = gone.last() {
            reach::note(&all, *last)?;
        }
        gone.iter().try_for_each(|(_, path)| remove(path))?;
        Ok(gone.len())
    }
}

fn remove(path: &Path) -> Result<(), ArchiveError> {
    fs::remove_file(path).map_err(|cause| fault(path, "written", &cause))
}

/// The segments of a shelf in the order of their runs; none when there is no shelf.
fn segments(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| segment::is_one(path));
    paths.sort();
    Ok(paths)
}

fn folders(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let mut paths = entries(folder)?;
    paths.retain(|path| path.is_dir());
    Ok(paths)
}

fn entries(folder: &Path) -> Result<Vec<PathBuf>, ArchiveError> {
    let read = match fs::read_dir(folder) {
        Err(cause) if cause.kind() == std::io::ErrorKind::NotFound => return Ok(Vec::new()),
        read => read.and_then(|all| all.map(|entry| Ok(entry?.path())).collect()),
    };
    read.map_err(|cause| fault(folder, "read", &cause))
}

fn fault(path: &Path, verb: &'static str, cause: &std::io::Error) -> ArchiveError {
    ArchiveError { path: path.display().to_string(), verb, reason: cause.to_string() }
}
