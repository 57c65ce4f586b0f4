//! Talks to the daemon on this machine, or does without one.
//!
//! The invariant: a daemon that runs is asked, never worked around: it holds the state.

use std::net::SocketAddr;
use std::time::Duration;

use serde::de::DeserializeOwned;
use serde_json::Value;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::TcpStream;
use tokio::runtime::Runtime;

use super::Context;
use super::exit::Failure;
use crate::api::{ANSWER_BYTES, KEY};
use crate::app::{self, App, Contact, Question};

/// A daemon that is there answers a question within this time.
const PATIENCE: Duration = Duration::from_mins(10);
/// Most bytes of an answer's head.
const HEAD_BYTES: usize = 16 << 10;

/// Asks the daemon, or without one the state.
pub(super) fn ask<T: DeserializeOwned>(
    context: &Context,
    question: &Question,
) -> Result<T, Failure> {
    Asker::new(context)?.ask(question)
}

/// Whoever has several questions: without a daemon the state is opened once.
pub(super) struct Asker<'c> {
    context: &'c Context,
    contact: Option<Contact>,
    runtime: Option<Runtime>,
    app: Option<App>,
}

impl<'c> Asker<'c> {
    /// Looks for the daemon; opens nothing yet.
    pub(super) fn new(context: &'c Context) -> Result<Self, Failure> {
        let config = app::load_config(&context.config)?;
        let runtime = Some(app::runtime().map_err(Failure::bug)?);
        Ok(Self { context, contact: app::daemon(&config), runtime, app: None })
    }

    /// Asks one question.
    pub(super) fn ask<T: DeserializeOwned>(&mut self, question: &Question) -> Result<T, Failure> {
        let app = if let Some(app) = self.app.take() {
            app
        } else {
            let runtime = self.runtime.take().map_or_else(app::runtime, Ok);
            let runtime = runtime.map_err(Failure::bug)?;
            if let Some(contact) = &self.contact
                && let Ok(answer) = runtime.block_on(post(contact, question))
            {
                self.runtime = Some(runtime);
                return read(&answer);
            }
            App::open_on(&self.context.config, runtime)?
        };
        let answer = app.answer(app.config(), question);
        self.app = Some(app);
        serde_json::from_value(answer?).map_err(Failure::bug)
    }
}

async fn post(contact: &Contact, question: &Question) -> Result<Vec<u8>, std::io::Error> {
    let body = serde_json::to_string(question)?;
    let (address, key) = (contact.address, &contact.key);
    let request = format!(
        "POST /ask HTTP/1.1\r\nhost: {address}\r\n{KEY}: {key}\r\ncontent-length: {}\r\nconnection: close\r\n\r\n{body}",
        body.len()
    );
    exchange(address, &request, PATIENCE).await
}

/// Sends a request and returns the answer, head and all.
pub(super) async fn exchange(
    address: SocketAddr,
    request: &str,
    patience: Duration,
) -> Result<Vec<u8>, std::io::Error> {
    let answer = tokio::time::timeout(patience, async {
        let mut stream = TcpStream::connect(address).await?;
        stream.write_all(request.as_bytes()).await?;
        let mut answer = Vec::new();
        // One byte more than the longest answer with its head, so that a longer one is known to be.
        let most = ANSWER_BYTES + HEAD_BYTES;
        stream.take(most as u64 + 1).read_to_end(&mut answer).await?;
        if answer.len() > most {
            return Err(std::io::Error::other("the answer is longer than any that a daemon gives"));
        }
        Ok::<_, std::io::Error>(answer)
    });
    answer.await.map_err(std::io::Error::other)?
}

/// What follows the head of an answer.
pub(super) fn body(answer: &[u8]) -> &[u8] {
    let head = answer.windows(4).position(|four| four == b"\r\n\r\n");
    head.map_or(&[], |at| &answer[at + 4..])
}

fn read<T: DeserializeOwned>(answer: &[u8]) -> Result<T, Failure> {
    let status = answer.get(9..12).unwrap_or_default();
    if status != b"200" {
        let message = format!("the daemon answered {}", String::from_utf8_lossy(status));
        return Err(Failure::user(message).hint(match status {
            b"503" => "it is busy with other questions; ask again in a moment",
            _ => "it was started anew meanwhile, or by another version; try again, or restart it",
        }));
    }
    let value: Value = serde_json::from_slice(body(answer)).map_err(Failure::bug)?;
    if let Some(message) = value["error"].as_str() {
        let failure = Failure::user(message);
        return Err(match value["hint"].as_str() {
            Some(hint) => failure.hint(hint),
            None => failure,
        });
    }
    serde_json::from_value(value["answer"].clone()).map_err(Failure::bug)
}
