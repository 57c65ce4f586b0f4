//! A WebSocket to a granted address, through the clients that every other request goes through.
//!
//! Not the frames on it. The invariant: the address was granted and checked as for a request; nothing else can be opened.

use std::time::Duration;

use reqwest::header::{
    CONNECTION, HeaderMap, HeaderValue, SEC_WEBSOCKET_ACCEPT, SEC_WEBSOCKET_KEY,
    SEC_WEBSOCKET_VERSION, UPGRADE,
};
use reqwest::{Method, Request, StatusCode, Version};
use tokio::time::timeout;
use tokio_tungstenite::WebSocketStream;
use tokio_tungstenite::tungstenite::handshake::client::generate_key;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;
use tokio_tungstenite::tungstenite::protocol::{Role, WebSocketConfig};
use url::Url;

use super::client::{Clients, NetError};
use super::grant::{Endpoint, Reach};

/// A message may have so many bytes.
pub(in crate::host) const MESSAGE_BYTES: usize = 1 << 20;
const BUFFER_BYTES: usize = 8 << 10;
const URL_BYTES: usize = 8 << 10;

/// What a WebSocket runs over.
pub(in crate::host) trait Pipe:
    tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin
{
}

impl<T: tokio::io::AsyncRead + tokio::io::AsyncWrite + Send + Unpin> Pipe for T {}

/// An open WebSocket.
pub(in crate::host) type Wire = WebSocketStream<Box<dyn Pipe>>;

/// Why there is no WebSocket.
#[derive(Debug)]
pub(in crate::host) enum WireError {
    /// No `ws` or `wss` URL without credentials.
    Address,
    /// The tenant does not grant this host.
    NotGranted(String),
    /// The way there failed.
    Net(NetError),
    /// The server answered with something else.
    Refused(u16, HeaderMap),
}

/// Makes a WebSocket of a pipe whose other end has agreed to it.
pub(in crate::host) async fn speak(pipe: Box<dyn Pipe>) -> Wire {
    let config = WebSocketConfig::default()
        .read_buffer_size(BUFFER_BYTES)
        .write_buffer_size(0)
        .max_write_buffer_size(MESSAGE_BYTES)
        .max_message_size(Some(MESSAGE_BYTES))
        .max_frame_size(Some(MESSAGE_BYTES));
    WebSocketStream::from_raw_socket(pipe, Role::Client, Some(config)).await
}

/// Opens the WebSocket that a platform named.
pub(in crate::host) async fn open(
    clients: &Clients,
    reach: &Reach,
    url: &Url,
    within: Duration,
) -> Result<Wire, WireError> {
    let endpoint = Endpoint::of_socket(url).filter(|_| url.as_str().len() <= URL_BYTES);
    let endpoint = endpoint.ok_or(WireError::Address)?;
    let route =
        reach.granted(&endpoint).ok_or_else(|| WireError::NotGranted(endpoint.to_string()))?;
    let key = generate_key();
    let request = request(url, &key).ok_or(WireError::Address)?;
    let response = clients.execute(route, request);
    let response = timeout(within, response).await;
    let response = response.unwrap_or(Err(NetError::Deadline)).map_err(WireError::Net)?;
    if response.status() != StatusCode::SWITCHING_PROTOCOLS {
        return Err(WireError::Refused(response.status().as_u16(), response.headers().clone()));
    }
    let accepted = response.headers().get(SEC_WEBSOCKET_ACCEPT).map(HeaderValue::as_bytes);
    if accepted != Some(derive_accept_key(key.as_bytes()).as_bytes()) {
        return Err(WireError::Net(NetError::Network("the server speaks no WebSocket")));
    }
    let failed = || WireError::Net(NetError::Network("the connection broke off"));
    let pipe = timeout(within, response.upgrade()).await.ok().and_then(Result::ok);
    Ok(speak(Box::new(pipe.ok_or_else(failed)?)).await)
}

/// The same address as an HTTP request that asks for the upgrade.
fn request(url: &Url, key: &str) -> Option<Request> {
    let http = url.as_str().strip_prefix("ws").map(|rest| format!("http{rest}"))?;
    let mut request = Request::new(Method::GET, Url::parse(&http).ok()?);
    *request.version_mut() = Version::HTTP_11;
    let mut key = HeaderValue::from_str(key).ok()?;
    key.set_sensitive(true);
    let headers = request.headers_mut();
    headers.insert(CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(SEC_WEBSOCKET_VERSION, HeaderValue::from_static("13"));
    headers.insert(SEC_WEBSOCKET_KEY, key);
    Some(request)
}
