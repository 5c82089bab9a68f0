//! A browser dials WebSocket, and other peers through relays.

use haggle_net::RelayAddr;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Swarm, SwarmBuilder, Transport, noise, websocket_websys, yamux};

use crate::behaviour::{Behaviour, IDLE};

/// Builds the swarm.
///
/// # Errors
/// Why the network cannot be set up.
pub(crate) fn build(identity: Keypair, agent: String) -> Result<Swarm<Behaviour>, String> {
    let swarm = SwarmBuilder::with_existing_identity(identity)
        .with_wasm_bindgen()
        .with_other_transport(|identity| {
            Ok(websocket_websys::Transport::default()
                .upgrade(Version::V1Lazy)
                .authenticate(noise::Config::new(identity)?)
                .multiplex(yamux::Config::default()))
        })
        .map_err(|error| error.to_string())?
        .with_relay_client(noise::Config::new, yamux::Config::default)
        .map_err(|error| error.to_string())?
        .with_behaviour(|identity, relay| Ok(Behaviour::new(identity, relay, agent)?))
        .map_err(|error| error.to_string())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    Ok(swarm)
}

/// Whether this platform has a transport for the address.
pub(crate) fn can_dial(relay: &RelayAddr) -> bool {
    relay
        .address()
        .iter()
        .any(|part| matches!(part, Protocol::Ws(_) | Protocol::Wss(_)))
}
