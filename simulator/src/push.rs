//! Events pushed to an address over HTTP, as a platform does once an administrator has entered it.
//!
//! Not how an event is encrypted, signed or acknowledged, which is the platform's [`Push`], nor when it comes again, which is
//! the feed's. The invariant: the address is tried first, and nothing is pushed to one that did not pass.

use std::fmt;
use std::sync::Arc;
use std::time::Duration;

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::Request;
use hyper::body::Bytes;
use hyper::client::conn::http1;
use hyper::header::{CONTENT_TYPE, HOST};
use hyper_util::rt::TokioIo;
use tokio::net::TcpStream;
use tokio::task::JoinSet;
use tokio::time::timeout;

use crate::feed::Due;
use crate::platform::Front;
use crate::site::Site;

/// The platforms wait this long for an answer.
const PATIENCE: Duration = Duration::from_secs(3);
/// So many events are on their way at the same time.
const AT_ONCE: usize = 16;
/// No more is read of an answer.
const ANSWER_MOST: usize = 64 * 1_024;

/// What platform and receiver both know; the platform's console shows it to the administrator.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct CallbackKeys {
    /// Feishu's verification token, which [`crate::Builder::events_as`] sets; what the other platforms sign with.
    pub token: String,
    /// What events are encrypted with; the platforms that always encrypt cannot do without.
    pub key: Option<String>,
}

/// An address that the platform does not take.
#[derive(Debug, thiserror::Error)]
pub enum CallbackError {
    /// No address.
    #[error("`{url}` is no address; write it as http://127.0.0.1:7420/callbacks/acme/feishu")]
    Url {
        /// What was given.
        url: String,
    },
    /// This platform does not push over HTTP, or not without a key.
    #[error("the platform pushes nothing over HTTP with these keys; give a token and a key")]
    Nothing,
    /// Nobody answered in time.
    #[error("`{url}` did not answer: {reason}")]
    Silent {
        /// The address.
        url: String,
        /// Why not.
        reason: String,
    },
    /// The answer to the trial is wrong.
    #[error("`{url}` answered the trial with status {status} and not as it should")]
    Wrong {
        /// The address.
        url: String,
        /// The status of its answer.
        status: u16,
    },
}

/// One platform's way to push.
pub(crate) trait Push: Send + Sync {
    /// The request by which an address is tried.
    fn trial(&self) -> Post;
    /// Whether the answer to the trial is right.
    fn passes(&self, reply: &Reply) -> bool;
    /// An event on its way.
    fn post(&self, event: &str) -> Post;
    /// Whether an answer acknowledges an event.
    fn acknowledges(&self, reply: &Reply) -> bool;
}

/// A request to the receiver.
#[derive(Clone, Debug, Default)]
pub(crate) struct Post {
    pub get: bool,
    /// Percent-encoded, without the question mark.
    pub query: String,
    pub headers: Vec<(&'static str, String)>,
    pub content_type: &'static str,
    pub body: Vec<u8>,
}

/// The receiver's answer.
#[derive(Debug)]
pub(crate) struct Reply {
    pub status: u16,
    pub body: Vec<u8>,
}

/// Where a receiver is.
#[derive(Clone, Debug)]
struct Target {
    authority: String,
    path: String,
}

impl Target {
    fn parse(url: &str) -> Option<Self> {
        let rest = url.strip_prefix("http://")?;
        let (authority, path) = rest.split_at(rest.find('/').unwrap_or(rest.len()));
        let path = if path.is_empty() { "/" } else { path };
        let plain = !authority.is_empty() && !path.contains(['?', '#', ' ']);
        plain.then(|| Self { authority: authority.to_owned(), path: path.to_owned() })
    }

    async fn send(&self, post: Post) -> Result<Reply, String> {
        timeout(PATIENCE, self.exchange(post)).await.unwrap_or(Err("no answer in time".to_owned()))
    }

    async fn exchange(&self, post: Post) -> Result<Reply, String> {
        let told = |error: &dyn fmt::Display| error.to_string();
        let stream = TcpStream::connect(&self.authority).await.map_err(|error| told(&error))?;
        let (mut sender, connection) =
            http1::handshake(TokioIo::new(stream)).await.map_err(|error| told(&error))?;
        let mark = if post.query.is_empty() { "" } else { "?" };
        let mut request = Request::builder()
            .method(if post.get { "GET" } else { "POST" })
            .uri(format!("{}{mark}{}", self.path, post.query))
            .header(HOST, &self.authority);
        if !post.content_type.is_empty() {
            request = request.header(CONTENT_TYPE, post.content_type);
        }
        for (name, value) in post.headers {
            request = request.header(name, value);
        }
        let request =
            request.body(Full::new(Bytes::from(post.body))).map_err(|error| told(&error))?;
        let answer = async {
            let response = sender.send_request(request).await.map_err(|error| told(&error))?;
            let status = response.status().as_u16();
            let body = Limited::new(response.into_body(), ANSWER_MOST).collect().await;
            let body = body.map_err(|error| told(&error))?.to_bytes().to_vec();
            Ok(Reply { status, body })
        };
        tokio::select! {
            answer = answer => answer,
            // Only once the connection has ended without an answer.
            Err(error) = connection => Err(told(&error)),
        }
    }
}

/// Pushes to an address that has passed its trial.
pub(crate) struct Pusher {
    site: Arc<Site>,
    front: Arc<dyn Front>,
    push: Arc<dyn Push>,
    target: Target,
}

impl Pusher {
    /// Tries an address.
    pub(crate) async fn begin(
        site: &Arc<Site>,
        front: &Arc<dyn Front>,
        (url, keys): (&str, CallbackKeys),
    ) -> Result<Self, CallbackError> {
        let url = url.to_owned();
        let Some(target) = Target::parse(&url) else { return Err(CallbackError::Url { url }) };
        let push: Arc<dyn Push> = front.push(keys).ok_or(CallbackError::Nothing)?.into();
        match target.send(push.trial()).await {
            Err(reason) => Err(CallbackError::Silent { url, reason }),
            Ok(reply) if !push.passes(&reply) => {
                Err(CallbackError::Wrong { url, status: reply.status })
            }
            Ok(_) => {
                let (site, front) = (Arc::clone(site), Arc::clone(front));
                site.feed.open();
                Ok(Self { site, front, push, target })
            }
        }
    }

    /// Pushes whatever happens from now on.
    pub(crate) async fn run(self) {
        let Self { site, front, push, target } = self;
        let mut on_their_way = JoinSet::new();
        loop {
            let Due { change, key } = tokio::select! {
                due = site.feed.next(&site.clock), if on_their_way.len() < AT_ONCE => due,
                Some(_) = on_their_way.join_next() => continue,
            };
            let event = front.event(&site.world(), &change);
            let Some(event) = event else {
                site.feed.forget(key);
                continue;
            };
            let (site, push, target) = (Arc::clone(&site), Arc::clone(&push), target.clone());
            on_their_way.spawn(async move {
                match target.send(push.post(&event)).await {
                    Ok(reply) if push.acknowledges(&reply) => site.feed.acknowledge(key),
                    Ok(_) | Err(_) => site.feed.refuse(key, site.clock.uptime()),
                }
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_address_has_a_host_and_perhaps_a_path() {
        let parts = |url| Target::parse(url).map(|it| (it.authority, it.path));
        let of = |authority: &str, path: &str| Some((authority.to_owned(), path.to_owned()));
        assert_eq!(parts("http://127.0.0.1:1/a/b"), of("127.0.0.1:1", "/a/b"));
        assert_eq!(parts("http://127.0.0.1:1"), of("127.0.0.1:1", "/"));
        for wrong in ["https://127.0.0.1:1/a", "127.0.0.1:1", "http:///a", "http://a/b?c"] {
            assert_eq!(parts(wrong), None, "{wrong}");
        }
    }
}
