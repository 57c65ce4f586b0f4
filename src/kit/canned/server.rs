//! HTTP on this machine, and the troubles that are HTTP's own.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::sync::Arc;
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::State;
use axum::http::{HeaderMap, Method, StatusCode, Uri};
use axum::response::Response;
use futures_util::stream::{self, StreamExt as _};
use percent_encoding::percent_decode_str;
use tokio::net::TcpListener;
use tokio::task::JoinHandle;

use super::exchange::{Asked, Reply};
use super::site::Site;

/// The pause between the bytes of a body that takes for ever.
const DRIP: Duration = Duration::from_millis(50);
/// The largest body that is read.
const BODY_BYTES: usize = 4 << 20;

/// A running server; it stops when it is dropped.
pub(super) struct Server {
    address: SocketAddr,
    task: JoinHandle<()>,
}

impl Server {
    pub(super) async fn start(site: Arc<Site>) -> io::Result<Self> {
        let listener = TcpListener::bind("127.0.0.1:0").await?;
        let address = listener.local_addr()?;
        let limit = axum::extract::DefaultBodyLimit::max(BODY_BYTES);
        let router = Router::new().fallback(answer).layer(limit).with_state(site);
        let task = tokio::spawn(async move {
            // It ends with the task, whatever it says.
            axum::serve(listener, router).await.unwrap_or_default();
        });
        Ok(Self { address, task })
    }

    pub(super) fn address(&self) -> SocketAddr {
        self.address
    }
}

impl Drop for Server {
    fn drop(&mut self) {
        self.task.abort();
    }
}

async fn answer(
    State(site): State<Arc<Site>>,
    method: Method,
    uri: Uri,
    headers: HeaderMap,
    body: Bytes,
) -> Response {
    let text =
        |value: &axum::http::HeaderValue| String::from_utf8_lossy(value.as_bytes()).into_owned();
    let asked = Asked {
        method: method.to_string(),
        path: uri.path().to_owned(),
        query: uri.query().map(pairs).unwrap_or_default(),
        host: headers.get("host").map(text).unwrap_or_default(),
        headers: headers.iter().map(|(name, value)| (name.to_string(), text(value))).collect(),
        body: body.to_vec(),
    };
    respond(site.answer(&asked))
}

fn pairs(query: &str) -> Vec<(String, String)> {
    let decoded =
        |text: &str| percent_decode_str(&text.replace('+', " ")).decode_utf8_lossy().into_owned();
    let pair = |pair: &str| {
        let (name, value) = pair.split_once('=').unwrap_or((pair, ""));
        (decoded(name), decoded(value))
    };
    query.split('&').filter(|pair| !pair.is_empty()).map(pair).collect()
}

fn respond(reply: Reply) -> Response {
    match reply {
        Reply::Whole { status, headers, body } => {
            let mut response = Response::new(Body::from(body));
            *response.status_mut() =
                StatusCode::from_u16(status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
            for (name, value) in headers {
                let named = axum::http::HeaderName::try_from(name);
                let valued = axum::http::HeaderValue::try_from(value);
                if let (Ok(name), Ok(value)) = (named, valued) {
                    response.headers_mut().append(name, value);
                }
            }
            response
        }
        Reply::Broken => {
            let broken: Result<Bytes, io::Error> = Err(io::ErrorKind::ConnectionReset.into());
            Response::new(Body::from_stream(stream::iter([Ok(Bytes::from_static(b"{")), broken])))
        }
        Reply::Drip => {
            let bytes = stream::repeat(()).then(|()| async {
                tokio::time::sleep(DRIP).await;
                Ok::<_, Infallible>(Bytes::from_static(b" "))
            });
            Response::new(Body::from_stream(bytes))
        }
    }
}
