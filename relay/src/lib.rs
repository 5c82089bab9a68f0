//! Haggle's relay: introduces browsers to each other, and serves the site.
//!
//! A browser cannot listen. A relay is the one native program of the network: a page bootstraps from it, is reachable through
//! it (circuit relay v2), hears and says public frames by it (gossip), reads from it what was said before (the book), and finds
//! further relays through it (Kademlia). It stores no quote, order or account; it remembers, in memory, what was said out loud
//! until it expires. Anyone can run one; peers use several.
//!
//! ```text
//! browsers ──HTTP(S), one port──▶ http ──▶ door ─┐
//! natives, relays ──TCP, QUIC, WebRTC-direct─────┼─▶ swarm ──▶ work (the one loop) ──▶ book
//! operator ──/healthz /readyz /metrics──▶ http ◀─┴── state, metrics
//! ```
//!
//! [`start`] runs one inside a program (tests do so); the binary `haggle-relay` adds flags, logs and signals.

mod args;
mod behaviour;
mod clock;
pub mod config;
mod discreet;
mod door;
mod fellows;
mod http;
mod keys;
pub mod limits;
mod metrics;
mod mint;
mod places;
pub mod proxy;
mod separate;
mod state;
mod stun;
pub mod tap;
mod tls;
mod transport;
mod work;

use std::collections::{BTreeMap, BTreeSet};
use std::net::SocketAddr;
use std::sync::{Arc, PoisonError};
use std::time::Duration;

use futures::StreamExt as _;
use haggle_book::{Book, Limits as BookLimits};
use haggle_net::book::Rates;
use haggle_net::gossip;
use haggle_protocol::Network;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::SwarmEvent;
use libp2p::{Multiaddr, PeerId, Swarm};
use tokio::net::{TcpListener, UdpSocket};
use tokio::sync::{mpsc, watch};
use tokio::task::JoinHandle;

pub use args::{Command, read as read_args};
pub use config::{Config, ConfigError};
pub use keys::KeyError;
pub use tap::{Direction, Tap, TapEvent};
pub use tls::TlsError;
pub use transport::SetupError;

use behaviour::Behaviour;
use door::Door;
use fellows::Fellows;
use limits::Reservations;
use metrics::Metrics;
use mint::Mint;
use places::Places;
use state::State;
use work::Work;

/// Every listener must be bound by then.
const LISTEN_TIMEOUT: Duration = Duration::from_secs(10);
/// Connections are given so long to end when the relay stops.
const STOP_TIMEOUT: Duration = Duration::from_secs(15);

/// Why a relay did not start. The text is a sentence for the operator.
#[derive(Debug, thiserror::Error)]
pub enum Error {
    /// The configuration says something that cannot be.
    #[error(transparent)]
    Config(#[from] ConfigError),
    /// The relay's key or certificate.
    #[error(transparent)]
    Key(#[from] KeyError),
    /// The certificate for HTTPS.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The library.
    #[error(transparent)]
    Setup(#[from] SetupError),
    /// Gossip's parameters.
    #[error(transparent)]
    Gossip(#[from] gossip::SetupError),
}

/// A relay that runs.
#[derive(Debug)]
pub struct Running {
    /// By what peers know it.
    pub peer_id: PeerId,
    /// Where its HTTP port is bound.
    pub http_addr: SocketAddr,
    /// Where it answers STUN.
    pub stun_addrs: Vec<SocketAddr>,
    is_tls: bool,
    addresses: Vec<Multiaddr>,
    tls: Option<(config::Tls, http::TlsSlot)>,
    stop: watch::Sender<bool>,
    tasks: Vec<JoinHandle<()>>,
}

impl Running {
    /// Every address it listens on, with `/p2p/…` at the end; the HTTP port's first.
    #[must_use]
    pub fn addresses(&self) -> &[Multiaddr] {
        &self.addresses
    }

    /// The address of its page.
    #[must_use]
    pub fn url(&self) -> String {
        let scheme = if self.is_tls { "https" } else { "http" };
        format!("{scheme}://{}/", self.http_addr)
    }

    /// Reads the certificate again. Connections that are open keep the old one.
    ///
    /// # Errors
    /// [`TlsError`]; the old certificate then stays in use.
    pub fn reload_tls(&self) -> Result<(), TlsError> {
        if let Some((files, slot)) = &self.tls {
            let fresh = tls::server_config(files)?;
            *slot.write().unwrap_or_else(PoisonError::into_inner) = fresh;
        }
        Ok(())
    }

    /// Waits until the relay's loop ends by itself, which it does not.
    pub async fn wait(&mut self) {
        if let Some(task) = self.tasks.first_mut() {
            let _ = task.await;
        }
    }

    /// Ends it: no new connections, then the open ones are closed.
    pub async fn shutdown(self) {
        // Without receivers it has ended already.
        let _ = self.stop.send(true);
        for mut task in self.tasks {
            if tokio::time::timeout(STOP_TIMEOUT, &mut task).await.is_err() {
                task.abort();
            }
        }
    }
}

/// Starts a relay; returns when every listener is bound. Needs a tokio runtime.
///
/// # Errors
/// [`Error`] with a sentence for the operator.
pub async fn start(config: Config) -> Result<Running, Error> {
    start_with(config, None).await
}

/// Starts a relay that shows `tap` everything that passes.
///
/// # Errors
/// As [`start`].
pub async fn start_with(config: Config, tap: Option<Tap>) -> Result<Running, Error> {
    // WebRTC and HTTPS ask for a process-wide provider; another one installed earlier will do.
    let _ = rustls::crypto::ring::default_provider().install_default();

    let key = keys::identity(&config.data)?;
    let certificate = if config.listen.webrtc.is_empty() {
        None
    } else {
        Some(keys::certificate(&config.data)?)
    };
    let tls = match &config.http.tls {
        None => None,
        Some(files) => Some((files.clone(), tls::slot(files)?)),
    };
    let site = match &config.http.site {
        None => None,
        Some(folder) => Some(http::Site::open(folder).map_err(|error| {
            ConfigError::new(
                "http.site",
                format!("{} cannot be read ({error})", folder.display()),
                "Name the folder that `cargo xtask site` leaves, or leave it out",
            )
        })?),
    };
    let listener = TcpListener::bind(config.http.listen)
        .await
        .map_err(|error| cannot_listen("http.listen", config.http.listen, &error))?;
    let http_addr = listener
        .local_addr()
        .map_err(|error| cannot_listen("http.listen", config.http.listen, &error))?;

    let stun = stun_sockets(&config.listen.stun).await?;
    let stun_addrs: Vec<SocketAddr> = stun.iter().map(|(_, at)| *at).collect();

    let peer_id = key.public().to_peer_id();
    if config.mint.is_some() {
        mint::warn(&peer_id);
    }
    let network = Network::named(&config.network);
    let limits = &config.limits;
    let reservations = Reservations::new(limits.reservations_per_address, limits.loopback_exempt);
    // Who hides from the mint's operator asks it through another relay.
    let (circuits, reached) = config
        .mint
        .map(|_| libp2p::relay::client::new(peer_id))
        .unzip();
    let (metrics, behaviour) = Metrics::new(|registry| {
        Behaviour::new(&key, &config, reservations.clone(), reached, registry)
    });
    let (knock, knocks) = mpsc::channel(door::WAITING_MAX);
    let front = front_address(http_addr, tls.is_some());
    let tapped = tap.map(tap::Tapped::new);
    let transport = transport::transport(
        &key,
        Door::new(front.clone(), knocks),
        certificate,
        circuits,
        tapped.as_ref(),
    )?;
    let mut swarm = Swarm::new(transport, behaviour?, peer_id, behaviour::swarm_config());
    for relay in &config.relays {
        swarm.behaviour_mut().limits.bypass_peer_id(&relay.peer());
    }

    let (bound, external) = listen(&mut swarm, &config, front).await?;
    for address in &external {
        swarm.add_external_address(address.clone());
    }
    let with_hash = |address: &&Multiaddr| {
        let mut parts = address.iter();
        parts.any(|part| matches!(part, Protocol::Certhash(_)))
    };
    let direct = external.iter().filter(with_hash).cloned().collect();
    let state = Arc::new(State::new(
        peer_id,
        metrics,
        config.external.clone(),
        direct,
    ));
    let (stop, stopped) = watch::channel(false);
    let now = clock::instant();
    let book_limits = BookLimits {
        bytes: usize::try_from(limits.book_bytes).unwrap_or(usize::MAX),
        ..BookLimits::relay()
    };
    let work = Work {
        swarm,
        book: Book::new(network, book_limits, rand::random()),
        serves_book: config.limits.serve_book,
        network,
        rates: Rates::relay(),
        answering: BTreeMap::new(),
        reservations,
        fellows: Fellows::new(network, &config.relays, peer_id, now),
        state: Arc::clone(&state),
        is_local: config::is_loopback_only(&config),
        mint: Mint::new(config.mint),
        places: config.mint.map(|_| Places::new(&config.relays)),
    };
    let server = http::Server {
        listener,
        tls: tls.as_ref().map(|(_, slot)| Arc::clone(slot)),
        settings: http::Settings {
            site,
            trusted: config.http.trusted_proxies.clone(),
            metrics_public: config.http.metrics_public,
            loopback_exempt: limits.loopback_exempt,
            network: config.network.clone(),
            stun: config.stun.clone(),
            stun_bound: stun_addrs.clone(),
            relays: config.relays.clone(),
        },
        state: Arc::clone(&state),
        knocks: knock,
        stop: stopped.clone(),
    };
    let exempt = limits.loopback_exempt;
    let answering = stun.into_iter().map(|(socket, _)| {
        let counts = state.metrics.stun.clone();
        tokio::spawn(stun::serve(socket, counts, exempt, stopped.clone()))
    });
    let answering: Vec<_> = answering.collect();
    state.turn();
    state.set_ready(true);
    let mut tasks = vec![
        tokio::spawn(work.run(stopped)),
        tokio::spawn(http::serve(server)),
    ];
    tasks.extend(answering);
    Ok(Running {
        peer_id,
        http_addr,
        stun_addrs,
        is_tls: tls.is_some(),
        addresses: bound
            .into_iter()
            .map(|address| with_peer(address, peer_id))
            .collect(),
        tls,
        stop,
        tasks,
    })
}

/// Binds the sockets that answer STUN; each with where it is bound.
async fn stun_sockets(at: &[SocketAddr]) -> Result<Vec<(UdpSocket, SocketAddr)>, ConfigError> {
    let mut sockets = Vec::new();
    for at in at {
        let failed = |error| cannot_listen("listen.stun", *at, &error);
        let socket = UdpSocket::bind(at).await.map_err(failed)?;
        let bound = socket.local_addr().map_err(failed)?;
        sockets.push((socket, bound));
    }
    Ok(sockets)
}

/// Opens every door and waits until each is bound. Returns what it listens on, and what it announces.
async fn listen(
    swarm: &mut Swarm<Behaviour>,
    config: &Config,
    front: Multiaddr,
) -> Result<(Vec<Multiaddr>, Vec<Multiaddr>), Error> {
    let mut doors: Vec<(&'static str, SocketAddr, Multiaddr)> = Vec::new();
    let listen = &config.listen;
    doors.extend(listen.tcp.iter().map(|at| {
        (
            "listen.tcp",
            *at,
            Multiaddr::from(at.ip()).with(Protocol::Tcp(at.port())),
        )
    }));
    doors.extend(listen.quic.iter().map(|at| {
        let address = Multiaddr::from(at.ip()).with(Protocol::Udp(at.port()));
        ("listen.quic", *at, address.with(Protocol::QuicV1))
    }));
    doors.extend(listen.webrtc.iter().map(|at| {
        let address = Multiaddr::from(at.ip()).with(Protocol::Udp(at.port()));
        ("listen.webrtc", *at, address.with(Protocol::WebRTCDirect))
    }));

    // Each door that is not bound yet, by its key.
    let mut waiting: Vec<(ListenerId, &'static str, SocketAddr)> = Vec::new();
    doors.insert(0, ("http.listen", config.http.listen, front.clone()));
    for (key, at, address) in doors {
        let id = swarm
            .listen_on(address)
            .map_err(|error| cannot_listen(key, at, &error))?;
        waiting.push((id, key, at));
    }

    let mut bound = vec![front];
    let deadline = tokio::time::sleep(LISTEN_TIMEOUT);
    tokio::pin!(deadline);
    while let Some((_, key, at)) = waiting.first().copied() {
        let event = tokio::select! {
            event = swarm.select_next_some() => event,
            () = &mut deadline => {
                return Err(cannot_listen(key, at, &"it was not bound in time").into());
            }
        };
        // Whatever else happens this early is of no consequence.
        #[allow(clippy::wildcard_enum_match_arm)]
        match event {
            SwarmEvent::NewListenAddr {
                listener_id,
                address,
            } => {
                waiting.retain(|(id, ..)| *id != listener_id);
                if !bound.contains(&address) {
                    bound.push(address);
                }
            }
            SwarmEvent::ListenerClosed {
                listener_id,
                reason,
                ..
            } => {
                let closed = waiting.iter().find(|(id, ..)| *id == listener_id);
                let (_, key, at) = closed.copied().unwrap_or((listener_id, key, at));
                let why = reason
                    .err()
                    .map_or_else(|| "it was closed".to_owned(), |e| e.to_string());
                return Err(cannot_listen(key, at, &why).into());
            }
            _ => {}
        }
    }
    let external = announced(config, &bound);
    if external.is_empty() || (config.external.is_empty() && !config::is_loopback_only(config)) {
        tracing::warn!(
            "`external` is empty: peers elsewhere are told only addresses that look public. Set it to this relay's name"
        );
    }
    Ok((bound, external))
}

/// What is told to others: what the operator says; else what was bound by name, and what is public by its nature. Private
/// addresses of a machine that listens everywhere are nobody's business.
fn announced(config: &Config, bound: &[Multiaddr]) -> Vec<Multiaddr> {
    if !config.external.is_empty() {
        return config.external.clone();
    }
    let named: BTreeSet<std::net::IpAddr> = [
        &config.listen.tcp,
        &config.listen.quic,
        &config.listen.webrtc,
    ]
    .into_iter()
    .flatten()
    .chain([&config.http.listen])
    .map(SocketAddr::ip)
    .filter(|ip| !ip.is_unspecified())
    .collect();
    let mut told: Vec<Multiaddr> = bound
        .iter()
        .filter(|address| {
            limits::ip_of(address).is_some_and(|ip| named.contains(&ip) || limits::is_public(ip))
        })
        .cloned()
        .collect();
    if told.is_empty() {
        // A reservation must name some address; loopback gives nothing away.
        told.extend(bound.first().map(|front| {
            std::iter::once(Protocol::Ip4(std::net::Ipv4Addr::LOCALHOST))
                .chain(front.iter().skip(1))
                .collect()
        }));
    }
    told
}

fn front_address(at: SocketAddr, is_tls: bool) -> Multiaddr {
    let transport = if is_tls {
        Protocol::Wss("/".into())
    } else {
        Protocol::Ws("/".into())
    };
    Multiaddr::from(at.ip())
        .with(Protocol::Tcp(at.port()))
        .with(transport)
}

fn with_peer(address: Multiaddr, peer: PeerId) -> Multiaddr {
    address.with(Protocol::P2p(peer))
}

fn cannot_listen(key: &str, at: SocketAddr, why: &dyn std::fmt::Display) -> ConfigError {
    ConfigError::new(
        key,
        format!("{at} cannot be listened on ({why})"),
        "Choose an address of this machine and a port that is free, or stop what uses it; ports below 1024 need a privilege",
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    fn addresses(list: &[&str]) -> Vec<Multiaddr> {
        list.iter().map(|text| text.parse().unwrap()).collect()
    }

    #[test]
    fn a_relay_that_listens_everywhere_does_not_tell_its_private_addresses() {
        let mut config = Config::default();
        config.http.listen = "0.0.0.0:80".parse().unwrap();
        config.listen.tcp = vec!["0.0.0.0:4001".parse().unwrap()];
        let bound = addresses(&[
            "/ip4/0.0.0.0/tcp/80/ws",
            "/ip4/127.0.0.1/tcp/4001",
            "/ip4/192.168.1.5/tcp/4001",
            "/ip4/93.184.216.34/tcp/4001",
        ]);
        assert_eq!(
            announced(&config, &bound),
            addresses(&["/ip4/93.184.216.34/tcp/4001"])
        );
        assert_eq!(
            announced(&config, &bound[..3]),
            addresses(&["/ip4/127.0.0.1/tcp/80/ws"]),
            "rather loopback than a private address"
        );
        config.listen.tcp = vec!["192.168.1.5:4001".parse().unwrap()];
        assert_eq!(
            announced(&config, &bound[..3]),
            addresses(&["/ip4/192.168.1.5/tcp/4001"]),
            "bound by name, so meant"
        );
        config.external = addresses(&["/dns4/relay.market.org/tcp/443/wss"]);
        assert_eq!(announced(&config, &bound), config.external);
    }
}
