//! Long connections: what is the same on every platform that has them.
//!
//! A WebSocket is open; the platform's own [`Talk`] says what its messages mean, and this pumps events out of the feed until
//! they are acknowledged. The invariant: without a fault every event of the feed is sent to exactly one open connection.

use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::sync::watch;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::Message;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};

use crate::endpoint::Endpoint;
use crate::faults::Fault;
use crate::feed::Due;
use crate::platform::Front;
use crate::server::House;
use crate::site::Site;

/// A client's message may have so many bytes.
const MESSAGE_BYTES: usize = 256 * 1_024;
/// So many events are on their way over one connection.
const ON_THE_WAY: usize = 64;
/// A client that reads nothing for so long is cut off.
const WRITE_TIME: Duration = Duration::from_secs(10);

/// One connection in the platform's terms.
pub(crate) trait Talk: Send {
    /// Where its faults are rolled.
    fn endpoint(&self) -> Endpoint;

    /// An event as messages, several when it is to come in pieces. The key comes back when it is settled.
    fn event(&mut self, key: u64, envelope: &str, in_pieces: bool) -> Vec<Message>;

    /// What a message of the client means.
    fn heard(&mut self, message: &Message) -> Heard;

    /// Announces that the connection is about to be dropped.
    fn farewell(&mut self) -> Message;

    /// The platform's own sign of life, and how often it gives it.
    fn beat(&mut self) -> Option<(Message, Duration)>;
}

/// What a message of a client means.
#[derive(Debug)]
pub(crate) enum Heard {
    Nothing,
    Reply(Message),
    Acknowledged(u64),
    Refused(u64),
}

/// The open connections, and what is done to all of them.
#[derive(Debug)]
pub(crate) struct Lines {
    open: AtomicUsize,
    opened: AtomicUsize,
    orders: watch::Sender<Order>,
    /// How long a connection lives after it was announced that it will be dropped.
    pub notice: Duration,
}

/// Given to every open connection; the number makes each order a new one.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
struct Order {
    nth: u64,
    what: What,
}

#[derive(Clone, Copy, Debug, Default, PartialEq, Eq)]
pub(crate) enum What {
    #[default]
    Nothing,
    /// Drop without a word.
    Cut,
    /// Announce the drop, and drop then.
    Announce,
}

impl Lines {
    pub(crate) fn new(notice: Duration) -> Self {
        let (open, opened) = (AtomicUsize::new(0), AtomicUsize::new(0));
        Self { open, opened, orders: watch::Sender::default(), notice }
    }

    /// How many are open.
    pub(crate) fn open(&self) -> usize {
        self.open.load(Ordering::Relaxed)
    }

    /// How many have ever been opened.
    pub(crate) fn opened(&self) -> usize {
        self.opened.load(Ordering::Relaxed)
    }

    pub(crate) fn order(&self, what: What) {
        self.orders.send_modify(|order| *order = Order { nth: order.nth + 1, what });
    }
}

/// How a connection goes on.
enum Next {
    Heard(Option<Message>),
    Due(Due),
    Order(What),
    Beat,
    Drop,
    Close,
}

/// Talks over one WebSocket until either side ends it, or the server closes.
pub(crate) async fn serve<S: AsyncRead + AsyncWrite + Send + Unpin>(
    socket: S,
    talk: Box<dyn Talk>,
    house: House,
    closing: watch::Receiver<()>,
) {
    let House { site, front, .. } = house;
    let config = WebSocketConfig::default()
        .read_buffer_size(8 * 1_024)
        .write_buffer_size(0)
        .max_message_size(Some(MESSAGE_BYTES));
    let wire = WebSocketStream::from_raw_socket(socket, Role::Server, Some(config)).await;
    site.feed.open();
    site.lines.open.fetch_add(1, Ordering::Relaxed);
    site.lines.opened.fetch_add(1, Ordering::Relaxed);
    let orders = site.lines.orders.subscribe();
    let mut line = Line {
        wire,
        talk,
        site,
        front,
        orders,
        closing,
        out: Vec::new(),
        drop_at: None,
        silent: false,
    };
    while line.step().await.is_some() {}
    let Line { site, out, .. } = line;
    // What was on its way comes again by the schedule.
    let uptime = site.clock.uptime();
    for key in out {
        site.feed.refuse(key, uptime);
    }
    site.lines.open.fetch_sub(1, Ordering::Relaxed);
}

struct Line<S> {
    wire: WebSocketStream<S>,
    talk: Box<dyn Talk>,
    site: Arc<Site>,
    front: Arc<dyn Front>,
    orders: watch::Receiver<Order>,
    closing: watch::Receiver<()>,
    /// Sent and not settled.
    out: Vec<u64>,
    /// When the announced drop comes; no event is sent before it any more.
    drop_at: Option<Instant>,
    /// A fault: nothing is said or answered any more.
    silent: bool,
}

impl<S: AsyncRead + AsyncWrite + Send + Unpin> Line<S> {
    /// `None` when it is over.
    async fn step(&mut self) -> Option<()> {
        let free = self.out.len() < ON_THE_WAY && self.drop_at.is_none() && !self.silent;
        let beat = self.talk.beat().filter(|_| !self.silent);
        let beat_at = Instant::now() + beat.as_ref().map_or(Duration::MAX / 4, |beat| beat.1);
        let drop_at = self.drop_at;
        let next = tokio::select! {
            biased;
            _ = self.closing.changed() => Next::Close,
            Ok(()) = self.orders.changed() => Next::Order(self.orders.borrow_and_update().what),
            message = self.wire.next(), if !self.silent => Next::Heard(message.and_then(Result::ok)),
            () = sleep_until(drop_at.unwrap_or(beat_at)), if drop_at.is_some() => Next::Drop,
            due = self.site.feed.next(&self.site.clock), if free => Next::Due(due),
            () = sleep_until(beat_at), if beat.is_some() => Next::Beat,
        };
        match next {
            Next::Close => {
                timeout(Duration::from_secs(1), self.wire.close(None)).await.ok()?.ok()?;
                None
            }
            Next::Order(What::Nothing) => Some(()),
            Next::Order(What::Cut) | Next::Drop => None,
            Next::Order(What::Announce) => self.announce().await,
            Next::Heard(message) => self.hear(message?).await,
            Next::Due(due) => self.push(due).await,
            Next::Beat => self.say(beat?.0).await,
        }
    }

    async fn announce(&mut self) -> Option<()> {
        let farewell = self.talk.farewell();
        self.drop_at = Some(Instant::now() + self.site.lines.notice);
        self.say(farewell).await
    }

    async fn hear(&mut self, message: Message) -> Option<()> {
        let endpoint = self.talk.endpoint();
        match self.talk.heard(&message) {
            Heard::Nothing => {}
            Heard::Reply(answer) => self.say(answer).await?,
            // The fault: the acknowledgement is lost on its way.
            Heard::Acknowledged(key) if self.site.strikes(Fault::LostAck, endpoint) => {
                self.settled(key);
                self.site.feed.refuse(key, self.site.clock.uptime());
            }
            Heard::Acknowledged(key) => {
                self.settled(key);
                self.site.feed.acknowledge(key);
            }
            Heard::Refused(key) => {
                self.settled(key);
                self.site.feed.refuse(key, self.site.clock.uptime());
            }
        }
        Some(())
    }

    fn settled(&mut self, key: u64) {
        self.out.retain(|out| *out != key);
    }

    async fn push(&mut self, due: Due) -> Option<()> {
        let endpoint = self.talk.endpoint();
        let site = Arc::clone(&self.site);
        let strikes = |fault| site.strikes(fault, endpoint);
        let Some(envelope) = self.front.event(&self.site.world(), &due.change) else {
            self.site.feed.forget(due.key);
            return Some(());
        };
        let messages = self.talk.event(due.key, &envelope, strikes(Fault::Fragments));
        self.settled(due.key);
        self.out.push(due.key);
        if strikes(Fault::Silence) {
            self.silent = true;
            return Some(());
        }
        if strikes(Fault::Cut) {
            return None;
        }
        let times = if strikes(Fault::Duplicates) { 2 } else { 1 };
        let farewell = strikes(Fault::Farewell);
        for message in (0..times).flat_map(|_| messages.clone()) {
            self.say(message).await?;
        }
        if farewell { self.announce().await } else { Some(()) }
    }

    async fn say(&mut self, message: Message) -> Option<()> {
        timeout(WRITE_TIME, self.wire.send(message)).await.ok()?.ok()
    }
}
