//! Promises of live reload, with real files and the system's real notices. Every wait ends with what is waited for.

use std::fs;
use std::io::Write;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use tokio::sync::watch;
use tokio::time::{Instant, timeout};
use tokio_util::sync::{CancellationToken, DropGuard};

use super::scan::Snapshot;
use super::sentry::Sentry;
use super::*;
use crate::config::{Subject, Watched};
use crate::port::clock::Clock;

/// Longer than any reload takes on a busy machine; only a broken promise waits for so long.
const PATIENCE: Duration = Duration::from_secs(20);

struct Noon;

impl Clock for Noon {
    fn now_ms(&self) -> i64 {
        43_200_000
    }
}

/// A folder with a mapping in it, and a reloader whose generation is the text of all its mappings.
struct Scene {
    folder: tempfile::TempDir,
    handle: Handle<String>,
    status: watch::Receiver<Status>,
    seen: Arc<std::sync::Mutex<Vec<Changed>>>,
    _stop: DropGuard,
}

/// Only notices wake it, so that a test would wait for ever without them.
fn by_notices() -> Pace {
    Pace { look: Duration::from_hours(1), poll: Duration::from_hours(1), ..Pace::default() }
}

/// A mapping is complete when it ends in `}`; `broken` anywhere in it fails the build.
fn build(folder: &Path) -> Result<Built<String>, String> {
    let mappings = folder.join("mappings");
    let mut paths: Vec<PathBuf> = Vec::new();
    collect(&mappings, &mut paths);
    paths.sort();
    let mut whole = String::new();
    for path in paths {
        let text = fs::read_to_string(&path).map_err(|error| error.to_string())?;
        if text.contains("broken") || !text.ends_with('}') {
            return Err(format!("{}: no map", path.file_name().unwrap().display()));
        }
        whole += &text;
    }
    let config =
        fs::read_to_string(folder.join("rollcall.yaml")).map_err(|error| error.to_string())?;
    let mut watched = watched(folder);
    watched.extend(config.lines().map(|line| Watched::mappings(folder.join(line))));
    for line in config.lines() {
        whole += &fs::read_to_string(folder.join(line).join("a.rhai")).unwrap_or_default();
    }
    Ok(Built { generation: whole, watched })
}

fn collect(folder: &Path, paths: &mut Vec<PathBuf>) {
    for entry in folder.read_dir().into_iter().flatten().filter_map(Result::ok) {
        let path = entry.path();
        if path.is_dir() {
            collect(&path, paths);
        } else if path.extension().is_some_and(|end| end == "rhai")
            && !entry.file_name().as_encoded_bytes().starts_with(b".")
        {
            paths.push(path);
        }
    }
}

fn watched(folder: &Path) -> Vec<Watched> {
    vec![
        Watched::config_file(folder.join("rollcall.yaml")),
        Watched::mappings(folder.join("mappings")),
        Watched::plugins(folder.join("plugins")),
    ]
}

impl Scene {
    async fn new() -> Self {
        Self::with(by_notices(), Sentry::new(), |_| {}).await
    }

    async fn with(
        pace: Pace,
        sentry: Sentry,
        during_build: impl Fn(&Path) + Send + Sync + 'static,
    ) -> Self {
        let folder = tempfile::tempdir().unwrap();
        fs::create_dir_all(folder.path().join("mappings/feishu")).unwrap();
        fs::write(folder.path().join("mappings/feishu/employee.rhai"), "{one}").unwrap();
        fs::write(folder.path().join("rollcall.yaml"), "").unwrap();
        let (seen, root) = (Arc::new(std::sync::Mutex::new(Vec::new())), folder.path().to_owned());
        let log = Arc::clone(&seen);
        let build = move |changed: &Changed| {
            let built = build(&root);
            during_build(&root);
            log.lock().unwrap().push(changed.clone());
            built
        };
        let start =
            Reloader::start_with(watched(folder.path()), pace, Arc::new(Noon), build, sentry);
        let (reloader, handle) = start.await.unwrap();
        let stop = CancellationToken::new();
        tokio::spawn(reloader.run(stop.clone()));
        let status = handle.subscribe();
        Self { folder, handle, status, seen, _stop: stop.drop_guard() }
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    fn mapping(&self) -> PathBuf {
        self.path("mappings/feishu/employee.rhai")
    }

    /// Waits until this text is in force.
    async fn in_force(&mut self, text: &str) {
        let done = timeout(PATIENCE, self.status.wait_for(|_| *self.handle.current() == text))
            .await
            .is_ok();
        assert!(done, "in force: {}, status: {:?}", self.handle.current(), self.handle.status());
    }

    /// Waits until a build has failed.
    async fn failed(&mut self) -> LastError {
        let wait = self.status.wait_for(|status| status.error.is_some());
        timeout(PATIENCE, wait).await.unwrap().unwrap().error.clone().unwrap()
    }
}

fn rename_over(path: &Path, text: &str) {
    let aside = path.with_extension("tmp");
    fs::write(&aside, text).unwrap();
    fs::rename(aside, path).unwrap();
}

#[tokio::test]
async fn a_save_by_rename_is_in_force_within_a_second() {
    let mut scene = Scene::new().await;
    let begin = Instant::now();
    rename_over(&scene.mapping(), "{two}");
    scene.in_force("{two}").await;
    assert!(begin.elapsed() < Duration::from_secs(1), "took {:?}", begin.elapsed());
    assert_eq!((scene.handle.status().generation, *scene.handle.generations().borrow()), (2, 2));
}

#[tokio::test]
async fn a_save_by_truncate_and_write_is_in_force_within_a_second() {
    let mut scene = Scene::new().await;
    let begin = Instant::now();
    fs::write(scene.mapping(), "{two}").unwrap();
    scene.in_force("{two}").await;
    assert!(begin.elapsed() < Duration::from_secs(1), "took {:?}", begin.elapsed());
}

#[tokio::test]
async fn a_save_that_moves_the_old_file_away_first_is_seen() {
    let mut scene = Scene::new().await;
    fs::rename(scene.mapping(), scene.path("mappings/feishu/employee.rhai~")).unwrap();
    fs::write(scene.mapping(), "{two}").unwrap();
    scene.in_force("{two}").await;
}

#[tokio::test]
async fn a_second_save_through_a_new_inode_is_seen_too() {
    let mut scene = Scene::new().await;
    for text in ["{two}", "{three}", "{four}"] {
        rename_over(&scene.mapping(), text);
        scene.in_force(text).await;
    }
}

#[tokio::test]
async fn a_half_written_file_never_takes_effect() {
    let mut scene = Scene::new().await;
    let mut file = fs::File::create(scene.mapping()).unwrap();
    file.write_all(b"{half").unwrap();
    let error = scene.failed().await;
    assert_eq!(error.text, "employee.rhai: no map");
    assert_eq!(*scene.handle.current(), "{one}");
    file.write_all(b" and half}").unwrap();
    drop(file);
    scene.in_force("{half and half}").await;
    assert_eq!(scene.handle.status().error, None);
    assert_eq!(scene.handle.status().generation, 2);
}

#[tokio::test]
async fn what_was_read_while_files_changed_is_thrown_away() {
    let builds = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&builds);
    // The second build reads `{two}`; before it is done the file is saved again.
    let during = move |root: &Path| {
        if count.fetch_add(1, Ordering::SeqCst) == 1 {
            fs::write(root.join("mappings/feishu/employee.rhai"), "{three}").unwrap();
        }
    };
    let mut scene = Scene::with(by_notices(), Sentry::new(), during).await;
    fs::write(scene.mapping(), "{two}").unwrap();
    scene.in_force("{three}").await;
    assert_eq!(scene.handle.status().generation, 2, "`two` was never in force");
}

#[tokio::test]
async fn a_save_during_the_first_build_is_not_missed() {
    let builds = AtomicUsize::new(0);
    let during = move |root: &Path| {
        if builds.fetch_add(1, Ordering::SeqCst) == 0 {
            fs::write(root.join("mappings/feishu/employee.rhai"), "{two}").unwrap();
        }
    };
    let scene = Scene::with(by_notices(), Sentry::new(), during).await;
    assert_eq!((scene.handle.current().as_str(), scene.handle.status().generation), ("{two}", 1));
}

#[tokio::test]
async fn a_broken_edit_keeps_the_old_generation_and_its_mending_brings_the_new_one() {
    let mut scene = Scene::new().await;
    rename_over(&scene.mapping(), "{broken}");
    let error = scene.failed().await;
    assert_eq!(error.at_ms, 43_200_000);
    assert_eq!(error.paths, [scene.mapping()]);
    assert_eq!((scene.handle.current().as_str(), scene.handle.status().generation), ("{one}", 1));
    rename_over(&scene.mapping(), "{mended}");
    scene.in_force("{mended}").await;
    assert_eq!(scene.handle.status().error, None);
}

#[tokio::test]
async fn taking_a_broken_edit_back_clears_the_error_and_builds_nothing() {
    let mut scene = Scene::new().await;
    rename_over(&scene.mapping(), "{broken}");
    scene.failed().await;
    rename_over(&scene.mapping(), "{one}");
    timeout(PATIENCE, scene.status.wait_for(|status| status.error.is_none()))
        .await
        .unwrap()
        .unwrap();
    assert_eq!(scene.handle.status().generation, 1);
    assert_eq!(scene.seen.lock().unwrap().len(), 2, "the first build and the broken one");
}

#[tokio::test]
async fn two_hundred_rapid_edits_end_in_the_last_content() {
    let mut scene = Scene::new().await;
    let mapping = scene.mapping();
    let writer = tokio::task::spawn_blocking(move || {
        for edit in 0..200 {
            let text = format!("{{edit {edit:03}}}");
            if edit % 2 == 0 {
                fs::write(&mapping, text).unwrap();
            } else {
                rename_over(&mapping, &text);
            }
        }
    });
    writer.await.unwrap();
    scene.in_force("{edit 199}").await;
}

#[tokio::test]
async fn a_folder_that_comes_later_is_watched_as_deep_as_it_goes() {
    let mut scene = Scene::new().await;
    fs::create_dir_all(scene.path("mappings/zoo/deep")).unwrap();
    fs::write(scene.path("mappings/zoo/deep/a.rhai"), "{deep}").unwrap();
    scene.in_force("{one}{deep}").await;
    fs::write(scene.path("mappings/zoo/deep/a.rhai"), "{deeper}").unwrap();
    scene.in_force("{one}{deeper}").await;
}

#[tokio::test]
async fn a_watched_folder_that_is_replaced_is_watched_again() {
    let mut scene = Scene::new().await;
    fs::create_dir_all(scene.path("next/feishu")).unwrap();
    fs::write(scene.path("next/feishu/employee.rhai"), "{two}").unwrap();
    fs::remove_dir_all(scene.path("mappings")).unwrap();
    fs::rename(scene.path("next"), scene.path("mappings")).unwrap();
    scene.in_force("{two}").await;
    fs::write(scene.mapping(), "{three}").unwrap();
    scene.in_force("{three}").await;
}

#[tokio::test]
async fn a_folder_that_was_not_there_at_first_is_noticed() {
    let mut scene = Scene::new().await;
    fs::create_dir(scene.path("plugins")).unwrap();
    fs::write(scene.path("plugins/feishu.wasm"), "wasm").unwrap();
    timeout(PATIENCE, scene.status.wait_for(|status| status.generation == 2))
        .await
        .unwrap()
        .unwrap();
    let changed = scene.seen.lock().unwrap().last().unwrap().clone();
    assert_eq!(changed.subjects, [Subject::Plugins].into());
    assert_eq!(changed.paths, [scene.path("plugins/feishu.wasm")]);
}

#[cfg(unix)]
#[tokio::test]
async fn a_file_behind_a_link_is_watched_where_it_really_is() {
    let mut scene = Scene::new().await;
    let elsewhere = tempfile::tempdir().unwrap();
    let real = elsewhere.path().join("real");
    fs::write(&real, "{two}").unwrap();
    fs::remove_file(scene.mapping()).unwrap();
    std::os::unix::fs::symlink(&real, scene.mapping()).unwrap();
    scene.in_force("{two}").await;
    fs::write(&real, "{three}").unwrap();
    scene.in_force("{three}").await;
    rename_over(&real, "{four}");
    scene.in_force("{four}").await;
}

#[cfg(unix)]
#[tokio::test]
async fn a_link_that_is_swapped_is_seen() {
    let mut scene = Scene::new().await;
    for (version, text) in [("v1", "{v1}"), ("v2", "{v2}")] {
        fs::create_dir_all(scene.path(version)).unwrap();
        fs::write(scene.path(version).join("employee.rhai"), text).unwrap();
    }
    fs::remove_dir_all(scene.path("mappings/feishu")).unwrap();
    std::os::unix::fs::symlink("../v1", scene.path("mappings/feishu")).unwrap();
    scene.in_force("{v1}").await;
    std::os::unix::fs::symlink("../v2", scene.path("mappings/next")).unwrap();
    fs::rename(scene.path("mappings/next"), scene.path("mappings/feishu")).unwrap();
    scene.in_force("{v2}").await;
    fs::write(scene.path("v2/employee.rhai"), "{v3}").unwrap();
    scene.in_force("{v3}").await;
}

#[cfg(unix)]
#[test]
fn links_in_a_circle_end() {
    let folder = tempfile::tempdir().unwrap();
    fs::write(folder.path().join("a.rhai"), "{a}").unwrap();
    for link in ["round", "and", "round2"] {
        std::os::unix::fs::symlink(".", folder.path().join(link)).unwrap();
    }
    let watched = [Watched::mappings(folder.path().to_owned())];
    let seen = Snapshot::take(&watched, &Snapshot::default());
    assert_eq!(seen.differences(&Snapshot::default()).len(), 1);
}

#[tokio::test]
async fn editor_droppings_build_nothing() {
    let mut scene = Scene::new().await;
    for name in [
        ".employee.rhai.swp",
        "4913",
        "employee.rhai~",
        "employee.rhai.tmp",
        "#employee.rhai#",
        ".#employee.rhai",
    ] {
        fs::write(scene.path("mappings/feishu").join(name), "x").unwrap();
    }
    fs::write(scene.path("plugins.txt"), "x").unwrap();
    fs::write(scene.mapping(), "{two}").unwrap();
    scene.in_force("{two}").await;
    let seen = scene.seen.lock().unwrap();
    assert_eq!(seen.len(), 2);
    assert_eq!(seen[1].paths, [scene.mapping()]);
}

#[tokio::test]
async fn a_save_without_a_change_builds_nothing() {
    let mut scene = Scene::new().await;
    fs::write(scene.mapping(), "{one}").unwrap();
    fs::write(scene.path("mappings/b.rhai"), "{b}").unwrap();
    scene.in_force("{b}{one}").await;
    assert_eq!(scene.seen.lock().unwrap().last().unwrap().paths, [scene.path("mappings/b.rhai")]);
}

#[tokio::test]
async fn paths_that_a_build_newly_names_are_watched_from_then_on() {
    let mut scene = Scene::new().await;
    fs::create_dir(scene.path("layer")).unwrap();
    fs::write(scene.path("layer/a.rhai"), "{a}").unwrap();
    fs::write(scene.path("rollcall.yaml"), "layer").unwrap();
    scene.in_force("{one}{a}").await;
    fs::write(scene.path("layer/a.rhai"), "{b}").unwrap();
    scene.in_force("{one}{b}").await;
}

#[tokio::test]
async fn without_notices_the_clock_finds_the_change() {
    let pace =
        Pace { poll: Duration::from_millis(50), look: Duration::from_hours(1), ..Pace::default() };
    let mut scene =
        Scene::with(pace, Sentry::deaf("the limit of watches is reached".to_owned()), |_| {}).await;
    assert_eq!(
        scene.handle.status().watching,
        Watching::Clock { reason: "the limit of watches is reached".to_owned() }
    );
    fs::write(scene.mapping(), "{two}").unwrap();
    scene.in_force("{two}").await;
    // Same length, within one tick of the file system's clock.
    fs::write(scene.mapping(), "{thr}").unwrap();
    scene.in_force("{thr}").await;
}

#[tokio::test]
async fn a_first_build_that_fails_says_why() {
    let folder = tempfile::tempdir().unwrap();
    let start =
        Reloader::<String>::start(watched(folder.path()), Pace::default(), Arc::new(Noon), |_| {
            Err("no mappings")
        });
    assert_eq!(start.await.err().as_deref(), Some("no mappings"));
}

#[tokio::test]
async fn builds_that_never_agree_on_their_files_end() {
    let (folder, count) = (tempfile::tempdir().unwrap(), AtomicUsize::new(0));
    let root = folder.path().to_owned();
    let build = move |_: &Changed| {
        let next = root.join(count.fetch_add(1, Ordering::SeqCst).to_string());
        Ok::<_, String>(Built { generation: (), watched: vec![Watched::config_file(next)] })
    };
    let start = Reloader::start(watched(folder.path()), by_notices(), Arc::new(Noon), build).await;
    assert!(start.err().unwrap().starts_with("each build names other files than the one before"));
}

#[tokio::test]
async fn a_build_that_panics_keeps_the_old_generation() {
    let calls = Arc::new(AtomicUsize::new(0));
    let during = move |_: &Path| assert!(calls.fetch_add(1, Ordering::SeqCst) != 1, "boom");
    let mut scene = Scene::with(by_notices(), Sentry::new(), during).await;
    fs::write(scene.mapping(), "{two}").unwrap();
    assert!(scene.failed().await.text.contains("a bug in rollcall"));
    assert_eq!(*scene.handle.current(), "{one}");
    fs::write(scene.mapping(), "{three}").unwrap();
    scene.in_force("{three}").await;
}

#[tokio::test]
async fn a_generation_that_runs_out_is_built_anew_without_an_edit() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("rollcall.yaml");
    fs::write(&file, "").unwrap();
    let builds = Arc::new(AtomicUsize::new(0));
    let count = Arc::clone(&builds);
    let watched = vec![Watched::config_file(file)];
    let again = watched.clone();
    let build = move |_: &Changed| {
        let generation = count.fetch_add(1, Ordering::Relaxed) + 1;
        Ok::<_, String>(Built { generation, watched: again.clone() })
    };
    let (reloader, handle) =
        Reloader::start(watched, by_notices(), Arc::new(Noon), build).await.unwrap();
    let mut generations = handle.generations();
    let stop = CancellationToken::new();
    // The first one is over at noon, which it is.
    let reloader = reloader.renewed(|generation| (*generation == 1).then_some(Noon.now_ms()));
    tokio::spawn(reloader.run(stop.clone()));
    timeout(PATIENCE, generations.wait_for(|number| *number == 2)).await.unwrap().unwrap();
    assert_eq!((*handle.current(), builds.load(Ordering::Relaxed)), (2, 2));
    stop.cancel();
}
