//! What the inbox promises to platforms and to the sync, over a callback and runs that the tests play themselves.

#![expect(clippy::unwrap_used, reason = "a set-up that fails is a test that fails")]

use std::collections::VecDeque;
use std::path::Path;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use async_trait::async_trait;
use bytes::Bytes;
use rollcall::inbox::{self, Bounds, Intake, Journal, Looker, Parts, Tally, Tempo, Worker};
use rollcall::model::entity::Entity;
use rollcall::model::fault::{Advice, Fault};
use rollcall::model::hint::Hint;
use rollcall::model::ids::{ConnectionId, RunId, SourceId, TenantId};
use rollcall::port::callback::{Callback, Received, Refused};
use rollcall::port::clock::Clock;
use rollcall::port::inbox::{Answer, Delivery, Inbox as _};
use rollcall::port::store::{Op, Pair, Space, Store, StoreError};
use rollcall::state::{MemoryStore, Options, SledStore};
use rollcall::sync::ledger::RunState;
use rollcall::sync::look::{Looked, Sight};
use rollcall::sync::report::Report;
use tokio::sync::{Notify, mpsc};
use tokio_util::sync::CancellationToken;

const BOUNDS: Bounds = Bounds { body_bytes: 100, backlog: 50, store: Duration::from_secs(20) };
const TEMPO: Tempo = Tempo {
    gather: Duration::from_millis(5),
    first: Duration::from_millis(5),
    longest: Duration::from_millis(20),
    between_listings: Duration::from_hours(1),
};

/// A clock that stands still.
struct Still;

impl Clock for Still {
    fn now_ms(&self) -> i64 {
        1_774_922_400_000
    }
}

/// Bodies say what they are: `forged`, `stale`, `broken`, `unready`, `hello`, or `<id> <hint> <hint> ..`.
struct Spoken;

fn advice() -> Advice {
    Advice { code: "test".into(), message: "told".into(), remedy: "do".into() }
}

fn answer(text: &str) -> Answer {
    Answer { status: 200, content_type: "text/plain".into(), body: text.as_bytes().to_vec() }
}

#[async_trait]
impl Callback for Spoken {
    async fn receive(&self, delivery: &Delivery) -> Result<Received, Fault> {
        let text = String::from_utf8(delivery.body.clone()).unwrap();
        Ok(match text.as_str() {
            "forged" => Received::Refused(Refused::Forged(advice())),
            "stale" => Received::Refused(Refused::Stale(advice())),
            "broken" => Received::Refused(Refused::Broken(advice())),
            "unready" => Received::Refused(Refused::Unready(advice())),
            "trap" => return Err(Fault::Plugin(advice())),
            "hello" => Received::Handshake(answer("challenge")),
            text => {
                let id = text.split(' ').next().filter(|id| *id != "-").map(str::to_owned);
                Received::Event { answer: answer("taken"), id, event: text.as_bytes().to_vec() }
            }
        })
    }

    async fn hints(&self, event: &[u8]) -> Result<Vec<Hint>, Fault> {
        let text = std::str::from_utf8(event).unwrap();
        let mut hints = Vec::new();
        for word in text.split(' ').skip(1) {
            match word {
                "unusable" => return Err(Fault::Invalid(advice())),
                "everything" => return Err(Fault::StaleCursor),
                id => hints.push(Hint {
                    entity: Entity::Employee,
                    id: SourceId::parse(id).unwrap(),
                    gone: false,
                }),
            }
        }
        Ok(hints)
    }
}

/// Plays the runs: tells what was looked at, and answers from a script, with `Done` at its end.
struct Runs {
    seen: mpsc::UnboundedSender<String>,
    script: Mutex<VecDeque<Looked>>,
    /// While set, no run ends.
    stuck: AtomicBool,
    freed: Notify,
}

fn done() -> Looked {
    Looked::Done(Arc::new(Report {
        tenant: TenantId::parse("acme").unwrap(),
        connection: ConnectionId::parse("feishu").unwrap(),
        run: RunId(1),
        state: RunState::Done,
        pulled: [].into(),
        remapped: [].into(),
        skipped: [].into(),
        parked: [].into(),
        parked_first: [].into(),
        linked: 0,
        clashing: 0,
        gaps: [].into(),
        plan: [].into(),
        digest: rollcall::model::hash::ContentHash([0; 16]),
        written: [].into(),
        adopted: 0,
        doubts: [].into(),
        held: Vec::new(),
        failures: Vec::new(),
        dangling: Vec::new(),
        requests: 0,
        wall_ms: 0,
    }))
}

#[async_trait]
impl Looker for Runs {
    async fn look(&self, sight: Sight) -> Looked {
        let seen = match &sight {
            Sight::Everything => "everything".to_owned(),
            Sight::Targets(targets) => {
                targets.of(Entity::Employee).map(SourceId::as_str).collect::<Vec<_>>().join(" ")
            }
        };
        self.seen.send(seen).ok();
        while self.stuck.load(Ordering::SeqCst) {
            self.freed.notified().await;
        }
        self.script.lock().unwrap().pop_front().unwrap_or_else(done)
    }
}

/// A store that counts and may refuse to flush.
struct Flushing {
    inner: Arc<dyn Store>,
    flushes: AtomicU64,
    fails: AtomicBool,
    /// How long a flush takes.
    takes: Duration,
}

impl Store for Flushing {
    fn get(&self, space: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        self.inner.get(space, key)
    }
    fn scan(
        &self,
        space: Space,
        prefix: &[u8],
        after: Option<&[u8]>,
    ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_> {
        self.inner.scan(space, prefix, after)
    }
    fn write(&self, space: Space, ops: Vec<Op>) -> Result<(), StoreError> {
        self.inner.write(space, ops)
    }
    fn compare_and_set(
        &self,
        space: Space,
        key: &[u8],
        old: Option<&[u8]>,
        new: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        self.inner.compare_and_set(space, key, old, new)
    }
    fn flush(&self) -> Result<(), StoreError> {
        self.flushes.fetch_add(1, Ordering::SeqCst);
        std::thread::sleep(self.takes);
        if self.fails.load(Ordering::SeqCst) {
            return Err(StoreError::Disk { folder: "state".into(), reason: "full".into() });
        }
        self.inner.flush()
    }
    fn size_on_disk(&self) -> Result<u64, StoreError> {
        self.inner.size_on_disk()
    }
}

/// An inbox with everything around it.
struct Scene {
    intake: Arc<Intake>,
    store: Arc<Flushing>,
    runs: Arc<Runs>,
    seen: mpsc::UnboundedReceiver<String>,
    worker: Option<Worker>,
    stop: CancellationToken,
}

impl Scene {
    fn open(inner: Arc<dyn Store>, bounds: Bounds, tempo: Tempo) -> Self {
        let takes = Duration::from_millis(2);
        let store = Arc::new(Flushing {
            inner,
            flushes: AtomicU64::new(0),
            fails: AtomicBool::new(false),
            takes,
        });
        let (sender, seen) = mpsc::unbounded_channel();
        let runs = Arc::new(Runs {
            seen: sender,
            script: Mutex::default(),
            stuck: AtomicBool::new(false),
            freed: Notify::new(),
        });
        let (intake, worker) = inbox::open(Parts {
            tenant: TenantId::parse("acme").unwrap(),
            connection: ConnectionId::parse("feishu").unwrap(),
            callback: Arc::new(Spoken),
            looker: runs.clone(),
            store: store.clone(),
            journal: Journal::start(store.clone()),
            clock: Arc::new(Still),
            bounds,
            tempo,
        })
        .unwrap();
        let (intake, worker, stop) = (Arc::new(intake), Some(worker), CancellationToken::new());
        Self { intake, store, runs, seen, worker, stop }
    }

    fn new() -> Self {
        Self::open(Arc::new(MemoryStore::default()), BOUNDS, TEMPO)
    }

    fn work(&mut self) {
        tokio::spawn(self.worker.take().unwrap().run(self.stop.clone()));
    }

    /// Delivers a body and returns the status.
    async fn push(&self, body: &str) -> u16 {
        push(&self.intake, body).await
    }

    /// What the next run looked at.
    async fn next(&mut self) -> String {
        tokio::time::timeout(Duration::from_secs(20), self.seen.recv()).await.unwrap().unwrap()
    }

    fn tally(&self) -> Tally {
        self.intake.tally()
    }

    /// Waits until the counts are as they should be.
    async fn until(&self, fits: impl Fn(&Tally) -> bool) {
        let waiting = async {
            while !fits(&self.tally()) {
                tokio::task::yield_now().await;
            }
        };
        let ended = tokio::time::timeout(Duration::from_secs(20), waiting).await;
        assert!(ended.is_ok(), "{:?}", self.tally());
    }
}

impl Drop for Scene {
    fn drop(&mut self) {
        self.stop.cancel();
    }
}

async fn push(intake: &Intake, body: &str) -> u16 {
    let delivery = Delivery {
        method: "POST".into(),
        query: String::new(),
        headers: Vec::new(),
        body: body.as_bytes().to_vec(),
    };
    intake.receive(delivery).await.status
}

#[tokio::test]
async fn an_event_is_on_disk_before_it_is_acknowledged() {
    let scene = Scene::new();
    assert_eq!(scene.push("e1 u1").await, 200);
    assert_eq!(scene.store.flushes.load(Ordering::SeqCst), 1);
    scene.store.fails.store(true, Ordering::SeqCst);
    assert_eq!(scene.push("e2 u1").await, 503, "an event that is not on disk is not acknowledged");
    let tally = scene.tally();
    assert_eq!((tally.received, tally.refused), (1, 1));
}

#[tokio::test]
async fn an_event_that_takes_too_long_to_the_disk_is_asked_for_again_and_taken_once() {
    let bounds = Bounds { store: Duration::ZERO, ..BOUNDS };
    let mut scene = Scene::open(Arc::new(MemoryStore::default()), bounds, TEMPO);
    scene.work();
    assert_eq!(scene.push("e1 u1").await, 503);
    assert_eq!(scene.next().await, "u1", "it is worked off all the same");
    assert_eq!(scene.tally().received, 0, "it was not acknowledged");
    scene.until(|tally| tally.worked == 1).await;
}

#[tokio::test]
async fn a_repeated_event_is_acknowledged_again_and_worked_off_once() {
    let mut scene = Scene::new();
    for _ in 0..3 {
        assert_eq!(scene.push("e1 u1").await, 200);
    }
    assert_eq!(scene.push("- same").await, 200);
    assert_eq!(scene.push("- same").await, 200, "without an id the event itself is compared");
    let tally = scene.tally();
    assert_eq!((tally.received, tally.duplicate, tally.waiting), (2, 3, 2));
    scene.work();
    assert_eq!(scene.next().await, "same u1");
    scene.until(|tally| tally.worked == 2).await;
    assert_eq!(scene.push("e1 u1").await, 200);
    assert_eq!((scene.tally().duplicate, scene.tally().waiting), (4, 0), "also once worked off");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn deliveries_that_arrive_together_share_a_flush_and_none_is_taken_twice() {
    let scene = Scene::new();
    let tasks = (0..40).map(|n| {
        let intake = scene.intake.clone();
        tokio::spawn(async move { push(&intake, &format!("e{} u{n}", n / 2)).await })
    });
    for task in tasks.collect::<Vec<_>>() {
        assert_eq!(task.await.unwrap(), 200);
    }
    let tally = scene.tally();
    assert_eq!((tally.received, tally.duplicate), (20, 20));
    let flushes = scene.store.flushes.load(Ordering::SeqCst);
    assert!(flushes < 20, "{flushes} flushes for 40 deliveries");
}

#[tokio::test]
async fn what_is_not_taken_is_counted_and_changes_nothing() {
    let scene = Scene::new();
    assert_eq!(scene.push("forged").await, 401);
    assert_eq!(scene.push("stale").await, 401);
    assert_eq!(scene.push("broken").await, 400);
    assert_eq!(scene.push(&"x".repeat(101)).await, 413);
    assert_eq!(scene.push("unready").await, 503);
    assert_eq!(scene.push("trap").await, 503);
    assert_eq!(scene.push("hello").await, 200);
    let tally = scene.tally();
    assert_eq!((tally.forged, tally.stale, tally.broken), (1, 1, 2));
    assert_eq!((tally.refused, tally.handshake), (2, 1));
    assert_eq!((tally.received, tally.waiting), (0, 0));
    assert_eq!(scene.store.flushes.load(Ordering::SeqCst), 0);
}

#[tokio::test]
async fn a_full_backlog_refuses_until_there_is_room() {
    let mut scene = Scene::new();
    for n in 0..BOUNDS.backlog {
        assert_eq!(scene.push(&format!("e{n} u1")).await, 200);
    }
    assert_eq!(scene.push("one-more u1").await, 503);
    assert_eq!(scene.push("e0 u1").await, 200, "what is known is acknowledged all the same");
    scene.work();
    scene.until(|tally| tally.waiting == 0).await;
    assert_eq!(scene.push("one-more u1").await, 200);
}

#[tokio::test]
async fn an_answer_never_waits_for_a_run() {
    let mut scene = Scene::new();
    scene.runs.stuck.store(true, Ordering::SeqCst);
    scene.work();
    assert_eq!(scene.push("e1 u1").await, 200);
    assert_eq!(scene.next().await, "u1");
    for n in 2..12 {
        assert_eq!(scene.push(&format!("e{n} u{n}")).await, 200);
    }
    assert_eq!(scene.tally().waiting, 11);
    scene.runs.stuck.store(false, Ordering::SeqCst);
    scene.runs.freed.notify_one();
    assert_eq!(scene.next().await, "u10 u11 u2 u3 u4 u5 u6 u7 u8 u9", "one run for all of them");
    scene.until(|tally| tally.worked == 11).await;
}

#[tokio::test]
async fn events_in_any_order_ask_for_the_same_look() {
    for order in [["e1 u1", "e2 u2 u1", "e3 u3"], ["e3 u3", "e2 u2 u1", "e1 u1"]] {
        let mut scene = Scene::new();
        for body in order {
            scene.push(body).await;
        }
        scene.work();
        assert_eq!(scene.next().await, "u1 u2 u3");
    }
}

#[tokio::test]
async fn a_run_that_breaks_off_keeps_its_events() {
    let mut scene = Scene::new();
    let failed = Looked::Failed("the platform is down".to_owned());
    scene.runs.script.lock().unwrap().extend([failed.clone(), failed]);
    scene.push("e1 u1").await;
    scene.work();
    assert_eq!(scene.next().await, "u1");
    scene.until(|tally| tally.error.as_deref() == Some("the platform is down")).await;
    assert_eq!((scene.tally().worked, scene.tally().waiting), (0, 1));
    assert_eq!(scene.next().await, "u1");
    assert_eq!(scene.next().await, "u1");
    scene.until(|tally| tally.worked == 1 && tally.error.is_none()).await;
}

#[tokio::test]
async fn an_event_that_cannot_be_used_leads_to_reading_everything_but_not_again_and_again() {
    let mut scene = Scene::new();
    scene.push("e1 unusable").await;
    scene.push("e2 u2").await;
    scene.work();
    assert_eq!(scene.next().await, "u2");
    assert_eq!(scene.next().await, "everything");
    scene.until(|tally| (tally.worked, tally.lost, tally.waiting) == (1, 1, 0)).await;
    scene.push("e3 unusable").await;
    scene.until(|tally| tally.lost == 2).await;
    scene.push("e4 u4").await;
    assert_eq!(scene.next().await, "u4", "the next listing waits its time, events do not");
}

#[tokio::test]
async fn an_event_that_says_that_everything_changed_is_no_loss() {
    let mut scene = Scene::new();
    scene.push("e1 everything").await;
    scene.work();
    assert_eq!(scene.next().await, "everything");
    assert_eq!((scene.tally().lost, scene.tally().worked), (0, 1));
}

#[tokio::test]
async fn a_platform_without_single_objects_is_listed() {
    let mut scene = Scene::new();
    scene.runs.script.lock().unwrap().push_back(Looked::Unable);
    scene.push("e1 u1").await;
    scene.work();
    assert_eq!((scene.next().await, scene.next().await), ("u1".into(), "everything".into()));
    scene.until(|tally| tally.waiting == 0).await;
}

#[tokio::test]
async fn an_event_of_no_interest_asks_for_no_run() {
    let mut scene = Scene::new();
    scene.push("e1").await;
    scene.work();
    scene.until(|tally| tally.worked == 1).await;
    assert!(scene.seen.try_recv().is_err());
}

fn sled(folder: &Path) -> Arc<dyn Store> {
    Arc::new(SledStore::open(folder, Options::default()).unwrap())
}

#[tokio::test]
async fn what_a_process_left_is_worked_off_by_the_next_also_a_listing_that_is_due() {
    let folder = tempfile::tempdir().unwrap();
    let state = folder.path().join("state");
    {
        let mut scene = Scene::open(sled(&state), BOUNDS, TEMPO);
        scene.runs.stuck.store(true, Ordering::SeqCst);
        scene.push("e1 unusable").await;
        scene.work();
        // The mark is on disk, the run never ends.
        assert_eq!(scene.next().await, "everything");
        scene.push("e2 u2").await;
        scene.runs.stuck.store(false, Ordering::SeqCst);
        scene.runs.script.lock().unwrap().extend([Looked::Failed("stopped".to_owned())]);
        scene.stop.cancel();
        scene.runs.freed.notify_one();
    }
    // The journal's thread lets go of the store once the last inbox is gone.
    let store = loop {
        match SledStore::open(&state, Options::default()) {
            Ok(store) => break Arc::new(store),
            Err(StoreError::Locked { .. }) => tokio::task::yield_now().await,
            Err(cause) => panic!("{cause}"),
        }
    };
    let mut scene = Scene::open(store, BOUNDS, TEMPO);
    assert_eq!(scene.tally().waiting, 1);
    assert_eq!(scene.push("e2 u2").await, 200);
    assert_eq!(scene.tally().duplicate, 1, "ids outlive the process");
    scene.work();
    assert_eq!((scene.next().await, scene.next().await), ("everything".into(), "u2".into()));
    scene.until(|tally| tally.waiting == 0).await;
}
