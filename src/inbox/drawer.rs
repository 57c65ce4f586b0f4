//! The events of one connection in the state, and the ids of those that were met.
//!
//! Keys are those of the sync's ledger, in tables of their own: `i` events by number, `j` when an id was met, `k` the mark that
//! everything has to be read. Blocking. The one invariant: numbers only grow while an event waits, so that key order is
//! the order of arrival.

use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};

use tokio::sync::Notify;

use crate::model::hash::ContentHash;
use crate::model::ids::{ConnectionId, TenantId};
use crate::port::store::{Op, Space, Store, StoreError};

/// How long an id is remembered: Feishu repeats for 7.1 hours and suggests a day (fact sheet, section 5.1).
const REMEMBERED_MS: i64 = 24 * 3_600_000;
/// The most ids remembered; the oldest go first. An event met again after that costs one more look.
const REMEMBERED: usize = 500_000;

/// See the module.
pub(super) struct Drawer {
    store: Arc<dyn Store>,
    tenant: TenantId,
    connection: ConnectionId,
    next: AtomicU64,
    waiting: AtomicU64,
    /// How many may wait.
    room: u64,
    /// Told when events have come to wait.
    pub(super) arrived: Notify,
}

/// An event that waits.
pub(super) struct Waiting {
    pub(super) number: u64,
    pub(super) event: Vec<u8>,
}

impl Drawer {
    pub(super) fn open(
        store: Arc<dyn Store>,
        tenant: &TenantId,
        connection: &ConnectionId,
        room: u64,
    ) -> Result<Self, StoreError> {
        let drawer = Self {
            store,
            tenant: tenant.clone(),
            connection: connection.clone(),
            next: AtomicU64::new(0),
            waiting: AtomicU64::new(0),
            room,
            arrived: Notify::new(),
        };
        let prefix = drawer.table(b'i');
        let (mut waiting, mut next) = (0, 0);
        for pair in drawer.store.scan(Space::Index, &prefix, None) {
            waiting += 1;
            next = number(&pair?.0[prefix.len()..]) + 1;
        }
        drawer.waiting.store(waiting, Ordering::Relaxed);
        drawer.next.store(next, Ordering::Relaxed);
        Ok(drawer)
    }

    fn table(&self, table: u8) -> Vec<u8> {
        let (tenant, connection) = (self.tenant.as_str(), self.connection.as_str());
        [tenant.as_bytes(), &[0, table], connection.as_bytes(), &[0]].concat()
    }

    fn event_key(&self, number: u64) -> Vec<u8> {
        [self.table(b'i').as_slice(), &number.to_be_bytes()].concat()
    }

    /// The key under which an id is remembered; distinct for every connection of every tenant.
    pub(super) fn id_key(&self, id: ContentHash) -> Vec<u8> {
        [self.table(b'j').as_slice(), &id.0].concat()
    }

    pub(super) fn has_room(&self) -> bool {
        self.waiting() < self.room
    }

    /// How many events wait.
    pub(super) fn waiting(&self) -> u64 {
        self.waiting.load(Ordering::Relaxed)
    }

    /// What stores a new event with its id. The event counts as waiting from now on.
    pub(super) fn put(&self, id_key: Vec<u8>, event: Vec<u8>, at_ms: i64) -> [Op; 2] {
        let number = self.next.fetch_add(1, Ordering::Relaxed);
        self.waiting.fetch_add(1, Ordering::Relaxed);
        let met = at_ms.to_be_bytes().to_vec();
        [Op::Put(self.event_key(number), event), Op::Put(id_key, met)]
    }

    /// The oldest events, at most `most`.
    pub(super) fn oldest(&self, most: usize) -> Result<Vec<Waiting>, StoreError> {
        let prefix = self.table(b'i');
        let pairs = self.store.scan(Space::Index, &prefix, None).take(most);
        let waiting = pairs.map(|pair| {
            let (key, event) = pair?;
            Ok(Waiting { number: number(&key[prefix.len()..]), event: event.to_vec() })
        });
        waiting.collect()
    }

    /// Takes events out that were worked off; with `lost`, marks in the same breath that everything has to be read.
    pub(super) fn settle(&self, numbers: &[u64], lost: Option<i64>) -> Result<(), StoreError> {
        let mut ops: Vec<Op> = numbers.iter().map(|&it| Op::Delete(self.event_key(it))).collect();
        ops.extend(lost.map(|at_ms| Op::Put(self.table(b'k'), at_ms.to_be_bytes().to_vec())));
        if !ops.is_empty() {
            self.store.write(Space::Index, ops)?;
        }
        self.waiting.fetch_sub(numbers.len() as u64, Ordering::Relaxed);
        Ok(())
    }

    /// The mark that everything has to be read.
    pub(super) fn lost(&self) -> Result<Option<Vec<u8>>, StoreError> {
        Ok(self.store.get(Space::Index, &self.table(b'k'))?.map(|mark| mark.to_vec()))
    }

    /// Takes the mark away, unless it was made anew.
    pub(super) fn found(&self, mark: &[u8]) -> Result<(), StoreError> {
        self.store.compare_and_set(Space::Index, &self.table(b'k'), Some(mark), None)?;
        Ok(())
    }

    /// Forgets ids whose time is over.
    pub(super) fn forget(&self, now_ms: i64) -> Result<usize, StoreError> {
        self.forget_beyond(now_ms, REMEMBERED)
    }

    fn forget_beyond(&self, now_ms: i64, most: usize) -> Result<usize, StoreError> {
        let mut ids = Vec::new();
        for pair in self.store.scan(Space::Index, &self.table(b'j'), None) {
            let (key, met) = pair?;
            ids.push((met.as_ref().try_into().map_or(0, i64::from_be_bytes), key.to_vec()));
        }
        ids.sort_unstable();
        let over = ids.len().saturating_sub(most);
        let old = |(at, (met, _)): &(usize, (i64, Vec<u8>))| {
            *at < over || *met < now_ms.saturating_sub(REMEMBERED_MS)
        };
        let ops: Vec<Op> =
            ids.into_iter().enumerate().filter(old).map(|(_, (_, key))| Op::Delete(key)).collect();
        let forgotten = ops.len();
        for part in ops.chunks(1_000) {
            self.store.write(Space::Index, part.to_vec())?;
        }
        Ok(forgotten)
    }
}

fn number(key: &[u8]) -> u64 {
    key.try_into().map_or(0, u64::from_be_bytes)
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::collections::BTreeMap;
    use std::sync::Mutex;

    use bytes::Bytes;

    use crate::port::store::Pair;

    /// As much of a store as a drawer needs; the real ones are adapters, which the core does not name.
    #[derive(Default)]
    struct Map(Mutex<BTreeMap<Vec<u8>, Bytes>>);

    impl Store for Map {
        fn get(&self, _: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
            Ok(self.0.lock().unwrap().get(key).cloned())
        }
        fn scan(
            &self,
            _: Space,
            prefix: &[u8],
            _: Option<&[u8]>,
        ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_> {
            let map = self.0.lock().unwrap();
            let found = map.iter().filter(|(key, _)| key.starts_with(prefix));
            let pairs: Vec<Pair> =
                found.map(|(key, value)| (key.clone().into(), value.clone())).collect();
            Box::new(pairs.into_iter().map(Ok))
        }
        fn write(&self, _: Space, ops: Vec<Op>) -> Result<(), StoreError> {
            let mut map = self.0.lock().unwrap();
            for op in ops {
                match op {
                    Op::Put(key, value) => map.insert(key, value.into()),
                    Op::Delete(key) => map.remove(&key),
                };
            }
            Ok(())
        }
        fn compare_and_set(
            &self,
            _: Space,
            key: &[u8],
            old: Option<&[u8]>,
            new: Option<&[u8]>,
        ) -> Result<bool, StoreError> {
            let mut map = self.0.lock().unwrap();
            let fits = map.get(key).map(Bytes::as_ref) == old;
            if fits {
                match new {
                    Some(new) => map.insert(key.to_vec(), new.to_vec().into()),
                    None => map.remove(key),
                };
            }
            Ok(fits)
        }
        fn flush(&self) -> Result<(), StoreError> {
            Ok(())
        }
        fn size_on_disk(&self) -> Result<u64, StoreError> {
            Ok(0)
        }
    }

    fn drawer(store: &Arc<Map>, connection: &str) -> Drawer {
        let (tenant, connection) =
            (TenantId::parse("acme").unwrap(), ConnectionId::parse(connection).unwrap());
        Drawer::open(store.clone(), &tenant, &connection, 3).unwrap()
    }

    fn store(drawer: &Drawer, text: &str, at_ms: i64) {
        let key = drawer.id_key(ContentHash::of(text.as_bytes()));
        let ops = drawer.put(key, text.as_bytes().to_vec(), at_ms).to_vec();
        drawer.store.write(Space::Index, ops).unwrap();
    }

    fn texts(drawer: &Drawer) -> Vec<String> {
        let waiting = drawer.oldest(10).unwrap();
        waiting.into_iter().map(|it| String::from_utf8(it.event).unwrap()).collect()
    }

    #[test]
    fn events_wait_in_the_order_they_came_across_a_restart() {
        let map = Arc::new(Map::default());
        let before = drawer(&map, "feishu");
        store(&before, "one", 1);
        store(&before, "two", 2);
        let after = drawer(&map, "feishu");
        assert_eq!((after.waiting(), after.has_room()), (2, true));
        store(&after, "three", 3);
        assert_eq!(texts(&after), ["one", "two", "three"]);
        assert!(!after.has_room());
        let first = after.oldest(1).unwrap()[0].number;
        after.settle(&[first], None).unwrap();
        assert_eq!(texts(&after), ["two", "three"]);
        assert!(after.has_room());
        assert_eq!(drawer(&map, "wecom").waiting(), 0);
    }

    #[test]
    fn a_mark_made_anew_while_everything_was_read_stays() {
        let drawer = drawer(&Arc::new(Map::default()), "feishu");
        assert_eq!(drawer.lost().unwrap(), None);
        drawer.settle(&[], Some(1)).unwrap();
        let mark = drawer.lost().unwrap().unwrap();
        drawer.settle(&[], Some(2)).unwrap();
        drawer.found(&mark).unwrap();
        let mark = drawer.lost().unwrap().expect("it was made anew");
        drawer.found(&mark).unwrap();
        assert_eq!(drawer.lost().unwrap(), None);
    }

    #[test]
    fn ids_are_forgotten_after_a_day_or_when_there_are_too_many() {
        let drawer = drawer(&Arc::new(Map::default()), "feishu");
        for (text, at_ms) in [("old", 0), ("a", 10), ("b", 20), ("c", 30)] {
            store(&drawer, text, at_ms);
        }
        assert_eq!(drawer.forget_beyond(REMEMBERED_MS + 5, 2).unwrap(), 2);
        let known = |text: &str| {
            let key = drawer.id_key(ContentHash::of(text.as_bytes()));
            drawer.store.get(Space::Index, &key).unwrap().is_some()
        };
        assert_eq!(["old", "a", "b", "c"].map(known), [false, false, true, true]);
        assert_eq!(drawer.forget_beyond(REMEMBERED_MS + 25, 2).unwrap(), 1);
        assert_eq!(drawer.waiting(), 4, "an event outlives the memory of its id");
    }
}
