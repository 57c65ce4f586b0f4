//! What every store promises, checked on each of them.

use super::*;

/// Runs a promise over every kind of store.
fn each(promise: impl Fn(&dyn Store)) {
    promise(&MemoryStore::new());
    let folder = tempfile::tempdir().unwrap();
    promise(&SledStore::open(folder.path(), Options::default()).unwrap());
}

#[test]
fn what_is_put_is_read_back_and_what_is_deleted_is_gone() {
    each(|store| {
        for space in [Space::Index, Space::Blob] {
            store.write(space, vec![put("a", "1"), put("b", ""), put("c", "3")]).unwrap();
            store.write(space, vec![delete("c"), put("a", "2"), delete("never there")]).unwrap();
            assert_eq!(get(store, space, "a").as_deref(), Some("2"));
            assert_eq!(get(store, space, "b").as_deref(), Some(""), "empty is a value");
            assert_eq!(get(store, space, "c"), None);
        }
    });
}

#[test]
fn spaces_do_not_see_each_other() {
    each(|store| {
        store.write(Space::Index, vec![put("k", "index")]).unwrap();
        store.write(Space::Blob, vec![put("k", "blob")]).unwrap();
        store.write(Space::Index, vec![delete("k")]).unwrap();
        assert_eq!(get(store, Space::Index, "k"), None);
        assert_eq!(get(store, Space::Blob, "k").as_deref(), Some("blob"));
    });
}

#[test]
fn the_last_operation_on_a_key_in_a_batch_wins() {
    each(|store| {
        let ops = vec![put("a", "1"), delete("a"), put("a", "2"), put("b", "1"), delete("b")];
        store.write(Space::Index, ops).unwrap();
        assert_eq!(get(store, Space::Index, "a").as_deref(), Some("2"));
        assert_eq!(get(store, Space::Index, "b"), None);
    });
}

#[test]
fn a_scan_gives_a_prefix_in_key_order_after_a_key() {
    each(|store| {
        for space in [Space::Index, Space::Blob] {
            let ops = ["b/2", "a/9", "b/10", "b", "b/", "c/1", "b0"].map(|key| put(key, key));
            store.write(space, ops.to_vec()).unwrap();
            assert_eq!(keys(store, space, "b/", None), ["b/", "b/10", "b/2"]);
            assert_eq!(keys(store, space, "b/", Some("b/10")), ["b/2"]);
            assert_eq!(
                keys(store, space, "b/", Some("b/1")),
                ["b/10", "b/2"],
                "`after` need not exist"
            );
            assert_eq!(keys(store, space, "b/", Some("a")), ["b/", "b/10", "b/2"]);
            assert!(keys(store, space, "b/", Some("b/2")).is_empty());
            assert!(keys(store, space, "b/", Some("z")).is_empty());
            assert!(keys(store, space, "d", None).is_empty());
            assert_eq!(keys(store, space, "", None).len(), 7);
        }
    });
}

#[test]
fn a_prefix_of_the_highest_bytes_has_an_end() {
    each(|store| {
        let ops = vec![
            Op::Put(vec![0xff], vec![]),
            Op::Put(vec![0xff, 0xff, 1], vec![]),
            Op::Put(vec![0xfe], vec![]),
        ];
        store.write(Space::Index, ops).unwrap();
        assert_eq!(store.scan(Space::Index, &[0xff, 0xff], None).count(), 1);
        assert_eq!(store.scan(Space::Index, &[0xff], None).count(), 2);
    });
}

#[test]
fn a_scan_over_thousands_goes_on_where_it_left() {
    each(|store| {
        let all: Vec<_> = (0..3000).map(|n| format!("k{n:05}")).collect();
        store.write(Space::Index, all.iter().map(|key| put(key, key)).collect()).unwrap();
        assert_eq!(keys(store, Space::Index, "k", None), all);
        assert_eq!(keys(store, Space::Index, "k", Some("k01234")), all[1235..]);
    });
}

#[test]
fn a_store_can_be_written_while_it_is_scanned() {
    each(|store| {
        let ops = (0..300).map(|n| put(&format!("k{n:03}"), "")).collect();
        store.write(Space::Index, ops).unwrap();
        let mut seen = 0;
        for pair in store.scan(Space::Index, b"k", None) {
            let (key, _) = pair.unwrap();
            store.write(Space::Index, vec![Op::Delete(key.to_vec())]).unwrap();
            seen += 1;
        }
        assert_eq!((seen, keys(store, Space::Index, "", None).len()), (300, 0));
    });
}

#[test]
fn compare_and_set_acts_only_on_what_the_caller_saw() {
    each(|store| {
        for space in [Space::Index, Space::Blob] {
            let cas = |old: Option<&str>, new: Option<&str>| {
                let (old, new) = (old.map(str::as_bytes), new.map(str::as_bytes));
                store.compare_and_set(space, b"k", old, new).unwrap()
            };
            assert!(!cas(Some("x"), Some("y")));
            assert!(cas(None, Some("1")));
            assert!(!cas(None, Some("2")));
            assert!(!cas(Some("2"), Some("3")));
            assert!(cas(Some("1"), Some("2")));
            assert_eq!(get(store, space, "k").as_deref(), Some("2"));
            assert!(!cas(Some("1"), None));
            assert!(cas(Some("2"), None));
            assert_eq!(get(store, space, "k"), None);
        }
    });
}

#[test]
fn one_of_many_that_race_for_a_key_wins() {
    each(|store| {
        let winners: usize = std::thread::scope(|scope| {
            let race = |n: u8| {
                let mine = [n];
                scope.spawn(move || {
                    store.compare_and_set(Space::Index, b"k", None, Some(&mine)).unwrap()
                })
            };
            let racers: Vec<_> = (0..8).map(race).collect();
            racers
                .into_iter()
                .filter(|_| true)
                .map(|racer| usize::from(racer.join().unwrap()))
                .sum()
        });
        assert_eq!(winners, 1);
    });
}

#[test]
fn large_values_come_back_whole() {
    each(|store| {
        let large: Vec<u8> =
            (0..3_000_000_u32).map(|n| n.to_le_bytes()[(n % 3) as usize]).collect();
        store.write(Space::Blob, vec![Op::Put(b"plan".to_vec(), large.clone())]).unwrap();
        store.flush().unwrap();
        assert_eq!(store.get(Space::Blob, b"plan").unwrap().unwrap(), large);
        let (_, scanned) = store.scan(Space::Blob, b"", None).next().unwrap().unwrap();
        assert_eq!(scanned, large);
    });
}
