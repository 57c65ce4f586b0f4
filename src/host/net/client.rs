//! The HTTP clients that all connections share, and one exchange through them.
//!
//! One client for each way to travel, so that a kept-alive connection to an address inside a network is never found by a
//! request that may only go to public ones. Redirects are not followed and proxies of the environment are not used: both
//! would go where nothing was checked. The invariant: no error text here holds a URL, a header or a body.

use std::error::Error;
use std::io;
use std::sync::OnceLock;
use std::time::Duration;

use bytes::{Bytes, BytesMut};
use reqwest::dns::{Addrs, Name, Resolve, Resolving};
use reqwest::header::{CONTENT_ENCODING, HeaderMap};
use reqwest::redirect::Policy;
use reqwest::{Client, ClientBuilder, Request, Response};
use tokio::time::Instant;
use tokio_util::task::AbortOnDropHandle;

use super::address::is_public;
use super::grant::Route;

/// Kept-alive connections for each host.
const IDLE_CONNECTIONS: usize = 8;
const IDLE_TIME: Duration = Duration::from_secs(30);
const CONNECT_TIME: Duration = Duration::from_secs(10);
const HEADERS: usize = 100;
/// A body of up to this many bytes is read as fast as it comes. Pages of the platforms are far below.
const AT_ONCE: usize = 1 << 20;
/// What is read of a longer body before the next breath, which makes it about as fast as a gigabit line: what comes without
/// end leaves room for everybody else.
const STRETCH: usize = 256 << 10;
const BREATH: Duration = Duration::from_millis(2);

const NO_CLIENT: NetError = NetError::Network(
    "no TLS client: this machine has no root certificates, install the package `ca-certificates`",
);

/// Why there is no response.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(in crate::host) enum NetError {
    /// The name has no public address.
    NotPublic,
    /// The time is used up.
    Deadline,
    /// More bytes than are left.
    TooLarge,
    /// Anything else.
    Network(&'static str),
}

/// A whole response.
#[derive(Debug)]
pub(in crate::host) struct Fetched {
    pub(in crate::host) status: u16,
    pub(in crate::host) headers: HeaderMap,
    pub(in crate::host) body: Bytes,
}

/// The clients, each built when it is first needed.
#[derive(Default)]
pub(in crate::host) struct Clients {
    public: OnceLock<Option<Client>>,
    inside: OnceLock<Option<Client>>,
    plain: OnceLock<Option<Client>>,
}

impl Clients {
    fn client(&self, route: Route, secure: bool) -> Option<&Client> {
        let (slot, builder): (_, fn() -> ClientBuilder) = match (route, secure) {
            (Route::Public, _) => {
                (&self.public, || base().https_only(true).dns_resolver(PublicOnly(System)))
            }
            (Route::Inside, true) => (&self.inside, base),
            // Never speaks TLS: works on a machine without certificates.
            (Route::Inside, false) => (&self.plain, || base().tls_certs_only([])),
        };
        slot.get_or_init(|| builder().build().ok()).as_ref()
    }

    /// Sends a request and reads its response, at most `limit` bytes of it and not beyond `deadline`.
    pub(in crate::host) async fn fetch(
        &self,
        route: Route,
        request: Request,
        limit: usize,
        deadline: Instant,
    ) -> Result<Fetched, NetError> {
        let exchange = self.exchange(route, request, limit);
        tokio::time::timeout_at(deadline, exchange).await.unwrap_or(Err(NetError::Deadline))
    }

    /// The same without a deadline, in a task of its own: whoever waits for it is woken once, not for every piece of the
    /// response. It ends when nobody waits for it any more.
    pub(in crate::host) async fn exchange(
        &self,
        route: Route,
        request: Request,
        limit: usize,
    ) -> Result<Fetched, NetError> {
        let client =
            self.client(route, request.url().scheme() == "https").ok_or(NO_CLIENT)?.clone();
        let exchange = async move {
            let answer = client.execute(request).await;
            read(answer.map_err(|error| told(&error))?, limit).await
        };
        let exchange = AbortOnDropHandle::new(tokio::spawn(exchange));
        exchange.await.unwrap_or(Err(NetError::Network("the exchange failed")))
    }

    /// Sends a request; of the response only its head has been read.
    pub(in crate::host) async fn execute(
        &self,
        route: Route,
        request: Request,
    ) -> Result<Response, NetError> {
        let client = self.client(route, request.url().scheme() == "https").ok_or(NO_CLIENT)?;
        client.execute(request).await.map_err(|error| told(&error))
    }
}

fn base() -> ClientBuilder {
    // A provider that is already installed serves as well.
    let _installed = rustls::crypto::ring::default_provider().install_default();
    Client::builder()
        .redirect(Policy::none())
        .no_proxy()
        .referer(false)
        .retry(reqwest::retry::never())
        .connect_timeout(CONNECT_TIME)
        .pool_max_idle_per_host(IDLE_CONNECTIONS)
        .pool_idle_timeout(IDLE_TIME)
        .http1_max_headers(HEADERS)
        .user_agent(concat!("rollcall/", env!("CARGO_PKG_VERSION")))
}

async fn read(mut response: Response, limit: usize) -> Result<Fetched, NetError> {
    let headers = std::mem::take(response.headers_mut());
    // Nothing asked for it, so the body could not be read, measured or searched.
    if headers.get(CONTENT_ENCODING).is_some_and(|coding| coding != "identity") {
        return Err(NetError::Network("the response is compressed, which was not asked for"));
    }
    let announced = response.content_length().unwrap_or(0);
    let announced = usize::try_from(announced).ok().filter(|&length| length <= limit);
    let mut body = BytesMut::with_capacity(announced.ok_or(NetError::TooLarge)?);
    let mut unpaced = AT_ONCE;
    while let Some(chunk) = response.chunk().await.map_err(|error| told(&error))? {
        if chunk.len() > limit - body.len() {
            return Err(NetError::TooLarge);
        }
        body.extend_from_slice(&chunk);
        if body.len() > unpaced {
            unpaced = body.len() + STRETCH;
            tokio::time::sleep(BREATH).await;
        }
    }
    Ok(Fetched { status: response.status().as_u16(), headers, body: body.freeze() })
}

/// What a guest and a log may know of a failed exchange.
fn told(error: &reqwest::Error) -> NetError {
    let mut cause: Option<&(dyn Error + 'static)> = error.source();
    while let Some(inner) = cause {
        if inner.is::<NotPublic>() {
            return NetError::NotPublic;
        }
        if let Some(io) = inner.downcast_ref::<io::Error>() {
            return NetError::Network(io_reason(io.kind(), error.is_connect()));
        }
        cause = inner.source();
    }
    NetError::Network(match error {
        error if error.is_timeout() => "no connection in time",
        error if error.is_connect() => "no connection",
        error if error.is_body() || error.is_decode() => "the response broke off",
        _ => "the exchange failed",
    })
}

fn io_reason(kind: io::ErrorKind, connecting: bool) -> &'static str {
    match kind {
        io::ErrorKind::ConnectionRefused => "connection refused",
        io::ErrorKind::ConnectionReset | io::ErrorKind::BrokenPipe => "connection reset",
        io::ErrorKind::UnexpectedEof => "the response broke off",
        io::ErrorKind::TimedOut => "no connection in time",
        io::ErrorKind::InvalidData => "no valid TLS or HTTP answer",
        _ if connecting => "no connection: the name is unknown or the host unreachable",
        _ => "the exchange failed",
    }
}

/// The resolver of the machine.
struct System;

impl Resolve for System {
    fn resolve(&self, name: Name) -> Resolving {
        Box::pin(async move {
            let found = tokio::net::lookup_host((name.as_str(), 0)).await?;
            Ok(Box::new(found.collect::<Vec<_>>().into_iter()) as Addrs)
        })
    }
}

/// Resolves names to public addresses only. Every resolution is judged, and the connection is made to what was judged: a
/// name that changes its address between two looks gains nothing.
struct PublicOnly<R>(R);

/// A name without a public address.
#[derive(Debug, thiserror::Error)]
#[error("the name has no public address")]
struct NotPublic;

impl<R: Resolve> Resolve for PublicOnly<R> {
    fn resolve(&self, name: Name) -> Resolving {
        let found = self.0.resolve(name);
        Box::pin(async move {
            let public: Vec<_> = found.await?.filter(|address| is_public(address.ip())).collect();
            if public.is_empty() {
                return Err(NotPublic.into());
            }
            Ok(Box::new(public.into_iter()) as Addrs)
        })
    }
}

#[cfg(test)]
mod tests {
    use std::net::SocketAddr;
    use std::sync::atomic::{AtomicUsize, Ordering};

    use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};

    use super::*;

    #[tokio::test]
    async fn a_name_of_the_machine_itself_has_no_public_address() {
        let found = PublicOnly(System).resolve("localhost".parse().unwrap()).await;
        assert!(found.err().unwrap().is::<NotPublic>());
    }

    /// Answers with one list of addresses after the other, the last one for ever.
    struct Rebinding {
        answers: Vec<Vec<&'static str>>,
        asked: AtomicUsize,
    }

    impl Rebinding {
        fn of(answers: &[&[&'static str]]) -> PublicOnly<Self> {
            let answers = answers.iter().map(|it| it.to_vec()).collect();
            PublicOnly(Self { answers, asked: AtomicUsize::new(0) })
        }
    }

    impl Resolve for Rebinding {
        fn resolve(&self, _: Name) -> Resolving {
            let asked = self.asked.fetch_add(1, Ordering::Relaxed).min(self.answers.len() - 1);
            let address = |ip: &&str| SocketAddr::new(ip.parse().unwrap(), 0);
            let found: Vec<_> = self.answers[asked].iter().map(address).collect();
            Box::pin(async move { Ok(Box::new(found.into_iter()) as Addrs) })
        }
    }

    #[tokio::test]
    async fn a_name_that_turns_private_between_two_looks_is_refused_the_second_time() {
        let resolver = Rebinding::of(&[&["1.1.1.1"], &["127.0.0.1"], &["10.0.0.1", "::1"]]);
        let look = || resolver.resolve("rebind.test".parse().unwrap());
        assert_eq!(look().await.ok().unwrap().count(), 1);
        for _ in 0..3 {
            assert!(look().await.err().unwrap().is::<NotPublic>());
        }
    }

    #[tokio::test]
    async fn of_public_and_private_addresses_only_the_public_ones_are_left() {
        let resolver = Rebinding::of(&[&["127.0.0.1", "1.1.1.1", "169.254.169.254", "fd00::1"]]);
        let left = resolver.resolve("mixed.test".parse().unwrap()).await.ok().unwrap();
        assert_eq!(left.map(|it| it.ip().to_string()).collect::<Vec<_>>(), ["1.1.1.1"]);
    }

    #[tokio::test]
    async fn no_connection_is_tried_to_a_name_that_turned_private() {
        let inside = std::net::TcpListener::bind("127.0.0.1:0").unwrap();
        inside.set_nonblocking(true).unwrap();
        let port = inside.local_addr().unwrap().port();
        let resolver = Rebinding::of(&[&["127.0.0.1"]]);
        let client = base().https_only(true).dns_resolver(resolver).build().unwrap();
        let url = format!("https://rebind.test:{port}/").parse().unwrap();
        let found = client.execute(Request::new("GET".parse().unwrap(), url)).await;
        assert_eq!(found.err().map(|error| told(&error)), Some(NetError::NotPublic));
        assert_eq!(inside.accept().err().unwrap().kind(), io::ErrorKind::WouldBlock);
    }

    #[tokio::test]
    async fn a_long_body_that_comes_at_once_is_read_with_breaths() {
        let len = AT_ONCE + 40 * STRETCH;
        let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
        let url = format!("http://{}/", listener.local_addr().unwrap()).parse().unwrap();
        tokio::spawn(async move {
            let (mut stream, _) = listener.accept().await.unwrap();
            stream.read_buf(&mut Vec::with_capacity(1024)).await.unwrap();
            let head = format!("HTTP/1.1 200 OK\r\ncontent-length: {len}\r\n\r\n");
            stream.write_all(&[head.as_bytes(), &vec![b' '; len]].concat()).await.unwrap();
        });
        let began = Instant::now();
        let request = Request::new("GET".parse().unwrap(), url);
        let read = Clients::default().exchange(Route::Inside, request, len).await.unwrap();
        assert_eq!(read.body.len(), len);
        // The longest chunks are nearly two stretches long.
        assert!(began.elapsed() >= 20 * BREATH);
    }

    #[tokio::test]
    async fn the_public_client_reaches_no_name_inside() {
        let request =
            reqwest::Request::new("GET".parse().unwrap(), "https://localhost:1/".parse().unwrap());
        let clients = Clients::default();
        let deadline = Instant::now() + Duration::from_secs(10);
        let found = clients.fetch(Route::Public, request, 10, deadline).await;
        assert_eq!(found.err(), Some(NetError::NotPublic));
    }
}
