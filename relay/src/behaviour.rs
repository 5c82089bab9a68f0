//! What a relay does on each connection.

use std::collections::HashSet;
use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};
use std::num::NonZeroUsize;
use std::time::Duration;

use haggle_net::{DirectOnly, Role, book, gossip, kad, mint};
use haggle_protocol::names::PROTOCOL_IDENTIFY;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::swarm::behaviour::toggle::Toggle;
use libp2p::{PeerId, identify, ping, relay};
use prometheus_client::registry::Registry;

use crate::config::Config;
use crate::discreet::Discreet;
use crate::limits::{By, PlaceLimits, Rate, Reservations};

/// Handshakes under way, incoming: what one CPU works off within their timeout.
const PENDING_IN: u32 = 256;
/// Dials under way.
const PENDING_OUT: u32 = 32;
/// Connections of one peer. More than one while it moves from one transport to another.
const PER_PEER: u32 = 4;
/// Requests to the mint that are being read or carried, in bytes: thirty of the largest.
const MINT_ROOM: usize = 32 << 20;
/// Peers whose addresses identify remembers; we do not use them.
const IDENTIFY_CACHE: usize = 0;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    // First the ones that turn away, so that nothing else learns of whom they turn away.
    pub(crate) limits: connection_limits::Behaviour,
    pub(crate) places: PlaceLimits,
    pub(crate) identify: identify::Behaviour,
    pub(crate) ping: ping::Behaviour,
    pub(crate) relay: relay::Behaviour,
    // Over a circuit somebody asks for the mint, and for nothing else.
    pub(crate) gossip: DirectOnly<gossip::Behaviour>,
    pub(crate) kad: DirectOnly<Discreet<kad::Behaviour>>,
    pub(crate) book: DirectOnly<book::Behaviour>,
    /// Only there if there is a mint.
    pub(crate) mint: Toggle<mint::Behaviour>,
    /// Holds places at other relays. Only there if there is a mint.
    pub(crate) reached: Toggle<relay::client::Behaviour>,
}

impl Behaviour {
    /// `reservations` is asked last for each reservation and counts those that are held; `reached` holds places elsewhere, and its other
    /// end is a part of the transport.
    pub(crate) fn new(
        key: &Keypair,
        config: &Config,
        reservations: Reservations,
        reached: Option<relay::client::Behaviour>,
        registry: &mut Registry,
    ) -> Result<Self, gossip::SetupError> {
        let peer = key.public().to_peer_id();
        let limits = &config.limits;
        let shared: HashSet<IpAddr> = if limits.loopback_exempt {
            [Ipv4Addr::LOCALHOST.into(), Ipv6Addr::LOCALHOST.into()].into()
        } else {
            HashSet::new()
        };
        let mut relay = relay::Behaviour::new(peer, relay_config(config, reservations));
        relay.set_status(Some(relay::Status::Enable));
        Ok(Self {
            limits: connection_limits::Behaviour::new(
                ConnectionLimits::default()
                    .with_max_pending_incoming(Some(PENDING_IN))
                    .with_max_pending_outgoing(Some(PENDING_OUT))
                    .with_max_established(Some(limits.connections))
                    .with_max_established_per_peer(Some(PER_PEER)),
            ),
            places: PlaceLimits::new(limits.connections_per_address, limits.loopback_exempt),
            identify: identify::Behaviour::new(
                identify::Config::new(PROTOCOL_IDENTIFY.to_owned(), key.public())
                    .with_agent_version(format!("haggle-relay/{}", env!("CARGO_PKG_VERSION")))
                    // Only what is announced on purpose is told.
                    .with_hide_listen_addrs(true)
                    .with_cache_size(IDENTIFY_CACHE),
            ),
            ping: ping::Behaviour::default(),
            relay,
            gossip: DirectOnly::new(
                gossip::behaviour(Role::Relay, shared)?.with_metrics(registry, Default::default()),
            ),
            kad: DirectOnly::new(Discreet(kad::behaviour(Role::Relay, peer))),
            book: DirectOnly::new(book::behaviour()),
            mint: config
                .mint
                .map(|_| mint::carrying(mint::Room::new(MINT_ROOM)))
                .into(),
            reached: reached.into(),
        })
    }
}

fn relay_config(config: &Config, reservations: Reservations) -> relay::Config {
    let limits = &config.limits;
    let size = |n: u32| usize::try_from(n).unwrap_or(usize::MAX);
    let exempt = limits.loopback_exempt;
    let seconds = Duration::from_secs;
    let rate = |by, burst, interval| Box::new(Rate::new(by, burst, interval, exempt));
    relay::Config {
        max_reservations: size(limits.reservations),
        // The library lets through one more than it says. One reservation a peer, and one more while its old connection is not
        // yet known to be dead.
        max_reservations_per_peer: 1,
        reservation_duration: limits.reservation_time,
        reservation_rate_limiters: vec![
            rate(By::Peer, 6, seconds(60)),
            rate(By::Place, 60, seconds(10)),
            // Last: what it lets through it counts as held.
            Box::new(reservations),
        ],
        max_circuits: size(limits.circuits),
        max_circuits_per_peer: size(limits.circuits_per_peer).saturating_sub(1),
        max_circuit_duration: limits.circuit_time,
        max_circuit_bytes: limits.circuit_bytes,
        circuit_src_rate_limiters: vec![
            // A stall that answers many buyers dials one circuit for each.
            rate(By::Peer, 64, seconds(2)),
            rate(By::Place, 256, Duration::from_millis(500)),
        ],
    }
}

/// What the swarm is given beside transport and behaviour.
pub(crate) fn swarm_config() -> libp2p::swarm::Config {
    /// Commands to one connection that wait.
    const NOTIFY: NonZeroUsize = NonZeroUsize::new(16).expect("16 is not 0");
    libp2p::swarm::Config::with_tokio_executor()
        .with_notify_handler_buffer_size(NOTIFY)
        .with_max_negotiating_inbound_streams(64)
        // Dead connections end by ping; a quiet one is a tab that waits for quotes.
        .with_idle_connection_timeout(Duration::from_secs(600))
}

/// Whether identify's word shows a relay of ours: one that serves our Kademlia.
pub(crate) fn is_relay(info: &identify::Info) -> bool {
    info.protocol_version == PROTOCOL_IDENTIFY
        && info
            .protocols
            .iter()
            .any(|protocol| protocol.as_ref() == haggle_protocol::names::PROTOCOL_KAD)
}

/// A peer's name in a debug log: enough to follow one through it, too little to find it.
pub(crate) fn short(peer: &PeerId) -> String {
    let text = peer.to_base58();
    text.chars().skip(text.len().saturating_sub(5)).collect()
}
