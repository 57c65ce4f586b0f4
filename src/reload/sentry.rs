//! The file system's notices, as one signal: look again. Where the system has none to give, the caller looks by the clock.

use std::collections::{BTreeMap, BTreeSet};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};

use notify::event::{AccessKind, AccessMode, ModifyKind};
use notify::{ErrorKind, Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher as _};
use tokio::sync::Notify;

use super::scan::{Post, Posts};

/// Listens at folders.
pub(super) struct Sentry {
    signal: Arc<Notify>,
    heard: Arc<Mutex<Heard>>,
    /// `None` when the system gives no notices.
    ears: Option<RecommendedWatcher>,
    silence: Option<String>,
}

/// What the notices' thread shares with this one.
#[derive(Default)]
struct Heard {
    armed: Posts,
    /// Folders that went away or moved: listening there has ended.
    lost: BTreeSet<PathBuf>,
    failure: Option<String>,
}

impl Sentry {
    /// Starts listening, nowhere yet.
    pub(super) fn new() -> Self {
        let (signal, heard) = (Arc::new(Notify::new()), Arc::new(Mutex::new(Heard::default())));
        let (wake, shared) = (Arc::clone(&signal), Arc::clone(&heard));
        let handler = move |notice: notify::Result<Event>| {
            if lock(&shared).takes(&notice) {
                wake.notify_one();
            }
        };
        match RecommendedWatcher::new(handler, notify::Config::default()) {
            Ok(ears) => Self { signal, heard, ears: Some(ears), silence: None },
            Err(error) => Self::deaf(error.to_string()),
        }
    }

    /// One that hears nothing, for a system without notices.
    pub(super) fn deaf(reason: String) -> Self {
        let mut sentry =
            Self { signal: Arc::default(), heard: Arc::default(), ears: None, silence: None };
        sentry.fall_silent(reason);
        sentry
    }

    /// What is signalled when something may have changed.
    pub(super) fn signal(&self) -> Arc<Notify> {
        Arc::clone(&self.signal)
    }

    /// Why there are no notices, when there are none.
    pub(super) fn silence(&self) -> Option<&str> {
        self.silence.as_deref()
    }

    /// Listens at these folders and no others; tells whether one is new, whose files must then be looked at once more.
    pub(super) fn arm(&mut self, posts: &Posts) -> bool {
        // A copy: notices go on being judged by what is armed so far, and no lock is held while listening begins.
        let Heard { mut armed, lost, failure } = lock(&self.heard).hand_over();
        if let Some(failure) = failure {
            self.fall_silent(failure);
        }
        let kept = |path: &PathBuf, post: &Post| {
            posts.get(path).is_some_and(|wanted| wanted.identity == post.identity)
                && !lost.contains(path)
        };
        let gone: Vec<PathBuf> =
            armed.iter().filter(|(path, post)| !kept(path, post)).map(|(p, _)| p.clone()).collect();
        for path in gone {
            armed.remove(&path);
            self.leave(&path);
        }
        let mut fresh = false;
        for (path, post) in posts {
            let before = armed.get(path);
            let same = before == Some(post);
            if same || before.is_some() || self.listen(path) {
                armed.insert(path.clone(), post.clone());
                fresh |= !same;
            }
        }
        lock(&self.heard).armed = armed;
        fresh
    }

    fn listen(&mut self, path: &Path) -> bool {
        let Some(ears) = &mut self.ears else { return false };
        match ears.watch(path, RecursiveMode::NonRecursive) {
            Ok(()) => true,
            // Gone since it was seen; the next look finds out.
            Err(error) if matches!(error.kind, ErrorKind::PathNotFound) => false,
            Err(error) => {
                self.fall_silent(error.to_string());
                false
            }
        }
    }

    fn leave(&mut self, path: &Path) {
        if let Some(ears) = &mut self.ears
            && let Err(error) = ears.unwatch(path)
        {
            tracing::trace!(%error, "a folder was no longer listened at");
        }
    }

    fn fall_silent(&mut self, reason: String) {
        tracing::warn!(%reason, "no notices of file changes; looking at the files by the clock instead");
        self.ears = None;
        self.silence = Some(reason);
    }
}

impl Heard {
    /// What is armed, and what happened since the last time.
    fn hand_over(&mut self) -> Self {
        let (lost, failure) = (std::mem::take(&mut self.lost), self.failure.take());
        Self { armed: self.armed.clone(), lost, failure }
    }

    /// Whether a notice is a reason to look.
    fn takes(&mut self, notice: &notify::Result<Event>) -> bool {
        let event = match notice {
            Ok(event) => event,
            Err(error) => {
                self.failure = Some(error.to_string());
                return true;
            }
        };
        match event.kind {
            EventKind::Access(AccessKind::Close(AccessMode::Write)) => {}
            // Looking is itself an access.
            EventKind::Access(_) => return false,
            EventKind::Remove(_) | EventKind::Modify(ModifyKind::Name(_)) => {
                self.lost.extend(
                    event.paths.iter().filter(|path| self.armed.contains_key(*path)).cloned(),
                );
            }
            EventKind::Any | EventKind::Create(_) | EventKind::Modify(_) | EventKind::Other => {}
        }
        event.need_rescan() || event.paths.iter().any(|path| matters(&self.armed, path))
    }
}

fn matters(armed: &BTreeMap<PathBuf, Post>, path: &Path) -> bool {
    let in_folder = || {
        let post = armed.get(path.parent()?)?;
        let name = path.file_name()?;
        Some(post.names.as_ref().is_none_or(|names| names.contains(name)))
    };
    armed.contains_key(path) || in_folder().unwrap_or(false)
}

fn lock(heard: &Mutex<Heard>) -> MutexGuard<'_, Heard> {
    heard.lock().unwrap_or_else(PoisonError::into_inner)
}
