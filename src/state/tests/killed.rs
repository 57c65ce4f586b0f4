//! A process that is killed: batches are whole, flushed ones are there.

use super::*;

use std::io::{BufRead, BufReader};
use std::path::Path;
use std::process::{Child, Stdio};

const INDEX_KEYS: usize = 40;

/// Batch `n`: the same value under many keys, and a large value of its own.
pub(super) fn write_batch(store: &SledStore, n: usize) -> Result<(), StoreError> {
    let frame = Op::Put(format!("frame/{n:06}").into(), large(n, 20_000));
    store.write(Space::Blob, vec![frame, put("last", &n.to_string())])?;
    let same = (0..INDEX_KEYS).map(|key| put(&format!("same/{key:02}"), &n.to_string()));
    let own = (0..INDEX_KEYS).map(|key| put(&format!("own/{n:06}/{key:02}"), ""));
    store.write(Space::Index, same.chain(own).collect())
}

/// Checks what a killed process left, after it flushed batch `flushed`.
pub(super) fn whole_batches(store: &SledStore, flushed: usize) {
    let last: Vec<_> =
        (0..INDEX_KEYS).map(|key| get(store, Space::Index, &format!("same/{key:02}"))).collect();
    assert!(last.windows(2).all(|pair| pair[0] == pair[1]), "half a batch: {last:?}");
    let last: usize = last[0].as_deref().unwrap().parse().unwrap();
    assert!(last >= flushed, "{last} was written, {flushed} was flushed");
    assert_eq!(keys(store, Space::Index, "own/", None).len(), (last + 1) * INDEX_KEYS);
    let frames = keys(store, Space::Blob, "frame/", None);
    assert!(frames.len() > last, "a frame is there before what names it");
    for (n, key) in frames.iter().enumerate() {
        assert_eq!(store.get(Space::Blob, key.as_bytes()).unwrap().unwrap(), large(n, 20_000));
    }
    assert_eq!(get(store, Space::Blob, "last"), Some((frames.len() - 1).to_string()));
}

/// A test of this file in a process of its own, and the lines that it prints.
fn start(test: &str, folder: &Path) -> (Child, impl Iterator<Item = String> + use<>) {
    let mut running = child(&format!("killed::{test}"), folder)
        .args(["-c", BECOME_TEST])
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let told = BufReader::new(running.stdout.take().unwrap()).lines().map(Result::unwrap);
    (running, told)
}

#[test]
fn a_killed_process_leaves_whole_batches_and_all_that_was_flushed() {
    // At the last a run was made, and what it took in is being cleared away.
    for lines in [1, 2, 5, 17, 30] {
        let folder = tempfile::tempdir().unwrap();
        let (mut running, told) = start("write_until_killed", folder.path());
        let flushed =
            told.filter_map(|line| line.strip_prefix("flushed ")?.parse().ok()).nth(lines - 1);
        running.kill().unwrap();
        running.wait().unwrap();
        whole_batches(
            &SledStore::open(folder.path(), Options::default()).unwrap(),
            flushed.unwrap(),
        );
    }
}

#[test]
#[ignore = "runs in a child process that is killed"]
fn write_until_killed() {
    let store = SledStore::open(&child_folder(), Options::default()).unwrap();
    for n in 0.. {
        write_batch(&store, n).unwrap();
        if n % 3 == 2 {
            store.flush().unwrap();
            println!("flushed {n}");
        }
    }
}

/// So many that sled writes some of their deletions out by itself.
const DELETED: usize = 20_000;

#[test]
fn a_value_that_is_gone_leaves_what_was_written_before_it_went() {
    let folder = tempfile::tempdir().unwrap();
    let (mut running, mut told) = start("delete_until_killed", folder.path());
    assert!(told.any(|line| line == "deleted"), "the child came to its end");
    running.kill().unwrap();
    running.wait().unwrap();
    let store = SledStore::open(folder.path(), Options::default()).unwrap();
    let left = keys(&store, Space::Blob, "frame/", None).len();
    assert!(left < DELETED, "no deletion reached the disk");
    let done = keys(&store, Space::Index, "done/", None).len();
    assert!(done + left >= DELETED, "{left} are left, and {done} are done with");
}

#[test]
#[ignore = "runs in a child process that is killed"]
fn delete_until_killed() {
    let store = SledStore::open(&child_folder(), Options::default()).unwrap();
    let frames = (0..DELETED).map(|n| put(&format!("frame/{n:06}"), "x"));
    store.write(Space::Blob, frames.collect()).unwrap();
    store.flush().unwrap();
    for n in 0..DELETED {
        store.write(Space::Index, vec![put(&format!("done/{n:06}"), "")]).unwrap();
        store.write(Space::Blob, vec![delete(&format!("frame/{n:06}"))]).unwrap();
    }
    println!("\ndeleted");
    std::thread::sleep(std::time::Duration::from_mins(1));
}
