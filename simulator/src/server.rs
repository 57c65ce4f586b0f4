//! Real HTTP/1.1 around the answers, able to drip, and to reset a connection before the first byte.
//!
//! Not what is answered. The invariant: a connection is reset only when a fault says so, and then with nothing sent.
//!
//! # Why not a web framework
//! Feishu's official Python client looks the trace id up as `X-Tt-Logid`, to the letter; frameworks send names in lower
//! case. The connection's own builder can write them in title case, and resetting needs the socket anyway. It costs
//! sixty lines.

use std::convert::Infallible;
use std::io;
use std::pin::{Pin, pin};
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll, ready};
use std::time::Duration;

use http_body_util::{BodyExt as _, Limited};
use hyper::body::{Body, Bytes, Frame, SizeHint};
use hyper::header::{self, HeaderName, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::upgrade::OnUpgrade;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::TokioIo;
use tokio::io::{AsyncRead, AsyncWrite, ReadBuf};
use tokio::net::{TcpListener, TcpStream};
use tokio::sync::{oneshot, watch};
use tokio::task::JoinSet;
use tokio::time::{Sleep, sleep, timeout};
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

use crate::exchange::{Answer, Content, Delivery, Incoming, Verb};
use crate::lines::{self, Talk};
use crate::platform::Front;
use crate::site::Site;

/// Bodies longer than this are refused unread.
const BODY_MOST: usize = 2 * 1_024 * 1_024;
/// A slow body comes in so many pieces.
const SLOW_PIECES: usize = 20;
/// Open connections get this long to finish when the server stops.
const GRACE: Duration = Duration::from_secs(2);
/// The pause after a failed accept, which mostly means that the process has no file handle left.
const ACCEPT_PAUSE: Duration = Duration::from_millis(20);

/// Who answers, on which books, and how slowly a slow body comes.
#[derive(Clone, Debug)]
pub(crate) struct House {
    pub site: Arc<Site>,
    pub front: Arc<dyn Front>,
    pub slow_step: Duration,
}

/// A socket that becomes a long connection once its last HTTP answer is out.
type Upgrade = Arc<Mutex<Option<(OnUpgrade, Box<dyn Talk>)>>>;

/// Serves until told to stop, then lets open answers finish for a while.
pub(crate) async fn serve(listener: TcpListener, house: House, mut stop: oneshot::Receiver<()>) {
    let (closing, closed) = watch::channel(());
    let mut open = JoinSet::new();
    loop {
        let accepted = tokio::select! {
            biased;
            _ = &mut stop => break,
            accepted = listener.accept() => accepted,
        };
        while open.try_join_next().is_some() {}
        match accepted {
            Ok((stream, _)) => {
                open.spawn(connection(stream, house.clone(), closed.clone()));
            }
            Err(_) => sleep(ACCEPT_PAUSE).await,
        }
    }
    drop(listener);
    drop(closing);
    // Whoever is not done by then is cut off with the set.
    timeout(GRACE, async { while open.join_next().await.is_some() {} }).await.unwrap_or_default();
}

async fn connection(stream: TcpStream, house: House, mut closing: watch::Receiver<()>) {
    // Answers are small: waiting to fill a packet would only delay them. A socket that refuses still works.
    stream.set_nodelay(true).unwrap_or_default();
    let doomed = Arc::new(AtomicBool::new(false));
    let door = TokioIo::new(Door { stream, doomed: Arc::clone(&doomed) });
    let upgrade = Upgrade::default();
    let (house_here, upgrade_here) = (house.clone(), Arc::clone(&upgrade));
    let service = service_fn(move |request| {
        handle(house_here.clone(), Arc::clone(&doomed), Arc::clone(&upgrade_here), request)
    });
    let http = http1::Builder::new().title_case_headers(true).serve_connection(door, service);
    let mut connection = pin!(http.with_upgrades());
    let ended = tokio::select! {
        ended = connection.as_mut() => Some(ended),
        _ = closing.changed() => None,
    };
    if ended.is_none() {
        connection.as_mut().graceful_shutdown();
        // A caller who went away is no concern of the platform.
        connection.await.unwrap_or_default();
        return;
    }
    let upgraded = upgrade.lock().unwrap_or_else(PoisonError::into_inner).take();
    if let Some((socket, talk)) = upgraded
        && let Ok(socket) = socket.await
    {
        lines::serve(TokioIo::new(socket), talk, house, closing).await;
    }
}

async fn handle(
    house: House,
    doomed: Arc<AtomicBool>,
    upgrade: Upgrade,
    mut request: Request<hyper::body::Incoming>,
) -> Result<Response<Pieces>, Infallible> {
    let wanted = websocket_key(&request).map(|key| (key, hyper::upgrade::on(&mut request)));
    let (parts, body) = request.into_parts();
    let Ok(body) = Limited::new(body, BODY_MOST).collect().await else {
        return Ok(bare(StatusCode::PAYLOAD_TOO_LARGE));
    };
    let body = body.to_bytes();
    let verb = match parts.method {
        Method::GET => Some(Verb::Get),
        Method::POST => Some(Verb::Post),
        _ => None,
    };
    let incoming = Incoming {
        verb,
        path: parts.uri.path(),
        query: parts.uri.query().unwrap_or_default(),
        headers: &parts.headers,
        body: &body,
    };
    if let Some((key, socket)) = wanted
        && let Some(opened) = house.front.connect(incoming)
    {
        return Ok(match opened {
            Ok(talk) => {
                *upgrade.lock().unwrap_or_else(PoisonError::into_inner) = Some((socket, talk));
                switch(&key)
            }
            Err(refusal) => respond(refusal, house.slow_step),
        });
    }
    let answer = house.front.answer(incoming);
    if answer.delivery == Delivery::Reset {
        doomed.store(true, Ordering::Relaxed);
    }
    Ok(respond(answer, house.slow_step))
}

/// The key of a request that asks for a WebSocket.
fn websocket_key(request: &Request<hyper::body::Incoming>) -> Option<String> {
    let header = |name| request.headers().get(name)?.to_str().ok();
    let asked = header(header::UPGRADE).is_some_and(|it| it.eq_ignore_ascii_case("websocket"));
    header(header::SEC_WEBSOCKET_KEY).filter(|_| asked).map(str::to_owned)
}

fn switch(key: &str) -> Response<Pieces> {
    let mut response = bare(StatusCode::SWITCHING_PROTOCOLS);
    let headers = response.headers_mut();
    headers.insert(header::CONNECTION, HeaderValue::from_static("Upgrade"));
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    if let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) {
        headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    }
    response
}

fn bare(status: StatusCode) -> Response<Pieces> {
    let mut response = Response::new(Pieces::whole(Vec::new()));
    *response.status_mut() = status;
    response
}

fn respond(answer: Answer, step: Duration) -> Response<Pieces> {
    let body = match answer.delivery {
        Delivery::Whole | Delivery::Reset => Pieces::whole(answer.body),
        Delivery::Slow => {
            let piece = answer.body.len().div_ceil(SLOW_PIECES).max(1);
            Pieces::slowly(answer.body, piece, step)
        }
        Delivery::Drip => Pieces::slowly(answer.body, 1, step),
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
    for (name, value) in answer.headers {
        if let Ok(value) = HeaderValue::from_str(&value) {
            headers.insert(HeaderName::from_static(name), value);
        }
    }
    response
}

/// A body, at once or with a pause before every piece.
struct Pieces {
    left: Bytes,
    pace: Option<Pace>,
}

struct Pace {
    piece: usize,
    step: Duration,
    pause: Pin<Box<Sleep>>,
}

impl Pieces {
    fn whole(body: Vec<u8>) -> Self {
        Self { left: body.into(), pace: None }
    }

    fn slowly(body: Vec<u8>, piece: usize, step: Duration) -> Self {
        Self { left: body.into(), pace: Some(Pace { piece, step, pause: Box::pin(sleep(step)) }) }
    }
}

impl Body for Pieces {
    type Data = Bytes;
    type Error = Infallible;

    fn poll_frame(
        mut self: Pin<&mut Self>,
        context: &mut Context<'_>,
    ) -> Poll<Option<Result<Frame<Bytes>, Infallible>>> {
        if self.left.is_empty() {
            return Poll::Ready(None);
        }
        let mut length = self.left.len();
        if let Some(pace) = &mut self.pace {
            ready!(pace.pause.as_mut().poll(context));
            pace.pause.set(sleep(pace.step));
            length = length.min(pace.piece);
        }
        Poll::Ready(Some(Ok(Frame::data(self.left.split_to(length)))))
    }

    fn is_end_stream(&self) -> bool {
        self.left.is_empty()
    }

    fn size_hint(&self) -> SizeHint {
        SizeHint::with_exact(self.left.len() as u64)
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
