//! What a store on disk takes of the memory.

use super::*;

/// Pairs written; four times what the cache holds.
const PAIRS: u64 = 60_000;
const LIMIT_KIB: u64 = 64 << 10;

#[test]
#[cfg(target_os = "linux")]
fn memory_does_not_grow_with_what_is_written() {
    let folder = tempfile::tempdir().unwrap();
    let done =
        child("memory::write_much", folder.path()).args(["-c", BECOME_TEST]).output().unwrap();
    let told = String::from_utf8_lossy(&done.stdout).into_owned();
    assert!(done.status.success(), "{told}{}", String::from_utf8_lossy(&done.stderr));
    let peak = told.lines().find_map(|line| line.strip_prefix("peak ")).unwrap();
    assert!(peak.parse::<u64>().unwrap() < LIMIT_KIB, "{peak} KiB");
}

#[test]
#[ignore = "runs in a child process whose memory is measured"]
fn write_much() {
    let options = Options { cache_bytes: 2 << 20, ..Options::default() };
    let store = SledStore::open(&child_folder(), options).unwrap();
    for batch in 0..PAIRS / 500 {
        // Scattered keys touch a page each.
        let scattered = (0..500).map(|n| (batch * 500 + n).wrapping_mul(0x9e37_79b9_7f4a_7c15));
        let pairs = scattered.map(|key| Op::Put(key.to_be_bytes().to_vec(), vec![7; 100]));
        store.write(Space::Index, pairs.collect()).unwrap();
        let frame = Op::Put(batch.to_be_bytes().to_vec(), vec![7; 200_000]);
        store.write(Space::Blob, vec![frame]).unwrap();
    }
    assert_eq!(store.scan(Space::Blob, b"", None).count(), 120);
    let status = std::fs::read_to_string("/proc/self/status").unwrap();
    let peak = status.lines().find_map(|line| line.strip_prefix("VmHWM:")).unwrap();
    println!("\npeak {}", peak.trim().trim_end_matches(" kB"));
}
