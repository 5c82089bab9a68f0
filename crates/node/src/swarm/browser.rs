//! A browser dials relays by WebSocket or WebRTC-direct, other peers through relays, and other browsers directly.

use futures::future::Either;
use haggle_net::RelayAddr;
use haggle_webrtc::{IceServer, direct as server};
use libp2p::core::muxing::StreamMuxerBox;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, Swarm, SwarmBuilder, Transport, noise, relay, websocket_websys, yamux};

use crate::behaviour::{Behaviour, IDLE};

/// Whether this platform makes direct connections with other browsers.
pub(crate) const DIRECT: bool = true;

/// Builds the swarm. The servers tell this peer under which address the world sees it.
///
/// # Errors
/// Why the network cannot be set up.
pub(crate) fn build(
    identity: Keypair,
    agent: String,
    stun: Vec<String>,
) -> Result<Swarm<Behaviour>, String> {
    let me = identity.public().to_peer_id();
    let (carried, relay) = relay::client::new(me);
    let config = haggle_webrtc::Config {
        ice_servers: stun.into_iter().map(IceServer::stun).collect(),
        ..haggle_webrtc::Config::default()
    };
    let (direct, webrtc) = haggle_webrtc::new(me, config);
    let mut swarm = SwarmBuilder::with_existing_identity(identity)
        .with_wasm_bindgen()
        .with_other_transport(|identity| {
            let carried = carried
                .or_transport(websocket_websys::Transport::default())
                .upgrade(Version::V1Lazy)
                .authenticate(noise::Config::new(identity)?)
                .multiplex(yamux::Config::default())
                .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
            // First: the relay client takes every address with a circuit in it, also those that ask for more.
            let direct = direct.map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
            let servers =
                server::Transport::new(identity.clone(), haggle_webrtc::Config::default())
                    .map(|(peer, muxer), _| (peer, StreamMuxerBox::new(muxer)));
            let all = direct.or_transport(servers).or_transport(carried);
            Ok(all.map(|made, _| match made {
                Either::Left(Either::Left(made) | Either::Right(made)) | Either::Right(made) => {
                    made
                }
            }))
        })
        .map_err(|error| error.to_string())?
        .with_behaviour(|identity| Ok(Behaviour::new(identity, relay, webrtc, agent)?))
        .map_err(|error| error.to_string())?
        .with_swarm_config(|config| config.with_idle_connection_timeout(IDLE))
        .build();
    if let Err(error) = swarm.listen_on(Multiaddr::from(Protocol::WebRTC)) {
        // A browser without WebRTC, or with it switched off: everything goes through relays.
        tracing::info!(%error, "no direct connections here");
        swarm.behaviour_mut().webrtc.set_enabled(false);
    }
    Ok(swarm)
}

/// Whether this platform has a transport for the address.
pub(crate) fn can_dial(relay: &RelayAddr) -> bool {
    // For WebRTC-direct an address without the hash of a certificate leads nowhere.
    relay.address().iter().any(|part| {
        matches!(
            part,
            Protocol::Ws(_) | Protocol::Wss(_) | Protocol::Certhash(_)
        )
    })
}
