//! What the watched files are right now: a snapshot to compare with an earlier one.
//!
//! A file counts by its content. Its size, time and inode only spare reading it again, and not while they are fresh: a
//! second write within one tick of the file system's clock leaves all three as they were.

use std::collections::{BTreeMap, BTreeSet};
use std::fs::{File, Metadata};
use std::io::Read;
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant, SystemTime};

use crate::config::{Extent, Subject, Watched};
use crate::model::hash::ContentHash;

/// How long a file's size, time and inode must have stood before they are trusted.
const FRESH: Duration = Duration::from_secs(2);
/// How deep folders are followed.
const DEPTH: usize = 12;
/// Larger files count by size, time and inode alone.
const READ_BYTES: u64 = 64 << 20;

/// The watched files, and the folders that tell of changes to them.
#[derive(Clone, Debug, Default)]
pub(super) struct Snapshot {
    files: BTreeMap<PathBuf, Print>,
    posts: Posts,
}

/// Folders to listen at, by real path.
pub(super) type Posts = BTreeMap<PathBuf, Post>;

/// What is listened for in a folder.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(super) struct Post {
    /// Which folder it is: another one by the same name has to be listened at anew.
    pub(super) identity: (u64, u64),
    /// The names in it that matter; `None` when all do.
    pub(super) names: Option<BTreeSet<std::ffi::OsString>>,
}

#[derive(Clone, Debug)]
struct Print {
    subject: Subject,
    stat: Stat,
    /// `None` when it could not be read.
    content: Option<ContentHash>,
    /// When `stat` was first seen, and when the content was read.
    seen: Instant,
    read: Instant,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    size: u64,
    modified: Option<SystemTime>,
    identity: (u64, u64),
}

impl Snapshot {
    /// Looks at the files; `before` spares reading those that cannot have changed.
    pub(super) fn take(watched: &[Watched], before: &Self) -> Self {
        let mut scan = Scan { now: Instant::now(), before, found: Self::default() };
        for Watched { subject, path, extent } in watched {
            let path = std::path::absolute(path).unwrap_or_else(|_| path.clone());
            scan.listen_above(&path);
            match extent {
                Extent::File => scan.file(&path, *subject),
                Extent::Folder(endings) => {
                    scan.folder(&path, *subject, endings, &mut Vec::new(), 1);
                }
                Extent::Tree(endings) => {
                    scan.folder(&path, *subject, endings, &mut Vec::new(), DEPTH);
                }
            }
        }
        scan.found
    }

    /// What is different here, with what it is about.
    pub(super) fn differences(&self, other: &Self) -> BTreeMap<PathBuf, Subject> {
        let content = |files: &BTreeMap<PathBuf, Print>, path: &Path| {
            files.get(path).map(|print| print.content)
        };
        let all = self.files.iter().chain(&other.files);
        all.filter(|(path, _)| content(&self.files, path) != content(&other.files, path))
            .map(|(path, print)| (path.clone(), print.subject))
            .collect()
    }

    /// Whether every file has the content, size and time that it has there.
    pub(super) fn same(&self, other: &Self) -> bool {
        let stat = |print: &Print| (print.content, print.stat.size, print.stat.modified);
        self.files.len() == other.files.len()
            && self
                .files
                .iter()
                .zip(&other.files)
                .all(|((a, x), (b, y))| a == b && stat(x) == stat(y))
    }

    /// The folders to listen at.
    pub(super) fn posts(&self) -> &Posts {
        &self.posts
    }
}

struct Scan<'a> {
    now: Instant,
    before: &'a Snapshot,
    found: Snapshot,
}

impl Scan<'_> {
    fn file(&mut self, path: &Path, subject: Subject) {
        let Ok(meta) = path.metadata() else { return };
        if !meta.is_file() {
            return;
        }
        if path.is_symlink()
            && let Ok(real) = path.canonicalize()
        {
            self.listen_above(&real);
        }
        let print = self.print(path, &meta, subject);
        self.found.files.entry(path.to_owned()).or_insert(print);
    }

    fn print(&self, path: &Path, meta: &Metadata, subject: Subject) -> Print {
        let stat =
            Stat { size: meta.len(), modified: meta.modified().ok(), identity: identity(meta) };
        let before = self.before.files.get(path).filter(|before| before.stat == stat);
        let seen = before.map_or(self.now, |before| before.seen);
        match before {
            Some(before) if before.read.duration_since(before.seen) >= FRESH => {
                Print { subject, ..before.clone() }
            }
            Some(_) | None => {
                Print { subject, stat, content: content(path, stat), seen, read: self.now }
            }
        }
    }

    /// Looks at a folder; `above` are the real paths on the way to it, so that links in a circle end.
    fn folder(
        &mut self,
        path: &Path,
        subject: Subject,
        endings: &[&str],
        above: &mut Vec<PathBuf>,
        depth: usize,
    ) {
        let (Ok(real), Ok(entries)) = (path.canonicalize(), path.read_dir()) else { return };
        if above.len() >= depth || above.contains(&real) {
            return;
        }
        above.push(real);
        self.listen(path, None);
        for entry in entries.filter_map(Result::ok) {
            let (path, name) = (entry.path(), entry.file_name());
            // Hidden names are editors' and version control's own.
            if name.as_encoded_bytes().starts_with(b".") {
                continue;
            }
            if path.is_dir() {
                self.folder(&path, subject, endings, above, depth);
            } else if path.extension().is_some_and(|end| endings.iter().any(|known| end == *known))
            {
                self.file(&path, subject);
            }
        }
        above.pop();
    }

    /// Listens for a path in the nearest folder above it that is there.
    fn listen_above(&mut self, path: &Path) {
        let mut path = path;
        while let (Some(folder), Some(name)) = (path.parent(), path.file_name()) {
            if folder.is_dir() {
                self.listen(folder, Some(name));
                return;
            }
            path = folder;
        }
    }

    fn listen(&mut self, folder: &Path, name: Option<&std::ffi::OsStr>) {
        let (Ok(real), Ok(meta)) = (folder.canonicalize(), folder.metadata()) else { return };
        let fresh = || Post { identity: identity(&meta), names: Some(BTreeSet::new()) };
        let post = self.found.posts.entry(real).or_insert_with(fresh);
        match name {
            None => post.names = None,
            Some(name) => {
                if let Some(names) = &mut post.names {
                    names.insert(name.to_owned());
                }
            }
        }
    }
}

fn content(path: &Path, stat: Stat) -> Option<ContentHash> {
    if stat.size > READ_BYTES {
        return Some(ContentHash::of(format!("{stat:?}").as_bytes()));
    }
    let mut bytes = Vec::new();
    File::open(path).ok()?.take(READ_BYTES).read_to_end(&mut bytes).ok()?;
    Some(ContentHash::of(&bytes))
}

#[cfg(unix)]
fn identity(meta: &Metadata) -> (u64, u64) {
    use std::os::unix::fs::MetadataExt;
    (meta.dev(), meta.ino())
}

#[cfg(not(unix))]
fn identity(_: &Metadata) -> (u64, u64) {
    (0, 0)
}
