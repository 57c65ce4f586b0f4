//! `GET` and `POST /callbacks/<tenant>/<connection>`: what platforms push.
//!
//! Not for: verification or storage; the inbox does both. The invariants: a connection that is not there, and one that takes
//! no callbacks, are answered alike; no more is read of a body than may be kept, and not for longer than [`PATIENCE`].

use std::sync::Arc;
use std::time::Duration;

use axum::body::Body;
use axum::extract::{Path, Request, State};
use axum::http::{HeaderMap, HeaderValue, StatusCode, header};
use axum::response::{IntoResponse as _, Response};
use futures_util::StreamExt as _;
use tokio::sync::Semaphore;
use tokio::time::timeout;

use crate::port::inbox::{Answer, Delivery, Inbox};

/// Finds the inbox of a tenant's connection.
pub type Find = Arc<dyn Fn(&str, &str) -> Option<Arc<dyn Inbox>> + Send + Sync>;

/// How long a body may take to arrive.
const PATIENCE: Duration = Duration::from_secs(5);
/// Deliveries at work at the same time; further ones are asked to come again.
const AT_ONCE: usize = 512;
/// The most bytes of all names and values of headers that are passed on.
const HEADER_BYTES: usize = 16 << 10;

/// What the route needs.
#[derive(Clone)]
pub struct Callbacks {
    find: Find,
    body_bytes: usize,
    free: Arc<Semaphore>,
}

impl Callbacks {
    /// Takes bodies of at most `body_bytes`.
    pub fn new(find: Find, body_bytes: usize) -> Self {
        Self { find, body_bytes, free: Arc::new(Semaphore::new(AT_ONCE)) }
    }
}

pub(super) async fn take(
    State(callbacks): State<Callbacks>,
    Path((tenant, connection)): Path<(String, String)>,
    request: Request,
) -> Response {
    let Ok(_permit) = callbacks.free.try_acquire() else {
        return StatusCode::SERVICE_UNAVAILABLE.into_response();
    };
    let Some(inbox) = (callbacks.find)(&tenant, &connection) else {
        return StatusCode::NOT_FOUND.into_response();
    };
    let (head, body) = request.into_parts();
    let Some(headers) = headers(&head.headers) else {
        return StatusCode::REQUEST_HEADER_FIELDS_TOO_LARGE.into_response();
    };
    let body = match read(body, callbacks.body_bytes).await {
        Ok(body) => body,
        Err(status) => return status.into_response(),
    };
    let delivery = Delivery {
        method: head.method.as_str().to_owned(),
        query: head.uri.query().unwrap_or_default().to_owned(),
        headers,
        body,
    };
    respond(inbox.receive(delivery).await)
}

/// One byte more than is allowed is passed on, for the inbox to refuse and count.
async fn read(body: Body, body_bytes: usize) -> Result<Vec<u8>, StatusCode> {
    let limit = body_bytes.saturating_add(1);
    let mut stream = body.into_data_stream();
    let read = async {
        let mut bytes = Vec::new();
        while let Some(part) = stream.next().await {
            let part = part.map_err(|_| StatusCode::BAD_REQUEST)?;
            let room = limit - bytes.len();
            bytes.extend_from_slice(&part[..part.len().min(room)]);
            if bytes.len() == limit {
                break;
            }
        }
        Ok(bytes)
    };
    timeout(PATIENCE, read).await.unwrap_or(Err(StatusCode::REQUEST_TIMEOUT))
}

/// Those headers that are text; `None` when they are too many.
fn headers(map: &HeaderMap) -> Option<Vec<(String, String)>> {
    let text = |(name, value): (&axum::http::HeaderName, &HeaderValue)| {
        Some((name.as_str().to_owned(), value.to_str().ok()?.to_owned()))
    };
    let headers: Vec<(String, String)> = map.iter().filter_map(text).collect();
    let bytes: usize = headers.iter().map(|(name, value)| name.len() + value.len()).sum();
    (bytes <= HEADER_BYTES).then_some(headers)
}

fn respond(answer: Answer) -> Response {
    let status = StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    match HeaderValue::from_str(&answer.content_type) {
        Ok(kind) => (status, [(header::CONTENT_TYPE, kind)], answer.body).into_response(),
        Err(_) => (status, answer.body).into_response(),
    }
}
