//! A native peer dials TCP, QUIC and WebSocket, by name or by number, and other peers through relays.

use haggle_net::RelayAddr;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Swarm, SwarmBuilder, noise, tcp, yamux};

use crate::behaviour::{Behaviour, IDLE};

/// Whether this platform makes direct connections with other browsers.
pub(crate) const DIRECT: bool = false;

/// Builds the swarm.
///
/// # Errors
/// Why the network cannot be set up.
pub(crate) fn build(
    identity: Keypair,
    agent: String,
    _: Vec<String>,
) -> Result<Swarm<Behaviour>, String> {
    let me = identity.public().to_peer_id();
    // Its transport is for browsers; without it the behaviour takes no offers.
    let (_, webrtc) = haggle_webrtc::new(me, haggle_webrtc::Config::default());
    let swarm = SwarmBuilder::with_existing_identity(identity)
        .with_tokio()
        .with_tcp(
            tcp::Config::default().nodelay(true),
            noise::Config::new,
            yamux::Config::default,
        )
        .map_err(|error| error.to_string())?
        .with_quic()
        .with_dns()
        .map_err(|error| error.to_string())?
        .with_websocket(noise::Config::new, yamux::Config::default);
    // Ready at once with tokio; the library asks for it in the same way from every runtime.
    let swarm = futures::executor::block_on(swarm)
        .map_err(|error| error.to_string())?
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .map_err(|error| error.to_string())?
        .with_behaviour(|identity, relay| Ok(Behaviour::new(identity, relay, webrtc, agent)?))
        .map_err(|error| error.to_string())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    Ok(swarm)
}

/// Whether this platform has a transport for the address.
pub(crate) fn can_dial(relay: &RelayAddr) -> bool {
    let mut parts = relay.address().iter().skip(1);
    match (parts.next(), parts.next()) {
        (Some(Protocol::Tcp(_)), Some(next)) => matches!(
            next,
            Protocol::P2p(_) | Protocol::Ws(_) | Protocol::Wss(_) | Protocol::Tls
        ),
        (Some(Protocol::Udp(_)), Some(next)) => matches!(next, Protocol::QuicV1),
        (Some(_) | None, Some(_) | None) => false,
    }
}
