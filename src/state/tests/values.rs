//! Large values beside the tree: kept, reclaimed, and told apart from damage.

use super::*;

use std::fs;
use std::path::{Path, PathBuf};

/// Files of 64 KiB, so that a few values fill several.
fn open(folder: &Path) -> SledStore {
    SledStore::open(folder, Options { file_bytes: 64 << 10, ..Options::default() }).unwrap()
}

fn files(folder: &Path) -> Vec<PathBuf> {
    let mut files: Vec<_> =
        fs::read_dir(folder.join("values")).unwrap().map(|entry| entry.unwrap().path()).collect();
    files.sort();
    files
}

fn frame(n: usize) -> Op {
    Op::Put(format!("f{n:04}").into(), large(n, 10_000))
}

fn check(store: &SledStore, present: impl Iterator<Item = usize>) {
    let expected: Vec<_> = present.map(|n| (format!("f{n:04}"), large(n, 10_000))).collect();
    let found: Vec<_> = store
        .scan(Space::Blob, b"f", None)
        .map(|pair| pair.unwrap())
        .map(|(key, value)| (String::from_utf8(key.to_vec()).unwrap(), value.to_vec()))
        .collect();
    assert!(found == expected, "{} found, {} expected", found.len(), expected.len());
}

#[test]
fn files_that_hold_nothing_are_removed_once_that_is_on_disk() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(Space::Blob, (0..50).map(frame).collect()).unwrap();
    let filled = files(folder.path()).len();
    assert!(filled > 5, "{filled}");
    let plan = (0..50).map(|n| delete(&format!("f{n:04}"))).collect();
    store.write(Space::Blob, plan).unwrap();
    assert_eq!(files(folder.path()).len(), filled, "a crash could bring them back");
    store.flush().unwrap();
    assert_eq!(files(folder.path()).len(), 1);
}

#[test]
fn overwriting_again_and_again_needs_no_more_than_twice_the_room() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    for round in 0..20 {
        for part in 0..5 {
            let frames = (part * 10..part * 10 + 10)
                .map(|n| Op::Put(format!("f{n:04}").into(), large(n + round, 10_000)));
            store.write(Space::Blob, frames.collect()).unwrap();
        }
        store.flush().unwrap();
    }
    let size =
        files(folder.path()).iter().map(|file| fs::metadata(file).unwrap().len()).sum::<u64>();
    assert!(size < 2 * 500_000 + 3 * (64 << 10), "{size}");
    assert_eq!(store.get(Space::Blob, b"f0049").unwrap().unwrap(), large(49 + 19, 10_000));
}

#[test]
fn a_file_of_few_survivors_is_emptied_and_they_survive() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(Space::Blob, (0..50).map(frame).collect()).unwrap();
    let old = files(folder.path());
    let gone = (0..50).filter(|n| n % 5 != 0).map(|n| delete(&format!("f{n:04}"))).collect();
    store.write(Space::Blob, gone).unwrap();
    let mut scan = store.scan(Space::Blob, b"f", None);
    assert_eq!(&scan.next().unwrap().unwrap().0[..], b"f0000");
    (0..12).for_each(|_| store.flush().unwrap());
    assert!(!files(folder.path()).contains(&old[0]));
    assert_eq!(scan.count(), 9, "a scan under way follows values that move");
    check(&store, (0..50).step_by(5));
    drop(store);
    let store = open(folder.path());
    check(&store, (0..50).step_by(5));
    store.write(Space::Blob, vec![frame(50)]).unwrap();
    check(&store, (0..=50).step_by(5));
}

#[test]
fn half_a_record_at_the_end_is_cut_off() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(Space::Blob, (0..3).map(frame).collect()).unwrap();
    store.flush().unwrap();
    drop(store);
    let last = files(folder.path()).pop().unwrap();
    let whole = fs::read(&last).unwrap();
    for torn in [&[0][..], &[0, 0, 0, 5, 0, 0, 39, 16, b'f'], &[0xff; 9]] {
        fs::write(&last, [&whole, torn].concat()).unwrap();
        let store = open(folder.path());
        check(&store, 0..3);
        assert_eq!(fs::read(&last).unwrap(), whole);
    }
    let store = open(folder.path());
    store.write(Space::Blob, vec![frame(3)]).unwrap();
    check(&store, 0..4);
}

#[test]
fn of_what_was_not_flushed_a_power_cut_takes_a_part_and_of_the_rest_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(Space::Blob, (0..2).map(frame).collect()).unwrap();
    store.flush().unwrap();
    store.write(Space::Blob, (2..20).map(frame).collect()).unwrap();
    drop(store);
    let files = files(folder.path());
    let cut = |file: &Path, len| {
        fs::File::options().write(true).open(file).unwrap().set_len(len).unwrap();
    };
    files[1..].iter().for_each(|file| fs::remove_file(file).unwrap());
    cut(&files[0], 35_000);
    check(&open(folder.path()), 0..3);
    cut(&files[0], 15_000);
    let error = SledStore::open(folder.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "what was flushed is missed: {error}");
}

#[test]
fn a_value_that_is_not_what_was_written_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(Space::Blob, (0..3).map(frame).collect()).unwrap();
    let file = files(folder.path()).pop().unwrap();
    let mut bytes = fs::read(&file).unwrap();
    bytes[15_000] ^= 1;
    fs::write(&file, bytes).unwrap();
    let error = store.get(Space::Blob, b"f0001").unwrap_err();
    assert!(
        matches!(&error, StoreError::Damaged { reason, .. } if reason.contains("00000001.values")),
        "{error}"
    );
}

#[test]
fn a_missing_file_is_damage() {
    let folder = tempfile::tempdir().unwrap();
    let store = open(folder.path());
    store.write(Space::Blob, (0..30).map(frame).collect()).unwrap();
    store.flush().unwrap();
    fs::remove_file(&files(folder.path())[1]).unwrap();
    assert!(matches!(store.get(Space::Blob, b"f0009").unwrap_err(), StoreError::Damaged { .. }));
    drop(store);
    let error = SledStore::open(folder.path(), Options::default()).unwrap_err();
    assert!(matches!(error, StoreError::Damaged { .. }), "{error}");
}
