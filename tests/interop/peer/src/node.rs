//! The swarm of the page and the one loop that owns it.

use std::collections::BTreeMap;
use std::time::Duration;

use futures::channel::{mpsc, oneshot};
use futures::{StreamExt as _, future::Either};
use haggle_net::{DirectOnly, RelayedOnly};
use haggle_webrtc::addr::{is_relayed, is_webrtc};
use haggle_webrtc::{Config, IceServer, Limits, direct};
use libp2p::core::muxing::{StreamMuxer, StreamMuxerBox};
use libp2p::core::transport::ListenerId;
use libp2p::core::upgrade::Version;
use libp2p::identity::Keypair;
use libp2p::multiaddr::Protocol;
use libp2p::swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p::swarm::{ConnectionId, NetworkBehaviour, SwarmEvent};
use libp2p::{
    Multiaddr, PeerId, Swarm, SwarmBuilder, Transport, identify, noise, ping, relay,
    websocket_websys, yamux,
};
use serde::Serialize;
use wasm_bindgen::JsValue;
use wasm_bindgen_futures::spawn_local;

#[derive(NetworkBehaviour)]
struct Behaviour {
    relay: relay::client::Behaviour,
    webrtc: haggle_webrtc::Behaviour,
    streams: DirectOnly<libp2p_stream::Behaviour>,
    carried: RelayedOnly<libp2p_stream::Behaviour>,
    identify: identify::Behaviour,
    ping: ping::Behaviour,
}

/// Which connections.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(crate) enum Only {
    Direct,
    Relayed,
    All,
}

#[derive(Clone, Serialize)]
pub(crate) struct Line {
    remote: String,
    direction: &'static str,
    limited: bool,
}

#[derive(Clone, Serialize)]
pub(crate) struct Identified {
    agent: String,
    protocols: Vec<String>,
    addresses: Vec<String>,
}

/// Questions that wait for the loop.
const ASKS: usize = 256;

/// What the page wants of the loop.
pub(crate) enum Ask {
    Join(Multiaddr, bool, oneshot::Sender<Result<(), JsValue>>),
    Addresses(oneshot::Sender<Vec<String>>),
    Dial(Multiaddr, oneshot::Sender<Result<Multiaddr, String>>),
    Connections(PeerId, oneshot::Sender<Vec<Line>>),
    HangUp(PeerId, Only, oneshot::Sender<()>),
    Identify(PeerId, oneshot::Sender<Identified>),
    Ping(PeerId, oneshot::Sender<f64>),
    Closed(PeerId, oneshot::Sender<()>),
}

struct Open {
    peer: PeerId,
    line: Line,
    direct: bool,
    identified: Option<Identified>,
}

struct Node {
    swarm: Swarm<Behaviour>,
    open: BTreeMap<ConnectionId, Open>,
    joining: Option<(bool, oneshot::Sender<Result<(), JsValue>>)>,
    dials: BTreeMap<ConnectionId, oneshot::Sender<Result<Multiaddr, String>>>,
    hanging: Vec<(PeerId, Only, oneshot::Sender<()>)>,
    identifying: Vec<(PeerId, oneshot::Sender<Identified>)>,
    pinging: Vec<(PeerId, oneshot::Sender<f64>)>,
    /// Everything goes through the relay.
    hidden: bool,
}

type Started = (PeerId, mpsc::Sender<Ask>, libp2p_stream::Control);

fn boxed<M>((peer, muxer): (PeerId, M), _: libp2p::core::ConnectedPoint) -> (PeerId, StreamMuxerBox)
where
    M: StreamMuxer + Send + 'static,
    M::Substream: Send + 'static,
    M::Error: Send + Sync + 'static,
{
    (peer, StreamMuxerBox::new(muxer))
}

pub(crate) fn start(ice: Vec<String>, hide: bool) -> Result<Started, Box<dyn core::error::Error>> {
    let identity = Keypair::generate_ed25519();
    let me = identity.public().to_peer_id();
    let (relay_transport, relay) = relay::client::new(me);
    let config = Config {
        ice_servers: ice.into_iter().map(IceServer::stun).collect(),
        // A hundred dials in a row are no attack here.
        limits: Limits {
            burst: 1000,
            ..Limits::default()
        },
        ..Config::default()
    };
    let (webrtc_transport, mut webrtc) = haggle_webrtc::new(me, config);
    webrtc.set_enabled(!hide);
    let streams = libp2p_stream::Behaviour::new();
    let carried = libp2p_stream::Behaviour::new();
    let control = if hide {
        carried.new_control()
    } else {
        streams.new_control()
    };
    let behaviour = Behaviour {
        relay,
        webrtc,
        streams: DirectOnly::new(streams),
        carried: RelayedOnly::new(carried),
        identify: identify::Behaviour::new(identify::Config::new(
            "/interop/1".to_owned(),
            identity.public(),
        )),
        ping: ping::Behaviour::new(ping::Config::new().with_interval(Duration::from_secs(1))),
    };
    let mut swarm = SwarmBuilder::with_existing_identity(identity)
        .with_wasm_bindgen()
        .with_other_transport(|identity| {
            let noise = noise::Config::new(identity)?;
            let carried = relay_transport
                .or_transport(websocket_websys::Transport::default())
                .upgrade(Version::V1Lazy)
                .authenticate(noise)
                .multiplex(yamux::Config::default())
                .map(boxed);
            let webrtc = webrtc_transport.map(boxed);
            let server = direct::Transport::new(identity.clone(), Config::default()).map(boxed);
            let all = webrtc.or_transport(server).or_transport(carried);
            Ok(all.map(|made, _| match made {
                Either::Left(Either::Left(made) | Either::Right(made)) | Either::Right(made) => {
                    made
                }
            }))
        })?
        .with_behaviour(|_| behaviour)?
        .with_swarm_config(|config| {
            config
                .with_idle_connection_timeout(Duration::from_secs(600))
                .with_max_negotiating_inbound_streams(1024)
        })
        .build();
    swarm.listen_on(Multiaddr::from(Protocol::WebRTC))?;
    let (asks, asked) = mpsc::channel(ASKS);
    let node = Node {
        swarm,
        open: BTreeMap::new(),
        joining: None,
        dials: BTreeMap::new(),
        hanging: Vec::new(),
        identifying: Vec::new(),
        pinging: Vec::new(),
        hidden: hide,
    };
    spawn_local(node.run(asked));
    Ok((me, asks, control))
}

/// Answers, unless nobody waits any more.
fn give<T>(reply: oneshot::Sender<T>, answer: T) {
    let _ = reply.send(answer);
}

impl Node {
    async fn run(mut self, mut asked: mpsc::Receiver<Ask>) {
        loop {
            futures::select! {
                ask = asked.next() => match ask {
                    Some(ask) => self.ask(ask),
                    None => return,
                },
                event = self.swarm.select_next_some() => self.hear(event),
            }
        }
    }

    fn addresses(&self) -> Vec<String> {
        let all = self.swarm.listeners();
        all.filter(|address| is_webrtc(address) != self.hidden)
            .map(ToString::to_string)
            .collect()
    }

    fn ask(&mut self, ask: Ask) {
        match ask {
            Ask::Join(relay, reserve, reply) => {
                let listened = if reserve {
                    let listener: Result<ListenerId, _> =
                        self.swarm.listen_on(relay.with(Protocol::P2pCircuit));
                    listener.map(drop).map_err(|error| error.to_string())
                } else {
                    self.swarm.dial(relay).map_err(|error| error.to_string())
                };
                match listened {
                    Ok(()) => self.joining = Some((reserve, reply)),
                    Err(error) => give(reply, Err(JsValue::from_str(&error))),
                }
            }
            Ask::Addresses(reply) => give(reply, self.addresses()),
            Ask::Dial(address, reply) => {
                let peer = haggle_webrtc::addr::parse(&address).map(|(peer, _)| peer);
                let opts = match peer {
                    Some(peer) => DialOpts::peer_id(peer)
                        .condition(PeerCondition::Always)
                        .addresses(vec![address])
                        .build(),
                    None => address.into(),
                };
                let id = opts.connection_id();
                match self.swarm.dial(opts) {
                    Ok(()) => drop(self.dials.insert(id, reply)),
                    Err(error) => give(reply, Err(error.to_string())),
                }
            }
            Ask::Connections(peer, reply) => {
                let open = self.open.values().filter(|open| open.peer == peer);
                give(reply, open.map(|open| open.line.clone()).collect());
            }
            Ask::HangUp(peer, only, reply) => {
                let which = self.matching(peer, only);
                for id in which {
                    self.swarm.close_connection(id);
                }
                self.hanging.push((peer, only, reply));
                self.tend();
            }
            Ask::Identify(peer, reply) => {
                self.identifying.push((peer, reply));
                self.tend();
            }
            Ask::Ping(peer, reply) => self.pinging.push((peer, reply)),
            Ask::Closed(peer, reply) => {
                self.hanging.push((peer, Only::Direct, reply));
                self.tend();
            }
        }
    }

    fn matching(&self, peer: PeerId, only: Only) -> Vec<ConnectionId> {
        let fits = |open: &Open| {
            open.peer == peer
                && match only {
                    Only::Direct => open.direct,
                    Only::Relayed => !open.direct,
                    Only::All => true,
                }
        };
        let all = self.open.iter().filter(|(_, open)| fits(open));
        all.map(|(id, _)| *id).collect()
    }

    /// Answers whoever waited for what is so now.
    fn tend(&mut self) {
        let hanging = core::mem::take(&mut self.hanging);
        for (peer, only, reply) in hanging {
            if self.matching(peer, only).is_empty() {
                give(reply, ());
            } else {
                self.hanging.push((peer, only, reply));
            }
        }
        let identifying = core::mem::take(&mut self.identifying);
        for (peer, reply) in identifying {
            let known = self.open.values().find_map(|open| {
                let known = open.identified.clone();
                known.filter(|_| open.direct && open.peer == peer)
            });
            match known {
                Some(known) => give(reply, known),
                None => self.identifying.push((peer, reply)),
            }
        }
    }

    // The swarm's events are not ours to list.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn hear(&mut self, event: SwarmEvent<BehaviourEvent>) {
        match event {
            SwarmEvent::ConnectionEstablished {
                peer_id,
                connection_id,
                endpoint,
                ..
            } => {
                let remote = endpoint.get_remote_address().clone();
                let direct = is_webrtc(&remote);
                let open = Open {
                    peer: peer_id,
                    direct,
                    line: Line {
                        remote: remote.to_string(),
                        direction: if endpoint.is_dialer() {
                            "outbound"
                        } else {
                            "inbound"
                        },
                        limited: is_relayed(&remote),
                    },
                    identified: None,
                };
                self.open.insert(connection_id, open);
                if let Some(reply) = self.dials.remove(&connection_id) {
                    give(reply, Ok(remote));
                }
                if let Some((false, _)) = self.joining
                    && let Some((_, reply)) = self.joining.take()
                {
                    give(reply, Ok(()));
                }
            }
            SwarmEvent::ConnectionClosed { connection_id, .. } => {
                self.open.remove(&connection_id);
            }
            SwarmEvent::OutgoingConnectionError {
                connection_id,
                error,
                ..
            } => {
                if let Some(reply) = self.dials.remove(&connection_id) {
                    give(reply, Err(error.to_string()));
                }
            }
            SwarmEvent::NewListenAddr { address, .. } if is_webrtc(&address) || self.hidden => {
                if let Some((_, reply)) = self.joining.take() {
                    give(reply, Ok(()));
                }
            }
            SwarmEvent::ListenerClosed { reason, .. } => {
                if let Some((_, reply)) = self.joining.take() {
                    let why = format!("no place at the relay: {reason:?}");
                    give(reply, Err(JsValue::from_str(&why)));
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Identify(identify::Event::Received {
                connection_id,
                info,
                ..
            })) => {
                if let Some(open) = self.open.get_mut(&connection_id) {
                    open.identified = Some(Identified {
                        agent: info.agent_version,
                        protocols: info.protocols.iter().map(ToString::to_string).collect(),
                        addresses: info.listen_addrs.iter().map(ToString::to_string).collect(),
                    });
                }
            }
            SwarmEvent::Behaviour(BehaviourEvent::Ping(ping::Event {
                peer,
                connection,
                result: Ok(time),
            })) if self.open.get(&connection).is_some_and(|open| open.direct) => {
                let pinging = core::mem::take(&mut self.pinging);
                for (wanted, reply) in pinging {
                    if wanted == peer {
                        give(reply, time.as_secs_f64() * 1000.0);
                    } else {
                        self.pinging.push((wanted, reply));
                    }
                }
            }
            _ => {}
        }
        self.tend();
    }
}
