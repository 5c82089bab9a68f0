//! The one port for browsers: the site, WebSocket, the bootstrap list, health and metrics.
//!
//! | Path | What |
//! |---|---|
//! | `/` with `Upgrade: websocket` | libp2p ([`crate::door`]) |
//! | `/` and below | the site, or a short plain page |
//! | `/relays.json` | the bootstrap list, this relay first, as reachable by the asker |
//! | `/healthz` | 200 while the loop turns, else 503 |
//! | `/readyz` | 200 while every listener is bound, else 503 |
//! | `/metrics` | what is counted, for this machine only unless configured otherwise |
//!
//! Everything a stranger can send here is bounded: connections (in all and from one place), the time and the size of a
//! request's head, the life of a connection, upgrades under way. Bodies are not read. Only HTTP/1.1 is spoken, because a
//! WebSocket begins there.

mod csp;
mod list;
mod site;

use std::collections::BTreeMap;
use std::convert::Infallible;
use std::net::{IpAddr, SocketAddr};
use std::sync::{Arc, Mutex, Once, PoisonError, RwLock};
use std::time::Duration;

use bytes::Bytes;
use http_body_util::combinators::UnsyncBoxBody;
use http_body_util::{BodyExt as _, Empty, Full};
use hyper::body::Incoming;
use hyper::header::{self, HeaderMap, HeaderValue};
use hyper::server::conn::http1;
use hyper::service::service_fn;
use hyper::{Method, Request, Response, StatusCode};
use hyper_util::rt::{TokioIo, TokioTimer};
use tokio::io::{AsyncRead, AsyncWrite};
use tokio::net::TcpListener;
use tokio::sync::{OwnedSemaphorePermit, Semaphore, mpsc, watch};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_tungstenite::tungstenite::handshake::derive_accept_key;

pub(crate) use site::Site;

use crate::door::{Knock, websocket};
use crate::limits::Place;
use crate::metrics::HttpLabels;
use crate::proxy::{Network, client};
use crate::state::State;

/// HTTP connections in all that have not (yet) become a WebSocket.
const CONNECTIONS_MAX: usize = 1_024;
/// HTTP connections from one place. Browsers open six at a time.
const PER_PLACE_MAX: u32 = 48;
/// Upgrades under way: answered with 101, not yet at the swarm.
const UPGRADES_MAX: usize = 128;
/// TLS and the head of a request must be there by then.
const HEAD_TIMEOUT: Duration = Duration::from_secs(10);
/// How long a connection lives that does not become a WebSocket. A page of 2 MB over a very slow line takes less.
const LIFE_MAX: Duration = Duration::from_secs(180);
/// An upgrade must be through by then.
const UPGRADE_TIMEOUT: Duration = Duration::from_secs(10);
/// The head of a request, in bytes, and its lines.
const HEAD_MAX: usize = 16 * 1_024;
const HEAD_LINES_MAX: usize = 64;

/// What is sent back.
pub(crate) type Body = UnsyncBoxBody<Bytes, std::io::Error>;

/// The certificate in use; replaced when it is reloaded.
pub(crate) type TlsSlot = Arc<RwLock<Arc<rustls::ServerConfig>>>;

/// What the server needs to know.
pub(crate) struct Settings {
    pub(crate) site: Option<Site>,
    pub(crate) trusted: Vec<Network>,
    pub(crate) metrics_public: bool,
    pub(crate) loopback_exempt: bool,
    pub(crate) network: String,
    pub(crate) stun: Vec<String>,
    /// Where this relay itself answers STUN.
    pub(crate) stun_bound: Vec<SocketAddr>,
    pub(crate) relays: Vec<haggle_net::RelayAddr>,
}

/// The server.
pub(crate) struct Server {
    pub(crate) listener: TcpListener,
    pub(crate) tls: Option<TlsSlot>,
    pub(crate) settings: Settings,
    pub(crate) state: Arc<State>,
    pub(crate) knocks: mpsc::Sender<Knock>,
    pub(crate) stop: watch::Receiver<bool>,
}

/// What all connections share.
struct Shared {
    settings: Settings,
    state: Arc<State>,
    knocks: mpsc::Sender<Knock>,
    upgrades: Arc<Semaphore>,
    is_tls: bool,
}

/// Serves until told to stop.
pub(crate) async fn serve(server: Server) {
    let Server {
        listener,
        tls,
        settings,
        state,
        knocks,
        mut stop,
    } = server;
    let crowd = Arc::new(Crowd::default());
    let all = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    let shared = Arc::new(Shared {
        settings,
        state,
        knocks,
        upgrades: Arc::new(Semaphore::new(UPGRADES_MAX)),
        is_tls: tls.is_some(),
    });
    loop {
        let accepted = tokio::select! {
            _ = stop.changed() => return,
            accepted = listener.accept() => accepted,
        };
        let (stream, remote) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file handles, most likely: others must close before another can come in.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let Ok(permit) = Arc::clone(&all).try_acquire_owned() else {
            continue;
        };
        let Some(seat) = Crowd::enter(&crowd, remote.ip(), &shared.settings) else {
            continue;
        };
        let _ = stream.set_nodelay(true);
        let shared = Arc::clone(&shared);
        let stop = stop.clone();
        let tls = tls.as_ref().map(|slot| {
            TlsAcceptor::from(Arc::clone(
                &slot.read().unwrap_or_else(PoisonError::into_inner),
            ))
        });
        tokio::spawn(async move {
            let _held: (OwnedSemaphorePermit, Seat) = (permit, seat);
            match tls {
                None => connection(stream, remote, shared, stop).await,
                Some(tls) => {
                    if let Ok(Ok(stream)) = timeout(HEAD_TIMEOUT, tls.accept(stream)).await {
                        connection(stream, remote, shared, stop).await;
                    }
                }
            }
        });
    }
}

async fn connection<S>(
    stream: S,
    remote: SocketAddr,
    shared: Arc<Shared>,
    mut stop: watch::Receiver<bool>,
) where
    S: AsyncRead + AsyncWrite + Send + Unpin + 'static,
{
    let service = service_fn(move |request| {
        let shared = Arc::clone(&shared);
        async move { Ok::<_, Infallible>(answer(request, remote, &shared).await) }
    });
    let connection = http1::Builder::new()
        .timer(TokioTimer::new())
        .header_read_timeout(HEAD_TIMEOUT)
        .max_buf_size(HEAD_MAX)
        .max_headers(HEAD_LINES_MAX)
        .serve_connection(TokioIo::new(stream), service)
        .with_upgrades();
    tokio::pin!(connection);
    let ending = async {
        tokio::select! {
            _ = stop.changed() => {}
            () = tokio::time::sleep(LIFE_MAX) => {}
        }
    };
    tokio::select! {
        // A connection's own end, good or bad, concerns nobody else.
        _ = connection.as_mut() => {}
        () = ending => {
            connection.as_mut().graceful_shutdown();
            let _ = timeout(HEAD_TIMEOUT, connection).await;
        }
    }
}

async fn answer(
    request: Request<Incoming>,
    remote: SocketAddr,
    shared: &Arc<Shared>,
) -> Response<Body> {
    let (route, mut response) = route(request, remote, shared).await;
    let headers = response.headers_mut();
    let unless_set = |headers: &mut HeaderMap, name, value| {
        headers.entry(name).or_insert(value);
    };
    unless_set(headers, header::CONTENT_SECURITY_POLICY, csp::strict());
    let fixed = [
        (header::REFERRER_POLICY, "no-referrer"),
        (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
        (header::X_FRAME_OPTIONS, "DENY"),
    ];
    for (name, value) in fixed {
        unless_set(headers, name, HeaderValue::from_static(value));
    }
    headers.insert(
        "cross-origin-opener-policy",
        HeaderValue::from_static("same-origin"),
    );
    headers.insert(
        "permissions-policy",
        HeaderValue::from_static("geolocation=(), microphone=(), payment=(), usb=()"),
    );
    if shared.is_tls {
        headers.insert(
            header::STRICT_TRANSPORT_SECURITY,
            HeaderValue::from_static("max-age=31536000"),
        );
    }
    let status = response.status().as_u16();
    shared
        .state
        .metrics
        .http
        .get_or_create(&HttpLabels { route, status })
        .inc();
    response
}

async fn route(
    mut request: Request<Incoming>,
    remote: SocketAddr,
    shared: &Arc<Shared>,
) -> (&'static str, Response<Body>) {
    let head_only = request.method() == Method::HEAD;
    if request.method() != Method::GET && !head_only {
        let mut response = text(StatusCode::METHOD_NOT_ALLOWED, "Only GET and HEAD.\n");
        response
            .headers_mut()
            .insert(header::ALLOW, HeaderValue::from_static("GET, HEAD"));
        // The body that may follow is not read.
        response
            .headers_mut()
            .insert(header::CONNECTION, HeaderValue::from_static("close"));
        return ("other", response);
    }
    let asker = asker(&request, remote, &shared.settings.trusted);
    if is_upgrade(request.headers()) {
        return ("websocket", upgrade(&mut request, asker, shared));
    }
    let (route, response) = match request.uri().path() {
        "/healthz" => ("healthz", health(shared.state.is_alive())),
        "/readyz" => (
            "readyz",
            health(shared.state.is_ready() && shared.state.is_alive()),
        ),
        "/metrics" => ("metrics", metrics(&request, asker, shared)),
        "/relays.json" => ("relays", list::respond(request.headers(), shared)),
        path => ("site", page(path, request.headers(), shared).await),
    };
    if head_only {
        (route, response.map(|_| empty()))
    } else {
        (route, response)
    }
}

/// Who asks.
#[derive(Clone, Copy)]
struct Asker {
    ip: IpAddr,
    port: u16,
    /// Whether nobody stands between us, as far as the request says.
    is_direct: bool,
}

fn asker(request: &Request<Incoming>, remote: SocketAddr, trusted: &[Network]) -> Asker {
    let lists: Vec<&str> = request
        .headers()
        .get_all("x-forwarded-for")
        .iter()
        .map(|value| value.to_str().unwrap_or("?"))
        .collect();
    let is_direct = lists.is_empty() && !request.headers().contains_key("forwarded");
    if !is_direct && !trusted.iter().any(|network| network.contains(remote.ip())) {
        // Anyone may send the header; a proxy of the operator's own on this machine is worth a word.
        static SAID: Once = Once::new();
        if remote.ip().to_canonical().is_loopback() {
            SAID.call_once(|| {
                tracing::warn!(
                    "a proxy on this machine passes requests on but is not in http.trusted_proxies: \
                     limits cannot tell its clients apart"
                );
            });
        }
    }
    Asker {
        ip: client(remote.ip(), lists.into_iter(), trusted),
        port: remote.port(),
        is_direct,
    }
}

fn is_upgrade(headers: &HeaderMap) -> bool {
    has_token(headers, header::UPGRADE, "websocket")
        && has_token(headers, header::CONNECTION, "upgrade")
}

fn has_token(headers: &HeaderMap, name: header::HeaderName, token: &str) -> bool {
    headers
        .get_all(name)
        .iter()
        .filter_map(|value| value.to_str().ok())
        .flat_map(|value| value.split(','))
        .any(|value| value.trim().eq_ignore_ascii_case(token))
}

fn upgrade(request: &mut Request<Incoming>, asker: Asker, shared: &Arc<Shared>) -> Response<Body> {
    let headers = request.headers();
    let version = headers.get(header::SEC_WEBSOCKET_VERSION);
    if version.is_none_or(|version| version != "13") {
        let mut response = text(StatusCode::UPGRADE_REQUIRED, "WebSocket version 13 only.\n");
        response.headers_mut().insert(
            header::SEC_WEBSOCKET_VERSION,
            HeaderValue::from_static("13"),
        );
        return response;
    }
    let Some(key) = headers.get(header::SEC_WEBSOCKET_KEY) else {
        return text(
            StatusCode::BAD_REQUEST,
            "A WebSocket needs a Sec-WebSocket-Key.\n",
        );
    };
    let Ok(accept) = HeaderValue::from_str(&derive_accept_key(key.as_bytes())) else {
        return text(
            StatusCode::BAD_REQUEST,
            "A WebSocket needs a Sec-WebSocket-Key.\n",
        );
    };
    let Ok(permit) = Arc::clone(&shared.upgrades).try_acquire_owned() else {
        return text(
            StatusCode::SERVICE_UNAVAILABLE,
            "Too many are coming in at once.\n",
        );
    };
    let upgraded = hyper::upgrade::on(request);
    let knocks = shared.knocks.clone();
    tokio::spawn(async move {
        let _held = permit;
        let _ = timeout(UPGRADE_TIMEOUT, async {
            let Ok(upgraded) = upgraded.await else { return };
            let stream = websocket(upgraded).await;
            let remote = libp2p::Multiaddr::from(asker.ip)
                .with(libp2p::multiaddr::Protocol::Tcp(asker.port))
                .with(libp2p::multiaddr::Protocol::Ws("/".into()));
            // If the swarm has ended, so has the server.
            let _ = knocks.send(Knock { stream, remote }).await;
        })
        .await;
    });
    let mut response = respond(StatusCode::SWITCHING_PROTOCOLS, empty());
    let headers = response.headers_mut();
    headers.insert(header::UPGRADE, HeaderValue::from_static("websocket"));
    headers.insert(header::CONNECTION, HeaderValue::from_static("upgrade"));
    headers.insert(header::SEC_WEBSOCKET_ACCEPT, accept);
    response
}

fn health(good: bool) -> Response<Body> {
    if good {
        text(StatusCode::OK, "ok\n")
    } else {
        text(StatusCode::SERVICE_UNAVAILABLE, "not now\n")
    }
}

fn metrics(_: &Request<Incoming>, asker: Asker, shared: &Shared) -> Response<Body> {
    // Behind a proxy that is not trusted everybody seems to be local: then nobody is.
    let local = asker.ip.is_loopback() && asker.is_direct;
    if !local && !shared.settings.metrics_public {
        return text(
            StatusCode::FORBIDDEN,
            "Metrics are shown to this machine only.\n",
        );
    }
    let mut response = text(StatusCode::OK, &shared.state.metrics.to_text());
    response.headers_mut().insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("application/openmetrics-text; version=1.0.0; charset=utf-8"),
    );
    response
}

async fn page(path: &str, headers: &HeaderMap, shared: &Shared) -> Response<Body> {
    match &shared.settings.site {
        Some(site) => site
            .serve(path, headers)
            .await
            .unwrap_or_else(|| text(StatusCode::NOT_FOUND, "There is nothing here.\n")),
        None if path == "/" => text(
            StatusCode::OK,
            "This is a Haggle relay. It introduces browsers to each other; it serves no page of its own.\n",
        ),
        None => text(StatusCode::NOT_FOUND, "There is nothing here.\n"),
    }
}

/// A response with a body.
pub(crate) fn respond(status: StatusCode, body: Body) -> Response<Body> {
    let mut response = Response::new(body);
    *response.status_mut() = status;
    response
}

/// No body.
pub(crate) fn empty() -> Body {
    Empty::new().map_err(|never| match never {}).boxed_unsync()
}

fn text(status: StatusCode, text: &str) -> Response<Body> {
    let body = Full::new(Bytes::copy_from_slice(text.as_bytes()));
    let mut response = respond(status, body.map_err(|never| match never {}).boxed_unsync());
    let headers = response.headers_mut();
    headers.insert(
        header::CONTENT_TYPE,
        HeaderValue::from_static("text/plain; charset=utf-8"),
    );
    headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    response
}

/// How many come from where.
#[derive(Default)]
struct Crowd {
    places: Mutex<BTreeMap<Place, u32>>,
}

impl Crowd {
    /// A seat for somebody from this address, unless all of his place are taken. Trusted proxies speak for many.
    fn enter(crowd: &Arc<Self>, ip: IpAddr, settings: &Settings) -> Option<Seat> {
        let is_exempt = settings.trusted.iter().any(|network| network.contains(ip))
            || (settings.loopback_exempt && ip.to_canonical().is_loopback());
        if is_exempt {
            return Some(Seat { taken: None });
        }
        let place = Place::of(ip);
        let mut places = crowd.places.lock().unwrap_or_else(PoisonError::into_inner);
        let count = places.entry(place).or_default();
        if *count >= PER_PLACE_MAX {
            return None;
        }
        *count += 1;
        drop(places);
        Some(Seat {
            taken: Some((Arc::clone(crowd), place)),
        })
    }
}

/// A seat, given back when it is dropped.
struct Seat {
    taken: Option<(Arc<Crowd>, Place)>,
}

impl Drop for Seat {
    fn drop(&mut self) {
        let Some((crowd, place)) = &self.taken else {
            return;
        };
        let mut places = crowd.places.lock().unwrap_or_else(PoisonError::into_inner);
        if let Some(count) = places.get_mut(place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                places.remove(place);
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn settings(loopback_exempt: bool) -> Settings {
        Settings {
            site: None,
            trusted: vec![Network::parse("10.0.0.1").unwrap()],
            metrics_public: false,
            loopback_exempt,
            network: "haggle".to_owned(),
            stun: Vec::new(),
            stun_bound: Vec::new(),
            relays: Vec::new(),
        }
    }

    #[test]
    fn seats_of_one_place_run_out_and_are_given_back() {
        let crowd = Arc::new(Crowd::default());
        let settings = settings(true);
        let ip: IpAddr = "203.0.113.7".parse().unwrap();
        let mut seats: Vec<_> = (0..PER_PLACE_MAX)
            .map(|_| Crowd::enter(&crowd, ip, &settings).unwrap())
            .collect();
        assert!(Crowd::enter(&crowd, ip, &settings).is_none());
        assert!(Crowd::enter(&crowd, "203.0.113.8".parse().unwrap(), &settings).is_some());
        seats.pop();
        assert!(Crowd::enter(&crowd, ip, &settings).is_some());
        drop(seats);
        assert!(crowd.places.lock().unwrap().is_empty());
    }

    #[test]
    fn a_trusted_proxy_and_if_wished_this_machine_have_seats_without_number() {
        let crowd = Arc::new(Crowd::default());
        for ip in ["10.0.0.1", "127.0.0.1"] {
            let seats: Vec<_> = (0..1_000)
                .filter_map(|_| Crowd::enter(&crowd, ip.parse().unwrap(), &settings(true)))
                .collect();
            assert_eq!(seats.len(), 1_000, "{ip}");
        }
    }
}
