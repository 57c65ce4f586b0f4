use std::collections::BTreeMap;

use fastbloom::BloomFilter;
use proptest::prelude::*;

use super::*;

/// So little room that a handful of words makes a run.
const TIGHT: Room = Room { fresh_bytes: 1500, loose: 12 };

struct Rig {
    db: sled::Db,
    index: Index,
    runs: PathBuf,
}

impl Rig {
    fn open(folder: &std::path::Path) -> Self {
        let db = sled::Config::new().path(folder).flush_every_ms(None).open().unwrap();
        let runs = folder.join("runs");
        let index = Index::open(db.open_tree("packed").unwrap(), &runs, TIGHT).unwrap();
        Self { db, index, runs }
    }

    /// What a process that is killed now leaves: what is fresh is gone.
    fn again(self) -> Self {
        let Self { db, index, runs } = self;
        drop(index);
        let index = Index::open(db.open_tree("packed").unwrap(), &runs, TIGHT).unwrap();
        Self { db, index, runs }
    }

    fn scanned(&self, after: Option<&[u8]>) -> Vec<(Vec<u8>, Vec<u8>)> {
        let mut found = Vec::new();
        let mut from = Some(after.map_or(Bound::Unbounded, |key| Bound::Excluded(key.to_vec())));
        while let Some(start) = from {
            let look = self.index.look(start.as_ref().map(Vec::as_slice)).unwrap();
            found.extend(look.pairs.into_iter().map(|(key, value)| (key.to_vec(), value.to_vec())));
            from = look.next.map(Bound::Included);
        }
        found
    }

    fn flush(&self) {
        self.index.settle().unwrap();
        let gone = self.index.before_flush();
        self.db.flush().unwrap();
        self.index.after_flush(&gone).unwrap();
    }

    /// How many words lie on piles that count no more.
    fn dead(&self) -> usize {
        let all = self.db.open_tree("packed").unwrap().scan_prefix([2]).count();
        all - self.index.layers().pile.range(&self.index.tree, Bound::Unbounded).count()
    }

    /// The numbers of files that are no runs.
    fn left_over(&self) -> Vec<u32> {
        let runs = self.index.layers().runs.clone();
        let mut files = file::numbers(&self.runs).unwrap();
        assert!(runs.iter().all(|run| files.contains(&run.id)));
        files.retain(|file| runs.iter().all(|run| run.id != *file));
        files
    }
}

#[derive(Clone, Debug)]
enum Step {
    Write(Vec<(u8, Option<u8>)>),
    CompareAndSet(u8, Option<u8>, Option<u8>),
    Settle,
    /// Settle, then open what is on disk.
    Reopen,
    Scan(u8),
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let word = || (any::<u8>(), proptest::option::weighted(0.7, any::<u8>()));
    let few = prop::collection::vec(word(), 0..6).prop_map(Step::Write);
    let many = prop::collection::vec(word(), 10..60).prop_map(Step::Write);
    let value = || proptest::option::of(0_u8..4);
    let compare = (any::<u8>(), value(), value());
    let compare = compare.prop_map(|(key, old, new)| Step::CompareAndSet(key, old, new));
    let rest =
        prop_oneof![Just(Step::Settle), Just(Step::Reopen), any::<u8>().prop_map(Step::Scan),];
    prop::collection::vec(prop_oneof![few, many, compare, rest], 1..40)
}

/// Keys of many lengths, so that blocks share prefixes of many lengths.
fn key(n: u8) -> Vec<u8> {
    [&b"tenant\0e"[..usize::from(n % 8)], &[n / 16, n]].concat()
}

/// Values of many sizes; some are larger than a block.
fn value_of(n: u8) -> Vec<u8> {
    vec![n; if n > 250 { 3000 } else { usize::from(n) / 2 }]
}

fn op((at, value): (u8, Option<u8>)) -> Op {
    match value {
        Some(value) => Op::Put(key(at), value_of(value)),
        None => Op::Delete(key(at)),
    }
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 60, failure_persistence: None, ..ProptestConfig::default() })]

    #[test]
    fn it_is_an_ordered_map_whatever_lies_where(steps in steps()) {
        let folder = tempfile::tempdir().unwrap();
        let mut rig = Rig::open(folder.path());
        let mut model: BTreeMap<Vec<u8>, Vec<u8>> = BTreeMap::new();
        for step in steps {
            match step {
                Step::Write(words) => {
                    for (at, value) in &words {
                        match value {
                            Some(value) => model.insert(key(*at), value_of(*value)),
                            None => model.remove(&key(*at)),
                        };
                    }
                    rig.index.write(words.into_iter().map(op).collect()).unwrap();
                }
                Step::CompareAndSet(at, old, new) => {
                    let (at, old, new) = (key(at), old.map(value_of), new.map(value_of));
                    let done = rig.index.compare_and_set(&at, old.as_deref(), new.as_deref()).unwrap();
                    prop_assert_eq!(done, model.get(&at) == old.as_ref());
                    if done {
                        match new {
                            Some(value) => model.insert(at, value),
                            None => model.remove(&at),
                        };
                    }
                }
                Step::Settle => rig.index.settle().unwrap(),
                Step::Reopen => {
                    rig.index.settle().unwrap();
                    rig = rig.again();
                }
                Step::Scan(after) => {
                    let after = key(after);
                    let expected = model.range::<[u8], _>((Bound::Excluded(after.as_slice()), Bound::Unbounded));
                    let expected: Vec<_> = expected.map(|(key, value)| (key.clone(), value.clone())).collect();
                    prop_assert_eq!(rig.scanned(Some(&after)), expected);
                }
            }
            for n in 0..=u8::MAX {
                let found = rig.index.get(&key(n)).unwrap();
                prop_assert_eq!(found.as_deref(), model.get(&key(n)).map(Vec::as_slice), "{}", n);
            }
        }
        prop_assert_eq!(rig.scanned(None), model.into_iter().collect::<Vec<_>>());
        rig.flush();
        prop_assert_eq!(rig.left_over(), [0_u32; 0]);
    }
}

/// Every batch sets all keys to its number.
fn batch(number: u32) -> Vec<Op> {
    (0..20).map(|n| Op::Put(format!("k{n:02}").into(), number.to_string().into())).collect()
}

#[test]
fn what_is_killed_before_it_settles_is_gone_as_a_whole() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::open(folder.path());
    for number in 0..60 {
        rig.index.write(batch(number)).unwrap();
        if number % 7 == 3 {
            rig = rig.again();
            let values: std::collections::BTreeSet<_> =
                rig.scanned(None).into_iter().map(|(_, value)| value).collect();
            assert!(values.len() <= 1, "half a batch: {values:?}");
        }
    }
}

#[test]
fn what_a_run_took_in_goes_little_by_little_and_is_not_seen_again() {
    let folder = tempfile::tempdir().unwrap();
    let mut rig = Rig::open(folder.path());
    let say = |rig: &Rig, key: &str, value: Option<u8>| {
        let key = key.as_bytes().to_vec();
        let op = value.map_or(Op::Delete(key.clone()), |value| Op::Put(key, vec![value]));
        rig.index.write(vec![op]).unwrap();
        rig.index.settle().unwrap();
    };
    (0..12).for_each(|n| say(&rig, &format!("k{n:02}"), Some(1)));
    assert_eq!((rig.dead(), rig.index.layers().runs.len()), (0, 0));
    say(&rig, "k00", None);
    assert_eq!((rig.dead(), rig.index.layers().runs.len()), (12, 1), "nobody waits for deletions");
    for (key, value, dead) in [("k11", None, 10), ("k10", Some(2), 8), ("new", Some(2), 6)] {
        say(&rig, key, value);
        rig = rig.again();
        assert_eq!(rig.dead(), dead, "{key}");
        let found = rig.index.get(key.as_bytes()).unwrap();
        assert_eq!(found.as_deref(), value.as_ref().map(std::slice::from_ref), "{key}");
    }
    let found: Vec<String> = rig
        .scanned(None)
        .into_iter()
        .map(|(key, value)| format!("{}={}", String::from_utf8(key).unwrap(), value[0]))
        .collect();
    let still = (1..10).map(|n| format!("k{n:02}=1"));
    assert_eq!(found, still.chain(["k10=2".into(), "new=2".into()]).collect::<Vec<_>>());
    (0..3).for_each(|n| say(&rig, &format!("m{n}"), Some(3)));
    assert_eq!(rig.dead(), 0, "long before the next run");
}

#[test]
fn runs_stay_few_and_what_they_were_made_of_goes() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::open(folder.path());
    for number in 0..200_u32 {
        let ops = (0..20).map(|n| Op::Put(format!("{}", number * 7919 % 5000 + n).into(), vec![1]));
        rig.index.write(ops.collect()).unwrap();
        rig.index.settle().unwrap();
    }
    let runs = rig.index.layers().runs.len();
    assert!(runs < 12, "{runs} runs of 200 gatherings");
    assert!(!rig.left_over().is_empty(), "a crash could bring them back");
    rig.flush();
    assert_eq!(rig.left_over(), [0_u32; 0]);
}

#[test]
fn files_that_no_run_owns_are_removed_by_the_first_flush() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::open(folder.path());
    (0..5).for_each(|number| rig.index.write(batch(number)).unwrap());
    rig.index.settle().unwrap();
    let before = rig.scanned(None);
    // As a gathering that was killed before its run was one.
    for id in [3_000_u32, 70_000] {
        let words = (0..300).map(|n| Ok((format!("k{n}").into(), Some(vec![9]))));
        drop(Run::write(&rig.runs, (id, 9), 300, words).unwrap());
    }
    let rig = rig.again();
    assert!(rig.left_over().contains(&70_000));
    assert_eq!(rig.index.next_id(), 70_001, "no file of theirs is written over");
    rig.flush();
    assert_eq!((rig.left_over(), rig.scanned(None)), (vec![], before));
}

#[test]
fn a_filter_that_knows_nothing_is_made_anew() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::open(folder.path());
    (0..5).for_each(|number| rig.index.write(batch(number)).unwrap());
    rig.index.settle().unwrap();
    let run = rig.index.layers().runs[0].clone();
    let words: Vec<Word> = run.all().map(|word| word.unwrap()).collect();
    let mut writer = file::Writer::create(&rig.runs, 500).unwrap();
    writer.append(&words).unwrap();
    let (_, tail) = writer.finish(&BloomFilter::with_num_bits(128).hashes(2)).unwrap();
    rig.index.tree.insert(run::key(500), run::facts(run.rank, run.words, tail)).unwrap();
    let Op::Delete(at) = run.delete() else { panic!("facts are deleted") };
    rig.index.tree.remove(at).unwrap();
    let rig = rig.again();
    assert!(rig.index.layers().runs.iter().any(|run| run.id == 500));
    assert_eq!(rig.index.get(b"k07").unwrap().as_deref(), Some(&b"4"[..]));
}

#[test]
fn readers_see_every_key_while_runs_are_made_and_merged() {
    let folder = tempfile::tempdir().unwrap();
    let rig = Rig::open(folder.path());
    rig.index.write(batch(0)).unwrap();
    std::thread::scope(|scope| {
        let writer = scope.spawn(|| {
            for number in 0..300_u32 {
                let noise =
                    (0..30).map(|n| Op::Put(format!("n{}", number * 31 % 997 + n).into(), vec![1]));
                rig.index.write(noise.chain(batch(number)).collect()).unwrap();
            }
        });
        while !writer.is_finished() {
            let all = rig.scanned(None).into_iter().filter(|(key, _)| key[0] == b'k').count();
            assert_eq!(all, 20);
            assert!(rig.index.get(b"k13").unwrap().is_some());
        }
    });
}
