//! Real HTTP/1.1 around the answers, able to drip, and to reset a connection before the first byte.
//!
//! Not what is answered. The invariant: a connection is reset only when a fault says so, and then with nothing sent.

use std::convert::Infallible;
use std::io;
use std::net::SocketAddr;
use std::pin::Pin;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use axum::Router;
use axum::body::{Body, Bytes};
use axum::extract::connect_info::{ConnectInfo, Connected};
use axum::extract::{Request, State};
use axum::http::{HeaderName, HeaderValue, Method, StatusCode, header};
use axum::response::Response;
use axum::serve::{IncomingStream, Listener};
use http_body::Frame;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::oneshot;
use tokio::time::{Sleep, sleep};

use crate::endpoint::Verb;
use crate::feishu::{self, Answer, Content, Delivery, Incoming};
use crate::site::Site;

/// Bodies longer than this are refused unread.
const BODY_MOST: usize = 2 * 1_024 * 1_024;
/// A slow body comes in so many pieces.
const SLOW_PIECES: usize = 20;

/// Serves until told to stop, then lets open answers finish.
pub(crate) async fn serve(
    listener: TcpListener,
    site: Arc<Site>,
    stop: oneshot::Receiver<()>,
) -> io::Result<()> {
    let app = Router::new().fallback(handle).with_state(site);
    axum::serve(Doors(listener), app.into_make_service_with_connect_info::<Caller>())
        .with_graceful_shutdown(async move {
            // A dropped sender means the same as a message.
            stop.await.unwrap_or_default();
        })
        .await
}

async fn handle(
    State(site): State<Arc<Site>>,
    ConnectInfo(caller): ConnectInfo<Caller>,
    request: Request,
) -> Response {
    let (parts, body) = request.into_parts();
    let Ok(body) = axum::body::to_bytes(body, BODY_MOST).await else {
        return plain(StatusCode::PAYLOAD_TOO_LARGE);
    };
    let verb = match parts.method {
        Method::GET => Some(Verb::Get),
        Method::POST => Some(Verb::Post),
        _ => None,
    };
    let incoming = Incoming {
        verb,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        authorization: parts
            .headers
            .get(header::AUTHORIZATION)
            .and_then(|value| value.to_str().ok()),
        body: &body,
    };
    let answer = feishu::answer(&site, incoming);
    if answer.delivery == Delivery::Reset {
        caller.doomed.store(true, Ordering::Relaxed);
    }
    respond(answer, site.config.slow_step)
}

fn plain(status: StatusCode) -> Response {
    let mut response = Response::new(Body::empty());
    *response.status_mut() = status;
    response
}

fn respond(answer: Answer, step: Duration) -> Response {
    let body = match answer.delivery {
        Delivery::Whole | Delivery::Reset => Body::from(answer.body),
        Delivery::Slow => {
            let piece = answer.body.len().div_ceil(SLOW_PIECES).max(1);
            Body::new(Pieces::new(answer.body, piece, step))
        }
        Delivery::Drip => Body::new(Pieces::new(answer.body, 1, step)),
    };
    let mut response = Response::new(body);
    *response.status_mut() =
        StatusCode::from_u16(answer.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
    let headers = response.headers_mut();
    let content = match answer.content {
        Content::Json => "application/json; charset=utf-8",
        Content::Html => "text/html; charset=utf-8",
    };
    headers.insert(header::CONTENT_TYPE, HeaderValue::from_static(content));
    if let Ok(id) = HeaderValue::from_str(&answer.log_id) {
        headers.insert(HeaderName::from_static("x-tt-logid"), id.clone());
        headers.insert(HeaderName::from_static("x-request-id"), id);
    }
    if let Some((limit, reset)) = answer.limit {
        headers.insert(HeaderName::from_static("x-ogw-ratelimit-limit"), limit.into());
        headers.insert(HeaderName::from_static("x-ogw-ratelimit-reset"), reset.into());
    }
    response
}

/// A body that pauses before every piece.
struct Pieces {
    left: Bytes,
    piece: usize,
    step: Duration,
    pause: Pin<Box<Sleep>>,
}

impl Pieces {
    fn new(body: Vec<u8>, piece: usize, step: Duration) -> Self {
        Self { left: body.into(), piece, step, pause: Box::pin(sleep(step)) }
    }
}

impl http_body::Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        ready!(self.pause.as_mut().poll(context));
        let step = self.step;
        self.pause.set(sleep(step));
        let length = self.piece.min(self.left.len());
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(length)))))
    }
}

/// Who is at the other end of a connection, and whether the connection is to be reset.
#[derive(Clone, Debug)]
struct Caller {
    doomed: Arc<AtomicBool>,
}

/// Accepts connections that can be reset.
struct Doors(TcpListener);

impl Listener for Doors {
    type Io = Door;
    type Addr = Caller;

    async fn accept(&mut self) -> (Door, Caller) {
        let (stream, _) = Listener::accept(&mut self.0).await;
        // Answers are small: waiting to fill a packet would only delay them. A socket that refuses still works.
        stream.set_nodelay(true).unwrap_or_default();
        let doomed = Arc::new(AtomicBool::new(false));
        (Door { stream, doomed: Arc::clone(&doomed) }, Caller { doomed })
    }

    fn local_addr(&self) -> io::Result<Caller> {
        TcpListener::local_addr(&self.0).map(|_: SocketAddr| Caller { doomed: Arc::default() })
    }
}

impl Connected<IncomingStream<'_, Doors>> for Caller {
    fn connect_info(stream: IncomingStream<'_, Doors>) -> Self {
        stream.remote_addr().clone()
    }
}

/// A connection; once doomed it refuses to send, and its end is a reset.
struct Door {
    stream: TcpStream,
    doomed: Arc<AtomicBool>,
}

impl Door {
    fn refuse(&self) -> io::Result<()> {
        if self.doomed.load(Ordering::Relaxed) {
            self.stream.set_zero_linger()?;
            return Err(io::ErrorKind::ConnectionReset.into());
        }
        Ok(())
    }
}

impl AsyncRead for Door {
    fn poll_read(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &mut ReadBuf<'_>,
    ) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_read(cx, buf)
    }
}

impl AsyncWrite for Door {
    fn poll_write(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        buf: &[u8],
    ) -> Poll<io::Result<usize>> {
        self.refuse()?;
        Pin::new(&mut self.stream).poll_write(cx, buf)
    }

    fn poll_flush(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        Pin::new(&mut self.stream).poll_flush(cx)
    }

    fn poll_shutdown(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<io::Result<()>> {
        self.refuse()?;
        Pin::new(&mut self.stream).poll_shutdown(cx)
    }

    fn poll_write_vectored(
        mut self: Pin<&mut Self>,
        cx: &mut Context<'_>,
        bufs: &[io::IoSlice<'_>],
    ) -> Poll<io::Result<usize>> {
        self.refuse()?;
        Pin::new(&mut self.stream).poll_write_vectored(cx, bufs)
    }

    fn is_write_vectored(&self) -> bool {
        self.stream.is_write_vectored()
    }
}
