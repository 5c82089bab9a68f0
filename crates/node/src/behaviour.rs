//! What this peer does on the network: one behaviour out of eleven, each for one purpose.

use std::time::Duration;

use haggle_net::{DirectOnly, RelayedOnly, Role, book, gossip, kad, mint, whisper};
use haggle_protocol::names::PROTOCOL_IDENTIFY;
use libp2p::connection_limits::{self, ConnectionLimits};
use libp2p::identity::Keypair;
use libp2p::swarm::NetworkBehaviour;
use libp2p::{identify, ping, relay};

use crate::gate::Gated;

/// How long the answer to a whisper is waited for once there is a connection: as long as the longest way of one may take,
/// which is a piece of a file over a slow line.
pub(crate) const WHISPER_TIMEOUT: Duration = crate::whispers::PIECE_WAY;

/// A connection over which nothing is spoken any more is closed after this long. It bounds how long circuits burden
/// relays; a relay itself is kept by its reservation and by gossip.
pub(crate) const IDLE: Duration = Duration::from_secs(60);

/// How often a connection is asked whether it still lives.
const PING_EVERY: Duration = Duration::from_secs(10);
/// How long the answer may take. A page of a book on a slow line stands before it.
const PING_TIMEOUT: Duration = Duration::from_secs(15);

/// Connections at the same time: some relays, and a circuit for each seller who has just quoted. Relays let through 48.
const ESTABLISHED_MAX: u32 = 64;
/// Handshakes under way at the same time, each way: many sellers answer an intent in the same second, and each of them
/// over a circuit first and then directly.
const PENDING_MAX: u32 = 64;
/// Connections with one peer: a direct one beside a circuit, and the same again while both sides dial at once.
const PER_PEER_MAX: u32 = 4;

/// Peers whose addresses identify remembers: relays are dialed where [`crate::relays`] knows them, and nobody else is.
const IDENTIFY_CACHE: usize = 0;

#[derive(NetworkBehaviour)]
pub(crate) struct Behaviour {
    /// Stands first: what is over the limit reaches no other.
    limits: connection_limits::Behaviour,
    /// Reached through relays, and reaches others through them.
    pub(crate) relay: relay::client::Behaviour,
    /// Direct connections with other browsers.
    pub(crate) webrtc: haggle_webrtc::Behaviour,
    /// Public frames, never over a circuit.
    pub(crate) gossip: DirectOnly<gossip::Behaviour>,
    /// Further relays.
    pub(crate) kad: Gated<kad::Behaviour>,
    /// What was said before we came.
    pub(crate) book: book::Behaviour,
    /// Private cells over direct connections …
    pub(crate) whisper: DirectOnly<whisper::Behaviour>,
    /// … and over circuits. Two of the same kind, so that it is ours to choose the path of a cell.
    pub(crate) carried: RelayedOnly<whisper::Behaviour>,
    /// Requests to mints that relays carry.
    pub(crate) mint: mint::Behaviour,
    /// Who speaks what.
    pub(crate) identify: identify::Behaviour,
    /// Notices a dead line; closing it is ours to do.
    ping: ping::Behaviour,
}

impl Behaviour {
    /// For this identity; the other ends of `relay` and `webrtc` are parts of the transport.
    ///
    /// # Errors
    /// If gossip's parameters do not fit together.
    pub(crate) fn new(
        identity: &Keypair,
        relay: relay::client::Behaviour,
        webrtc: haggle_webrtc::Behaviour,
        agent: String,
    ) -> Result<Self, gossip::SetupError> {
        let me = identity.public().to_peer_id();
        let identify = identify::Config::new(PROTOCOL_IDENTIFY.to_owned(), identity.public())
            .with_agent_version(agent)
            // Nobody reaches a peer but through the relays that its Reach records name.
            .with_hide_listen_addrs(true)
            // Where a peer says that it listens is its own word, and would be added to dials of Kademlia's.
            .with_cache_size(IDENTIFY_CACHE);
        let limits = ConnectionLimits::default()
            .with_max_established(Some(ESTABLISHED_MAX))
            .with_max_established_per_peer(Some(PER_PEER_MAX))
            .with_max_pending_incoming(Some(PENDING_MAX))
            .with_max_pending_outgoing(Some(PENDING_MAX));
        Ok(Self {
            limits: connection_limits::Behaviour::new(limits),
            relay,
            webrtc,
            gossip: DirectOnly::new(gossip::behaviour(Role::Peer, [].into())?),
            // The role sets the mode by hand; left alone it would turn to server with the first reservation.
            kad: Gated::new(kad::behaviour(Role::Peer, me)),
            book: book::behaviour(),
            whisper: DirectOnly::new(whisper::behaviour(WHISPER_TIMEOUT)),
            carried: RelayedOnly::new(whisper::behaviour(WHISPER_TIMEOUT)),
            mint: mint::asking(),
            identify: identify::Behaviour::new(identify),
            ping: ping::Behaviour::new(
                ping::Config::new()
                    .with_interval(PING_EVERY)
                    .with_timeout(PING_TIMEOUT),
            ),
        })
    }
}
