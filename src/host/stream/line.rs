//! One WebSocket from its first message to its last.
//!
//! Not how it came about nor what follows it. The invariant: an event is acknowledged only after the inbox stored it; as
//! many events as are being stored at once are bounded, and beyond them nothing is read.

use std::sync::Arc;
use std::time::Duration;

use futures_util::{SinkExt as _, StreamExt as _};
use tokio::sync::watch;
use tokio::task::JoinSet;
use tokio::time::{Instant, sleep_until, timeout};
use tokio_tungstenite::tungstenite::{self, Message};
use tokio_util::sync::CancellationToken;

use crate::host::net::upgrade::Wire;
use crate::model::link::LinkStatus;
use crate::port::clock::Clock;
use crate::port::inbox::Inbox;

use super::error::{StreamError, said};
use super::protocol::{Dialogue, Event, Heard};

/// So many events are being stored at once.
const AT_ONCE: usize = 32;
/// The platforms wait three seconds for an acknowledgement.
const ANSWER_TIME: Duration = Duration::from_millis(2_500);
/// A ping is answered within this time.
const PONG_TIME: Duration = Duration::from_secs(10);
/// A message is on its way within this time, or nobody reads.
const WRITE_TIME: Duration = Duration::from_secs(10);
/// How long a closing connection is listened to.
const CLOSE_TIME: Duration = Duration::from_secs(1);

/// Who takes the events of a line, and who is told.
#[derive(Clone)]
pub(super) struct Ears {
    pub(super) inbox: Arc<dyn Inbox>,
    pub(super) clock: Arc<dyn Clock>,
    pub(super) status: watch::Sender<LinkStatus>,
}

/// How a line ended.
#[derive(Debug, PartialEq, Eq)]
pub(super) enum End {
    /// It was told to.
    Stopped,
    /// It broke, or the other side closed it.
    Lost(StreamError),
}

pub(super) struct Line {
    wire: Wire,
    dialogue: Box<dyn Dialogue>,
    ears: Ears,
    storing: JoinSet<Message>,
    /// When anything was heard.
    heard: Instant,
    /// When a message of the protocol was heard.
    spoken: Instant,
    ping_at: Instant,
}

/// What to do next.
enum Next {
    Stop,
    Acknowledge(Option<Message>),
    Hear(Option<Result<Message, tungstenite::Error>>),
    Tick,
}

impl Line {
    pub(super) fn new(wire: Wire, dialogue: Box<dyn Dialogue>, ears: Ears) -> Self {
        let now = Instant::now();
        let storing = JoinSet::new();
        Self { wire, dialogue, ears, storing, heard: now, spoken: now, ping_at: now }
    }

    /// Keeps the line until `stop`, or until it is lost. Cancels `replace` once another line had better be opened.
    pub(super) async fn run(mut self, stop: CancellationToken, replace: CancellationToken) -> End {
        let end = loop {
            match self.step(&stop, &replace).await {
                Ok(true) => {}
                Ok(false) => break End::Stopped,
                Err(error) => break End::Lost(error),
            }
        };
        self.finish(&end).await;
        end
    }

    async fn step(
        &mut self,
        stop: &CancellationToken,
        replace: &CancellationToken,
    ) -> Result<bool, StreamError> {
        let (idle, full) = (self.storing.is_empty(), self.storing.len() >= AT_ONCE);
        let due = self.due(replace);
        let next = tokio::select! {
            biased;
            () = stop.cancelled() => Next::Stop,
            Some(stored) = self.storing.join_next(), if !idle => Next::Acknowledge(stored.ok()),
            message = self.wire.next(), if !full => Next::Hear(message),
            () = sleep_until(due) => Next::Tick,
        };
        match next {
            Next::Stop => return Ok(false),
            Next::Acknowledge(Some(message)) => self.say(message).await?,
            // The task broke down: without an acknowledgement the event comes again.
            Next::Acknowledge(None) => {}
            Next::Hear(message) => self.hear(message, replace).await?,
            Next::Tick => self.tick(replace).await?,
        }
        Ok(true)
    }

    fn silent_at(&self) -> Instant {
        self.heard + self.dialogue.ping_every() + PONG_TIME
    }

    fn stale_at(&self) -> Option<Instant> {
        self.dialogue.stale_after().map(|after| self.spoken + after)
    }

    fn due(&self, replace: &CancellationToken) -> Instant {
        let due = self.ping_at.min(self.silent_at());
        self.stale_at().filter(|_| !replace.is_cancelled()).map_or(due, |stale| due.min(stale))
    }

    async fn tick(&mut self, replace: &CancellationToken) -> Result<(), StreamError> {
        let now = Instant::now();
        if now >= self.silent_at() {
            return Err(StreamError::Silent(now - self.heard));
        }
        if self.stale_at().is_some_and(|stale| now >= stale) {
            replace.cancel();
        }
        if now >= self.ping_at {
            self.ping_at = now + self.dialogue.ping_every();
            self.say(self.dialogue.ping()).await?;
        }
        Ok(())
    }

    async fn hear(
        &mut self,
        message: Option<Result<Message, tungstenite::Error>>,
        replace: &CancellationToken,
    ) -> Result<(), StreamError> {
        let message = match message {
            Some(Ok(Message::Close(frame))) => {
                let why = frame.map(|frame| format!(" ({}: {})", frame.code, said(&frame.reason)));
                return Err(StreamError::Closed { said: why.unwrap_or_default() });
            }
            Some(Ok(message)) => message,
            Some(Err(error)) => return Err(lost(&error)),
            None => return Err(StreamError::Closed { said: String::new() }),
        };
        self.heard = Instant::now();
        if matches!(message, Message::Text(_) | Message::Binary(_)) {
            self.spoken = self.heard;
        }
        match self.dialogue.heard(message, self.heard)? {
            Heard::Life => {}
            Heard::Reply(answer) => self.say(answer).await?,
            Heard::Event(event) => self.store(*event),
            Heard::Farewell => replace.cancel(),
        }
        // The other side may have asked for another pace.
        self.ping_at = self.ping_at.min(Instant::now() + self.dialogue.ping_every());
        Ok(())
    }

    fn store(&mut self, event: Event) {
        let ears = self.ears.clone();
        self.storing.spawn(async move {
            let answer = timeout(ANSWER_TIME, ears.inbox.receive(event.delivery)).await;
            let stored = answer.is_ok_and(|answer| answer.status == 200);
            let now = ears.clock.now_ms();
            ears.status.send_modify(|status| {
                if stored {
                    status.events += 1;
                    status.last_event_ms = Some(now);
                } else {
                    status.returned += 1;
                }
            });
            if stored { event.stored } else { event.again }
        });
    }

    async fn say(&mut self, message: Message) -> Result<(), StreamError> {
        match timeout(WRITE_TIME, self.wire.send(message)).await {
            Ok(Ok(())) => Ok(()),
            Ok(Err(error)) => Err(lost(&error)),
            Err(_) => Err(StreamError::Silent(WRITE_TIME)),
        }
    }

    /// Lets the events that are being stored come to their end, and closes what is still open.
    async fn finish(&mut self, end: &End) {
        let mut open = *end == End::Stopped;
        while let Some(stored) = self.storing.join_next().await {
            if let (true, Ok(message)) = (open, stored) {
                open = self.say(message).await.is_ok();
            }
        }
        if open && timeout(WRITE_TIME, self.wire.close(None)).await.is_ok() {
            let closed = async { while let Some(Ok(_)) = self.wire.next().await {} };
            timeout(CLOSE_TIME, closed).await.unwrap_or_default();
        }
    }
}

fn lost(error: &tungstenite::Error) -> StreamError {
    use tungstenite::Error as Wrong;
    let reason = match error {
        Wrong::ConnectionClosed | Wrong::AlreadyClosed => {
            return StreamError::Closed { said: String::new() };
        }
        Wrong::Capacity(_) => return StreamError::TooLarge,
        Wrong::Io(cause) => cause.kind().to_string(),
        Wrong::Protocol(cause) => cause.to_string(),
        _ => "the WebSocket failed".to_owned(),
    };
    StreamError::Network { doing: "the long connection broke", reason }
}
