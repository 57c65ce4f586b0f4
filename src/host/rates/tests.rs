//! The limits of an app as a whole, against a platform that keeps fixed windows of its own.

use std::sync::atomic::{AtomicU32, Ordering};

use bytes::Bytes;

use super::*;
use crate::port::store::{Op, Pair, Space, StoreError};
use reqwest::header::{HeaderMap, HeaderName};

const MANIFEST: &str = r#"{
    "name": "feishu", "version": "1.0.0", "contract": "0.1.0",
    "rates": {
        "app": ["app_id"], "utc_offset_minutes": 480,
        "classes": [
            {"name": "people", "paths": ["/users/find"], "limits": ["50/second", "1000/minute"]},
            {"name": "each", "paths": ["/a/*", "/b"], "each": true, "limits": ["2/second"]},
            {"name": "metered", "paths": ["/b"], "limits": ["5000/month"]}
        ],
        "throttled": [
            {"at": "/code", "is": ["99991400"], "wait_header": "reset", "limit_header": "limit"},
            {"at": "/code", "is": ["90020"], "month": true}
        ]
    }
}"#;
const NOW_MS: i64 = 1_774_922_400_000;

fn manifest() -> Manifest {
    Manifest::parse(Some(MANIFEST.as_bytes())).unwrap()
}

fn rates_of(budgets: &Budgets, tenant: &str, app: &str) -> Arc<Rates> {
    let settings = BTreeMap::from([("app_id".to_owned(), app.to_owned())]);
    budgets.of(&TenantId::parse(tenant).unwrap(), &manifest(), &settings)
}

fn answer(status: u16, headers: &[(&'static str, u64)], body: &str) -> Fetched {
    let mut map = HeaderMap::new();
    for (name, value) in headers {
        map.insert(HeaderName::from_static(name), (*value).into());
    }
    Fetched { status, headers: map, body: body.to_owned().into() }
}

/// Fixed windows that begin at a moment of the platform's own.
struct Platform {
    began: Instant,
    windows: Mutex<[(u64, u64, u64, u64); 2]>,
    refused: AtomicU32,
}

impl Platform {
    fn new(ahead: Duration) -> Self {
        let windows = Mutex::new([(1, 50, 0, 0), (60, 1_000, 0, 0)]);
        Self { began: Instant::now() - ahead, windows, refused: AtomicU32::new(0) }
    }

    fn ask(&self) -> Fetched {
        let second = self.began.elapsed().as_secs();
        let mut windows = self.windows.lock().unwrap();
        for (length, limit, number, used) in windows.iter_mut() {
            if *number != second / *length {
                (*number, *used) = (second / *length, 0);
            }
            if *used >= *limit {
                self.refused.fetch_add(1, Ordering::Relaxed);
                let headers = [("limit", *limit), ("reset", *length - second % *length)];
                return answer(429, &headers, r#"{"code":99991400}"#);
            }
        }
        for (.., used) in windows.iter_mut() {
            *used += 1;
        }
        answer(200, &[], r#"{"code":0}"#)
    }
}

/// Sends `count` requests, `width` at once, each with its own latency; tells how long all of them took.
async fn send(rates: &Arc<Rates>, platform: &Arc<Platform>, count: u32, width: u32) -> Duration {
    let (began, left) = (Instant::now(), Arc::new(AtomicU32::new(count)));
    let workers: Vec<_> = (0..width)
        .map(|worker| {
            let (rates, platform, left) = (rates.clone(), platform.clone(), left.clone());
            tokio::spawn(async move {
                let classes = rates.classes("/users/find");
                let one = |left: u32| left.checked_sub(1);
                while let Ok(n) = left.fetch_update(Ordering::SeqCst, Ordering::SeqCst, one) {
                    loop {
                        let at = rates.reserve(&classes, Duration::from_mins(2), NOW_MS).unwrap();
                        tokio::time::sleep_until(at).await;
                        if rates.is_blocked(&classes) {
                            continue;
                        }
                        let sent = Instant::now();
                        tokio::time::sleep(Duration::from_millis(u64::from(
                            5 + (n * 7 + worker) % 23,
                        )))
                        .await;
                        if !rates.answered(&classes, sent, &platform.ask(), NOW_MS) {
                            break;
                        }
                    }
                }
            })
        })
        .collect();
    for worker in workers {
        worker.await.unwrap();
    }
    began.elapsed()
}

#[tokio::test(start_paused = true)]
async fn a_sync_runs_at_the_limit_and_hardly_ever_above_it() {
    for ahead in [0, 137, 555, 933] {
        let rates = rates_of(&Budgets::default(), "acme", "a");
        let platform = Arc::new(Platform::new(Duration::from_millis(ahead)));
        let took = send(&rates, &platform, 3_000, 8).await;
        // Three minutes' worth, the last of them at fifty a second.
        let demanded = Duration::from_secs(120 + 1_000 / 50);
        let ratio = took.div_duration_f64(demanded);
        let refused = platform.refused.load(Ordering::Relaxed);
        assert!(ratio <= 1.1, "{ratio} of the time that the limits demand, {ahead} ms ahead");
        assert!(refused <= 12, "{refused} of 3,000 refused, {ahead} ms ahead");
    }
}

#[tokio::test(start_paused = true)]
async fn a_window_that_somebody_else_has_used_up_is_waited_for_once() {
    let rates = rates_of(&Budgets::default(), "acme", "a");
    let platform = Arc::new(Platform::new(Duration::from_secs(20)));
    for _ in 0..1_000 {
        platform.windows.lock().unwrap()[0].3 = 0;
        platform.ask();
    }
    let took = send(&rates, &platform, 500, 8).await;
    assert!(took >= Duration::from_secs(40) && took < Duration::from_secs(55), "{took:?}");
    assert!(platform.refused.load(Ordering::Relaxed) <= 8, "at most what was under way");
}

#[tokio::test(start_paused = true)]
async fn connections_of_one_app_share_its_limits_and_no_others() {
    let budgets = Budgets::default();
    let (one, same) = (rates_of(&budgets, "acme", "a"), rates_of(&budgets, "acme", "a"));
    let (other, neighbour) = (rates_of(&budgets, "acme", "b"), rates_of(&budgets, "beta", "a"));
    assert!(Arc::ptr_eq(&one, &same));
    assert!(!Arc::ptr_eq(&one, &other) && !Arc::ptr_eq(&one, &neighbour));
    drop((one, same, other, neighbour));
    drop(rates_of(&budgets, "acme", "c"));
    let owners = budgets.owners.lock().unwrap();
    assert_eq!(owners.len(), 1, "apps that nobody uses are forgotten");
}

#[tokio::test(start_paused = true)]
async fn a_request_waits_for_every_class_it_counts_in() {
    let rates = rates_of(&Budgets::default(), "acme", "a");
    let now = Instant::now();
    let patience = Duration::from_secs(2);
    let at = |path: &str| rates.reserve(&rates.classes(path), patience, NOW_MS);
    assert_eq!((at("/a/1"), at("/a/2")), (Ok(now), Ok(now)));
    assert!(at("/a/3").unwrap() > now, "the two share a pattern, and so a bucket");
    assert_eq!(at("/b"), Ok(now), "another pattern of the class has its own");
    assert_eq!(at("/unknown"), Ok(now));
    at("/a/4").unwrap();
    assert!(matches!(at("/a/5"), Err(Refused::Later(wait)) if wait > patience), "too long to wait");
}

#[tokio::test]
async fn metered_calls_are_counted_by_the_month_across_restarts() {
    let store: Arc<dyn Store> = Arc::new(Kept::default());
    let rates = || {
        let budgets = Budgets::default();
        budgets.keep_counts(store.clone());
        rates_of(&budgets, "acme", "a")
    };
    let first = rates();
    let classes = first.classes("/b");
    for _ in 0..3 {
        classes.count(NOW_MS).await;
    }
    first.classes("/users/find").count(NOW_MS).await;
    let again = rates();
    let quota = |now_ms| again.quotas(now_ms).remove(0);
    let documented = 5_000;
    let march = Quota {
        class: "metered".into(),
        month: "2026-03".into(),
        used: 3,
        documented,
        spent: false,
    };
    assert_eq!(quota(NOW_MS), march);
    // 2026-03-31 16:00 UTC is April in the platform's zone.
    let april = quota(NOW_MS + 14 * 3_600_000);
    assert_eq!((april.month.as_str(), april.used), ("2026-04", 0));
}

#[tokio::test(start_paused = true)]
async fn a_month_that_is_used_up_stops_metered_calls_alone_and_for_an_hour() {
    let rates = rates_of(&Budgets::default(), "acme", "a");
    let (metered, people) = (rates.classes("/b"), rates.classes("/users/find"));
    let spent = answer(200, &[], r#"{"code":90020}"#);
    assert!(rates.answered(&metered, Instant::now(), &spent, NOW_MS));
    let reserve = |classes, now_ms| rates.reserve(classes, Duration::ZERO, now_ms);
    let fault = reserve(&metered, NOW_MS + 1).unwrap_err().fault();
    assert!(fault.to_string().contains("5000 calls of class `metered`"), "{fault}");
    assert!(reserve(&people, NOW_MS + 1).is_ok());
    assert!(reserve(&metered, NOW_MS + 3_600_001).is_ok(), "more may have been bought");
}

/// A store of one map.
#[derive(Default)]
struct Kept(Mutex<BTreeMap<Vec<u8>, Vec<u8>>>);

impl Store for Kept {
    fn get(&self, _: Space, key: &[u8]) -> Result<Option<Bytes>, StoreError> {
        Ok(self.0.lock().unwrap().get(key).cloned().map(Into::into))
    }
    fn scan(
        &self,
        _: Space,
        _: &[u8],
        _: Option<&[u8]>,
    ) -> Box<dyn Iterator<Item = Result<Pair, StoreError>> + '_> {
        Box::new(std::iter::empty())
    }
    fn write(&self, _: Space, ops: Vec<Op>) -> Result<(), StoreError> {
        for op in ops {
            if let Op::Put(key, value) = op {
                self.0.lock().unwrap().insert(key, value);
            }
        }
        Ok(())
    }
    fn compare_and_set(
        &self,
        _: Space,
        _: &[u8],
        _: Option<&[u8]>,
        _: Option<&[u8]>,
    ) -> Result<bool, StoreError> {
        Ok(false)
    }
    fn flush(&self) -> Result<(), StoreError> {
        Ok(())
    }
    fn size_on_disk(&self) -> Result<u64, StoreError> {
        Ok(0)
    }
}
