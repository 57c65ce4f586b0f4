//! The keeping of a connection, against a platform made of memory. Time is paused: what takes hours takes none.

use std::collections::VecDeque;
use std::sync::Mutex;

use async_trait::async_trait;
use futures_util::{SinkExt as _, StreamExt as _};
use serde_json::{Value, json};
use tokio::io::DuplexStream;
use tokio::sync::{Semaphore, mpsc};
use tokio::task::JoinHandle;
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::Role;
use url::Url;

use super::*;
use crate::host::OsRandom;
use crate::host::contract::since_v0_1::http::Request;
use crate::host::net::upgrade::{self, Wire};
use crate::port::clock::Clock;
use crate::port::inbox::{Answer, Delivery};

type Peer = WebSocketStream<DuplexStream>;

struct At(i64);
impl Clock for At {
    fn now_ms(&self) -> i64 {
        self.0
    }
}

/// A platform that hands its end of every WebSocket to the test.
struct Platform {
    peers: mpsc::UnboundedSender<Peer>,
    refusals: Mutex<VecDeque<StreamError>>,
}

#[async_trait]
impl Door for Arc<Platform> {
    async fn ask(&self, _: Request) -> Result<(u16, Vec<u8>), StreamError> {
        if let Some(error) = self.refusals.lock().unwrap().pop_front() {
            return Err(error);
        }
        Ok((200, br#"{"endpoint":"wss://ws.example.com/connect","ticket":"t"}"#.to_vec()))
    }

    async fn open(&self, _: &Url, _: &dyn Protocol) -> Result<Wire, StreamError> {
        let (ours, theirs) = tokio::io::duplex(64 << 10);
        self.peers
            .send(WebSocketStream::from_raw_socket(theirs, Role::Server, None).await)
            .unwrap();
        Ok(upgrade::speak(Box::new(ours)).await)
    }
}

/// An inbox that stores, refuses, or waits for permits.
struct Fake {
    taken: Mutex<Vec<Delivery>>,
    status: u16,
    permits: Semaphore,
}

#[async_trait]
impl Inbox for Fake {
    async fn receive(&self, delivery: Delivery) -> Answer {
        let permit = self.permits.acquire().await.unwrap();
        permit.forget();
        self.taken.lock().unwrap().push(delivery);
        Answer { status: self.status, content_type: String::new(), body: Vec::new() }
    }
}

struct Bench {
    platform: Arc<Platform>,
    peers: mpsc::UnboundedReceiver<Peer>,
    inbox: Arc<Fake>,
    status: watch::Receiver<LinkStatus>,
    stop: CancellationToken,
    task: JoinHandle<()>,
}

impl Bench {
    fn start(refusals: Vec<StreamError>, status: u16, permits: usize) -> Self {
        let (sender, peers) = mpsc::unbounded_channel();
        let platform = Arc::new(Platform { peers: sender, refusals: Mutex::new(refusals.into()) });
        let (taken, permits) = (Mutex::default(), Semaphore::new(permits));
        let inbox = Arc::new(Fake { taken, status, permits });
        let (sender, receiver) = watch::channel(LinkStatus::default());
        let stream = Stream {
            tenant: TenantId::parse("acme").unwrap(),
            connection: ConnectionId::parse("ding").unwrap(),
            protocol: Box::new(DingTalk {
                base: "https://api.example.com".into(),
                app_id: "a".into(),
                app_secret: "s".into(),
            }),
            door: Box::new(platform.clone()),
            ears: Ears { inbox: inbox.clone(), clock: Arc::new(At(7)), status: sender },
            random: Arc::new(OsRandom),
            pauses: Pauses::default(),
        };
        let stop = CancellationToken::new();
        let task = tokio::spawn(stream.run(stop.clone()));
        Self { platform, peers, inbox, status: receiver, stop, task }
    }

    fn well() -> Self {
        Self::start(Vec::new(), 200, Semaphore::MAX_PERMITS)
    }

    async fn peer(&mut self) -> Peer {
        self.peers.recv().await.unwrap()
    }

    async fn until(&mut self, wanted: impl FnMut(&LinkStatus) -> bool) -> LinkStatus {
        self.status.wait_for(wanted).await.unwrap().clone()
    }

    fn taken(&self) -> Vec<String> {
        let taken = self.inbox.taken.lock().unwrap();
        taken.iter().map(|it| String::from_utf8(it.body.clone()).unwrap()).collect()
    }

    async fn end(self) {
        self.stop.cancel();
        self.task.await.unwrap();
        assert_eq!(self.status.borrow().state, LinkState::Stopped);
    }
}

async fn send(peer: &mut Peer, kind: &str, topic: &str, id: &str) {
    let frame = json!({"type": kind, "headers": {"topic": topic, "messageId": id}, "data": format!("\"{id}\"")});
    peer.send(Message::text(frame.to_string())).await.unwrap();
}

/// The next frame of the protocol; pings are passed over.
async fn answer(peer: &mut Peer) -> Option<Value> {
    loop {
        match peer.next().await?.ok()? {
            Message::Text(text) => return Some(serde_json::from_str(&text).unwrap()),
            Message::Close(_) => return None,
            _ => {}
        }
    }
}

async fn acknowledged(peer: &mut Peer) -> (String, String) {
    let answer = answer(peer).await.unwrap();
    let data: Value = serde_json::from_str(answer["data"].as_str().unwrap()).unwrap();
    let text = |value: &Value| value.as_str().unwrap().to_owned();
    (text(&answer["headers"]["messageId"]), text(&data["status"]))
}

#[tokio::test(start_paused = true)]
async fn an_event_is_acknowledged_once_it_is_stored() {
    let mut bench = Bench::start(Vec::new(), 200, 0);
    let mut peer = bench.peer().await;
    send(&mut peer, "EVENT", "*", "e1").await;
    let early = timeout(Duration::from_secs(2), answer(&mut peer)).await;
    assert!(early.is_err(), "acknowledged before it was stored: {early:?}");
    bench.inbox.permits.add_permits(1);
    assert_eq!(acknowledged(&mut peer).await, ("e1".to_owned(), "SUCCESS".to_owned()));
    assert_eq!(bench.taken(), ["\"e1\""]);
    let status = bench.until(|status| status.events == 1).await;
    assert_eq!((status.state, status.last_event_ms), (LinkState::Connected, Some(7)));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_not_stored_in_time_or_at_all_is_asked_for_again() {
    for (status, permits) in [(503, 1), (200, 0)] {
        let mut bench = Bench::start(Vec::new(), status, permits);
        let mut peer = bench.peer().await;
        send(&mut peer, "EVENT", "*", "e1").await;
        assert_eq!(acknowledged(&mut peer).await.1, "LATER");
        bench.until(|status| status.returned == 1 && status.events == 0).await;
        bench.end().await;
    }
}

#[tokio::test(start_paused = true)]
async fn an_announced_drop_is_relieved_before_it_comes() {
    let mut bench = Bench::well();
    let mut old = bench.peer().await;
    send(&mut old, "SYSTEM", "disconnect", "d").await;
    let mut new = bench.peer().await;
    // The old connection takes events until the new one is up, and is closed then.
    send(&mut new, "EVENT", "*", "e1").await;
    assert_eq!(acknowledged(&mut new).await.1, "SUCCESS");
    assert_eq!(answer(&mut old).await, None);
    let status = bench.until(|status| status.reconnects == 1).await;
    assert_eq!((status.state, status.last_error), (LinkState::Connected, None));
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_lost_connection_is_made_again() {
    let mut bench = Bench::well();
    drop(bench.peer().await);
    let status = bench.until(|status| status.state == LinkState::Waiting).await;
    assert!(status.last_error.is_some() && status.connected_since_ms.is_none(), "{status:?}");
    let mut peer = bench.peer().await;
    send(&mut peer, "EVENT", "*", "e1").await;
    assert_eq!(acknowledged(&mut peer).await.1, "SUCCESS");
    assert_eq!(bench.status.borrow().reconnects, 1);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn silence_ends_a_connection() {
    let mut bench = Bench::well();
    // Never read from, so that no ping is answered.
    let _deaf = bench.peer().await;
    let begin = Instant::now();
    let status = bench.until(|status| status.state == LinkState::Waiting).await;
    assert!(status.last_error.unwrap().contains("nothing was heard"));
    assert_eq!(begin.elapsed().as_secs(), 40);
    bench.peer().await;
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_socket_that_lives_without_a_frame_is_replaced() {
    let mut bench = Bench::well();
    let mut dull = bench.peer().await;
    let begin = Instant::now();
    // Reading answers pings.
    let fresh = tokio::select! {
        biased;
        fresh = bench.peers.recv() => fresh.unwrap(),
        said = answer(&mut dull) => panic!("said {said:?}"),
    };
    assert_eq!(begin.elapsed().as_secs() / 60, 60);
    assert_eq!(answer(&mut dull).await, None);
    drop(fresh);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_platform_that_is_down_is_tried_with_growing_waits() {
    let down = || StreamError::Busy { code: 503, said: "later".into() };
    let mut bench = Bench::start(vec![down(), down(), down()], 200, 0);
    let begin = Instant::now();
    bench.peer().await;
    let waited = begin.elapsed();
    assert!(
        (Duration::from_millis(3_500)..=Duration::from_secs(7)).contains(&waited),
        "{waited:?}"
    );
    assert!(bench.platform.refusals.lock().unwrap().is_empty());
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_people_must_mend_is_told_and_tried_rarely() {
    let mut bench =
        Bench::start(vec![StreamError::NotGranted { host: "ws.example.com".into() }], 200, 0);
    let status = bench.until(|status| status.state == LinkState::Waiting).await;
    assert!(status.last_error.unwrap().contains("`ws.example.com`"));
    let begin = Instant::now();
    bench.peer().await;
    assert!(begin.elapsed() >= Duration::from_secs(150), "{:?}", begin.elapsed());
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn what_is_being_stored_is_bounded_and_all_of_it_comes_to_an_end() {
    let mut bench = Bench::start(Vec::new(), 200, 0);
    let mut peer = bench.peer().await;
    for nth in 0..100 {
        send(&mut peer, "EVENT", "*", &nth.to_string()).await;
    }
    tokio::time::sleep(Duration::from_millis(100)).await;
    bench.inbox.permits.add_permits(32);
    for _ in 0..32 {
        assert_eq!(acknowledged(&mut peer).await.1, "SUCCESS");
    }
    assert_eq!(bench.taken().len(), 32);
    bench.inbox.permits.add_permits(68);
    for _ in 0..68 {
        assert_eq!(acknowledged(&mut peer).await.1, "SUCCESS");
    }
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn stopping_acknowledges_what_is_being_stored_and_closes() {
    let mut bench = Bench::start(Vec::new(), 200, 0);
    let mut peer = bench.peer().await;
    send(&mut peer, "EVENT", "*", "e1").await;
    tokio::time::sleep(Duration::from_millis(100)).await;
    bench.stop.cancel();
    bench.inbox.permits.add_permits(1);
    assert_eq!(acknowledged(&mut peer).await.1, "SUCCESS");
    assert_eq!(answer(&mut peer).await, None);
    bench.end().await;
}

#[tokio::test(start_paused = true)]
async fn a_message_that_is_too_large_costs_the_connection_and_nothing_else() {
    let mut bench = Bench::well();
    let mut peer = bench.peer().await;
    let large = Message::text("x".repeat(upgrade::MESSAGE_BYTES + 1));
    drop(timeout(Duration::from_secs(1), peer.send(large)).await);
    let status = bench.until(|status| status.state == LinkState::Waiting).await;
    assert!(status.last_error.unwrap().contains("larger than"));
    bench.peer().await;
    bench.end().await;
}
