//! Backups: whole or not at all.

use super::*;

fn sample() -> MemoryStore {
    let store = MemoryStore::new();
    let small = (0..500).map(|n| put(&format!("k{n:03}"), &n.to_string())).collect();
    store.write(Space::Index, small).unwrap();
    let frames = (0..40).map(|n: u8| Op::Put(vec![n], large(n.into(), 60_000))).collect();
    store.write(Space::Blob, frames).unwrap();
    store
}

fn content(store: &dyn Store) -> Vec<(Vec<u8>, Vec<u8>)> {
    [Space::Index, Space::Blob]
        .into_iter()
        .flat_map(|space| store.scan(space, b"", None))
        .map(|pair| pair.unwrap())
        .map(|(key, value)| (key.to_vec(), value.to_vec()))
        .collect()
}

#[test]
fn a_restored_store_holds_what_was_backed_up() {
    let folder = tempfile::tempdir().unwrap();
    let original = SledStore::open(&folder.path().join("a"), Options::default()).unwrap();
    let mut first = Vec::new();
    stream::write(&sample(), &mut first).unwrap();
    assert_eq!(stream::read(&original, &mut first.as_slice()).unwrap(), 540);
    let mut second = Vec::new();
    assert_eq!(original.backup(&mut second).unwrap(), 540);
    assert_eq!(second, first, "a backup depends on content alone");
    let target = folder.path().join("b");
    let copy = SledStore::restore(&target, Options::default(), &mut second.as_slice()).unwrap();
    assert_eq!(content(&copy), content(&sample()));
    drop(copy);
    let again = SledStore::open(&target, Options::default()).unwrap();
    assert_eq!(content(&again), content(&sample()));
}

#[test]
fn a_damaged_or_cut_backup_makes_no_store() {
    let folder = tempfile::tempdir().unwrap();
    let target = folder.path().join("state");
    let mut whole = Vec::new();
    stream::write(&sample(), &mut whole).unwrap();
    let mut spoilt: Vec<Vec<u8>> =
        [0, 10, 18, 4000, whole.len() - 1].map(|len| whole[..len].to_vec()).into();
    for at in [3, 20, 30, whole.len() / 2, whole.len() - 3] {
        let mut flipped = whole.clone();
        flipped[at] ^= 0x40;
        spoilt.push(flipped);
    }
    for stream in spoilt {
        let error =
            SledStore::restore(&target, Options::default(), &mut stream.as_slice()).unwrap_err();
        assert!(matches!(error, BackupError::Damaged(_)), "{error}");
        assert!(!target.exists());
    }
    SledStore::restore(&target, Options::default(), &mut whole.as_slice()).unwrap();
}

#[test]
fn a_restore_mixes_with_nothing() {
    let folder = tempfile::tempdir().unwrap();
    let mut whole = Vec::new();
    stream::write(&sample(), &mut whole).unwrap();
    let error = stream::read(&sample(), &mut whole.as_slice()).unwrap_err();
    assert!(matches!(error, BackupError::Occupied));
    let error =
        SledStore::restore(folder.path(), Options::default(), &mut whole.as_slice()).unwrap_err();
    assert!(matches!(error, BackupError::Occupied));
}

#[test]
fn a_failing_stream_is_told_apart_from_a_failing_store() {
    struct Full;
    impl std::io::Write for Full {
        fn write(&mut self, _: &[u8]) -> std::io::Result<usize> {
            Err(std::io::ErrorKind::StorageFull.into())
        }
        fn flush(&mut self) -> std::io::Result<()> {
            Ok(())
        }
    }
    let error = stream::write(&sample(), &mut Full).unwrap_err();
    assert!(matches!(error, BackupError::Stream(_)), "{error}");
}
