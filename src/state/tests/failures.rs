//! A store on disk that cannot be opened, read or written: a clear error, a process that goes on.

use super::*;

use std::fs;
use std::path::Path;

use crate::state::format::Step;
use crate::state::trees::open_sled;

fn open(folder: &Path) -> Result<SledStore, StoreError> {
    SledStore::open(folder, Options::default())
}

/// What sled itself holds of a store that was closed.
fn sleds_own(folder: &Path) -> sled::Db {
    open_sled(&sled::Config::new().path(folder.join("sled"))).unwrap()
}

#[test]
fn a_folder_has_one_holder_at_a_time() {
    let folder = tempfile::tempdir().unwrap();
    let first = open(folder.path()).unwrap();
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(&error, StoreError::Locked { .. }), "{error}");
    assert!(error.to_string().contains(folder.path().to_str().unwrap()), "{error}");
    drop(first);
    open(folder.path()).unwrap();
}

#[test]
fn a_store_is_there_again_after_reopening_its_folder_at_once() {
    let folder = tempfile::tempdir().unwrap();
    for n in 0..10 {
        let store = open(folder.path()).unwrap();
        assert_eq!(keys(&store, Space::Index, "", None).len(), n);
        store.write(Space::Index, vec![put(&n.to_string(), "")]).unwrap();
    }
}

#[test]
fn a_folder_that_cannot_be_made_is_named() {
    let folder = tempfile::tempdir().unwrap();
    let file = folder.path().join("file");
    fs::write(&file, "").unwrap();
    let error = open(&file.join("state")).unwrap_err();
    assert!(matches!(&error, StoreError::Disk { .. }), "{error}");
    assert!(error.to_string().contains("file/state"), "{error}");
}

#[test]
fn files_that_cannot_be_made_are_a_disk_error() {
    let folder = tempfile::tempdir().unwrap();
    // Where sled wants a folder there is a file: even root is refused.
    fs::write(folder.path().join("sled"), "").unwrap();
    assert!(matches!(open(folder.path()).unwrap_err(), StoreError::Disk { .. }));
}

#[test]
fn a_read_only_folder_is_a_disk_error() {
    use std::os::unix::fs::PermissionsExt;
    let folder = tempfile::tempdir().unwrap();
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o555)).unwrap();
    let heeded = fs::write(folder.path().join("probe"), "").is_err();
    let opened = open(folder.path());
    fs::set_permissions(folder.path(), fs::Permissions::from_mode(0o755)).unwrap();
    // Root writes anywhere; there the folder simply works.
    assert_eq!(matches!(opened, Err(StoreError::Disk { .. })), heeded);
}

#[test]
fn a_newer_format_asks_for_an_upgrade_and_is_left_alone() {
    let folder = tempfile::tempdir().unwrap();
    let newer: &[Step] = &[|_, _| Ok(()), |_, _| Ok(()), |_, _| Ok(())];
    drop(SledStore::open_with(folder.path(), Options::default(), newer).unwrap());
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Newer { found: 4, known: 3, .. }), "{error}");
    drop(SledStore::open_with(folder.path(), Options::default(), newer).unwrap());
}

#[test]
fn an_older_format_is_brought_up_step_by_step() {
    fn mark(db: &sled::Db, with: &str) -> Result<(), crate::state::sled_error::Failure> {
        let old = db.get("steps")?.unwrap_or_default();
        db.insert("steps", [&old, with.as_bytes()].concat())?;
        Ok(())
    }
    let folder = tempfile::tempdir().unwrap();
    drop(SledStore::open_with(folder.path(), Options::default(), &[]).unwrap());
    let steps: &[Step] = &[|db, _| mark(db, "2"), |db, _| mark(db, "3")];
    for _ in 0..2 {
        drop(SledStore::open_with(folder.path(), Options::default(), steps).unwrap());
        let db = sleds_own(folder.path());
        assert_eq!(db.get("steps").unwrap().unwrap(), "23", "each step once");
    }
}

#[test]
fn small_pairs_that_lie_loose_are_packed() {
    let folder = tempfile::tempdir().unwrap();
    let key = |n: u32| format!("k{n:05}");
    for crashed in [false, true] {
        drop(SledStore::open_with(folder.path(), Options::default(), &[]).unwrap());
        let db = sleds_own(folder.path());
        let loose = db.open_tree("index").unwrap();
        (0..5_000).for_each(|n| drop(loose.insert(key(n), "x").unwrap()));
        if crashed {
            // A step that was broken off before its number was stored.
            db.insert("format", &1_u32.to_be_bytes()).unwrap();
        }
        drop((loose, db));
        let store = open(folder.path()).unwrap();
        let all: Vec<String> = (0..5_000).map(key).collect();
        assert_eq!(keys(&store, Space::Index, "", None), all, "crashed: {crashed}");
        drop(store);
        let db = sleds_own(folder.path());
        assert!(!db.tree_names().iter().any(|name| **name == *b"index"), "they lie there twice");
        if !crashed {
            db.insert("format", &1_u32.to_be_bytes()).unwrap();
        }
    }
}

#[test]
fn small_pairs_that_lie_loose_come_to_lie_on_a_pile() {
    let all: Vec<String> = (0..3_000).map(|n| format!("k{n:04}")).collect();
    for done in [0, 1_700, 3_000] {
        let folder = tempfile::tempdir().unwrap();
        let store = open(folder.path()).unwrap();
        store.write(Space::Index, all.iter().map(|key| put(key, "x")).collect()).unwrap();
        drop(store);
        // As format 2 left them, or a step that was broken off.
        let db = sleds_own(folder.path());
        let tree = db.open_tree("packed").unwrap();
        for key in &all[done..] {
            let word = tree.remove([&[2, 0, 0, 0, 0], key.as_bytes()].concat()).unwrap().unwrap();
            tree.insert([&[0], key.as_bytes()].concat(), word).unwrap();
        }
        db.insert("format", &2_u32.to_be_bytes()).unwrap();
        drop((tree, db));
        let store = open(folder.path()).unwrap();
        assert_eq!(keys(&store, Space::Index, "", None), all, "{done} were done");
        drop(store);
        let tree = sleds_own(folder.path()).open_tree("packed").unwrap();
        assert_eq!(tree.scan_prefix([0]).count(), 0, "they lie there twice");
    }
}

#[test]
fn state_without_a_format_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let db = sleds_own(folder.path());
    db.open_tree("index").unwrap().insert("k", "v").unwrap();
    drop(db);
    let error = open(folder.path()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}

/// What happens to a file's bytes.
type Damage = fn(&mut Vec<u8>);

#[test]
fn damaged_files_are_an_error_and_no_panic() {
    let folder = tempfile::tempdir().unwrap();
    let original = folder.path().join("original");
    let store = open(&original).unwrap();
    (0..30).for_each(|n| killed::write_batch(&store, n).unwrap());
    store.flush().unwrap();
    drop(store);
    // Opening once more leaves a snapshot of the pages, as a restart does.
    drop(open(&original).unwrap());
    let sled = fs::read_dir(original.join("sled")).unwrap().map(|entry| entry.unwrap().file_name());
    let snapshot =
        sled.map(|name| name.into_string().unwrap()).find(|name| name.starts_with("snap."));
    let snapshot = format!("sled/{}", snapshot.unwrap());
    let damages: [(&str, Damage); 5] = [
        ("sled/conf", |bytes| bytes.truncate(20)),
        (&snapshot, |bytes| bytes[100] ^= 1),
        (&snapshot, |bytes| bytes.truncate(10)),
        ("sled/db", |bytes| bytes[1000..90_000].fill(0)),
        ("values/00000001.values", |bytes| bytes[30_000] ^= 1),
    ];
    for (number, (name, damage)) in damages.into_iter().enumerate() {
        let copy = folder.path().join(number.to_string());
        copy_folder(&original, &copy);
        let mut bytes = fs::read(copy.join(name)).unwrap();
        damage(&mut bytes);
        fs::write(copy.join(name), bytes).unwrap();
        let read = open(&copy).and_then(|store| {
            let scans = [Space::Index, Space::Blob].map(|space| store.scan(space, b"", None));
            scans.into_iter().flatten().try_for_each(|pair| pair.map(drop))
        });
        assert!(matches!(read, Err(StoreError::Damaged { .. })), "{name}: {read:?}");
    }
}

fn copy_folder(from: &Path, to: &Path) {
    fs::create_dir_all(to).unwrap();
    for entry in fs::read_dir(from).unwrap().map(Result::unwrap) {
        let target = to.join(entry.file_name());
        if entry.path().is_dir() {
            copy_folder(&entry.path(), &target);
        } else {
            fs::copy(entry.path(), target).unwrap();
        }
    }
}

#[test]
fn a_full_disk_is_an_error_that_repeats_until_there_is_room_again() {
    for test in ["failures::fill_the_disk_with_values", "failures::fill_the_disk_with_pages"] {
        let folder = tempfile::tempdir().unwrap();
        // No file may grow beyond 2 MiB; the signal that says so is ignored, so writing fails as on a full disk.
        let script = format!("trap \"\" XFSZ; ulimit -f 4096; {BECOME_TEST}");
        let done = child(test, folder.path()).args(["-c", &script]).output().unwrap();
        let told = String::from_utf8_lossy(&done.stdout).into_owned();
        assert!(done.status.success(), "{told}{}", String::from_utf8_lossy(&done.stderr));
        let flushed = told.lines().filter_map(|line| line.strip_prefix("flushed ")).next_back();
        let store = open(folder.path()).unwrap();
        killed::whole_batches(&store, flushed.unwrap().parse().unwrap());
        store.write(Space::Index, vec![put("room", "again")]).unwrap();
        store.flush().unwrap();
    }
}

#[test]
#[ignore = "runs in a child process with a limit on its files"]
fn fill_the_disk_with_values() {
    fill_the_disk(&open(&child_folder()).unwrap(), |_, _| Ok(()));
}

#[test]
#[ignore = "runs in a child process with a limit on its files"]
fn fill_the_disk_with_pages() {
    let ballast = |store: &SledStore, n| {
        let pages = (0..500).map(|key| Op::Put(format!("z{n}/{key}").into(), large(key, 400)));
        store.write(Space::Index, pages.collect())
    };
    fill_the_disk(&open(&child_folder()).unwrap(), ballast);
}

fn fill_the_disk(store: &SledStore, ballast: impl Fn(&SledStore, usize) -> Result<(), StoreError>) {
    let work = [store.begin_work().unwrap(), store.begin_work().unwrap()];
    let failed = (0..10_000).find_map(|n| {
        let written = ballast(store, n).and_then(|()| killed::write_batch(store, n));
        let written = written.and_then(|()| store.flush());
        if written.is_ok() {
            println!("flushed {n}");
        }
        written.err()
    });
    let error = failed.expect("the limit is reached");
    assert!(matches!(&error, StoreError::Disk { .. }), "{error}");
    assert!(store.is_failed());
    let again = [
        store.get(Space::Index, b"x").unwrap_err(),
        store.write(Space::Blob, vec![]).unwrap_err(),
        store.scan(Space::Index, b"", None).next().unwrap().unwrap_err(),
        store.flush().unwrap_err(),
    ];
    for later in again {
        assert_eq!(later.to_string(), error.to_string());
    }
    // There is room for what was flushed, so the store goes on from it: with the next work, once all other has ended.
    for running in work {
        assert_eq!(store.begin_work().unwrap_err().to_string(), error.to_string());
        drop(running);
    }
    let _again = store.begin_work().unwrap();
    assert!(!store.is_failed());
    assert!(store.get(Space::Blob, b"last").unwrap().is_some());
}
