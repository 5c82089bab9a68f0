//! The half of the crate that lives among the swarm's behaviours: it finds or makes the relayed connection on which two browsers
//! negotiate, opens and accepts signalling streams on it, and hands them to the transport.

use std::collections::{HashMap, VecDeque};
use std::sync::Arc;
use std::task::{Context, Poll};

use futures::StreamExt as _;
use futures::channel::{mpsc, oneshot};
use libp2p_core::transport::PortUse;
use libp2p_core::{Endpoint, Multiaddr};
use libp2p_identity::PeerId;
use libp2p_swarm::dial_opts::{DialOpts, PeerCondition};
use libp2p_swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, Stream, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm,
};

use crate::addr::{is_relayed, is_webrtc, up_to_circuit};
use crate::clock::now;
use crate::config::{IceServer, Shared};
use crate::error::Error;
use crate::handler::{Handler, Open};
use crate::limits::Refused;
use crate::negotiations::{Entry, Negotiations};

/// Events that wait for the swarm at most; strangers' offers beyond it are dropped.
const EVENTS_MAX: usize = 64;

/// The transport wants a stream on which to negotiate.
#[derive(Debug)]
pub(crate) struct Wanted {
    pub(crate) peer: PeerId,
    /// Its address on the relay.
    pub(crate) carrier: Multiaddr,
    pub(crate) reply: oneshot::Sender<Result<Opened, Error>>,
}

/// A stream on which we make an offer.
#[derive(Debug)]
pub(crate) struct Opened {
    pub(crate) stream: Stream,
    pub(crate) entry: Entry,
    pub(crate) called_off: oneshot::Receiver<()>,
}

/// What the behaviour tells the transport.
#[derive(Debug)]
pub(crate) enum ToTransport {
    /// A peer is about to make an offer.
    Offered(Box<Offered>),
    /// We can be reached at this address of a relay.
    Reachable(Multiaddr),
    /// Not any more.
    Unreachable(Multiaddr),
}

/// A stream on which an offer comes.
#[derive(Debug)]
pub(crate) struct Offered {
    pub(crate) peer: PeerId,
    pub(crate) stream: Stream,
    pub(crate) entry: Entry,
    pub(crate) called_off: oneshot::Receiver<()>,
    /// Our own address on the relay, or nothing if the negotiation runs over something else.
    pub(crate) over: Multiaddr,
}

/// What the swarm's user hears.
#[derive(Clone, Debug, PartialEq, Eq)]
#[non_exhaustive]
pub enum Event {
    /// An offer of this peer was not looked at.
    Refused {
        /// Whose.
        peer: PeerId,
        /// Why.
        why: Refused,
    },
}

#[derive(Debug)]
struct Carrier {
    connection: ConnectionId,
    relayed: bool,
    /// Up to and with `/p2p-circuit` if it is relayed.
    address: Multiaddr,
}

/// See [`new`](crate::new).
#[derive(Debug)]
pub struct Behaviour {
    shared: Arc<Shared>,
    negotiations: Negotiations,
    wanted: mpsc::Receiver<Wanted>,
    to_transport: mpsc::Sender<ToTransport>,
    /// What could not be told the transport yet: few, one for each address on a relay.
    untold: VecDeque<ToTransport>,
    /// Connections over which can be negotiated.
    carriers: HashMap<PeerId, Vec<Carrier>>,
    /// Dials that wait for a carrier, by the connection that is being made for them.
    waiting: HashMap<ConnectionId, Wanted>,
    queue: VecDeque<ToSwarm<Event, Open>>,
}

impl Behaviour {
    pub(crate) fn new(
        shared: Arc<Shared>,
        negotiations: Negotiations,
        wanted: mpsc::Receiver<Wanted>,
        to_transport: mpsc::Sender<ToTransport>,
    ) -> Self {
        Self {
            shared,
            negotiations,
            wanted,
            to_transport,
            untold: VecDeque::new(),
            carriers: HashMap::new(),
            waiting: HashMap::new(),
            queue: VecDeque::new(),
        }
    }

    /// Switches direct connections between browsers on or off. While they are off no `RTCPeerConnection` to another browser is made: dials
    /// fail with [`Error::SwitchedOff`] and offers are not taken. Connections that stand are not closed by it.
    pub fn set_enabled(&mut self, enabled: bool) {
        self.shared.set_enabled(enabled);
    }

    /// Whether direct connections between browsers are made.
    #[must_use]
    pub fn is_enabled(&self) -> bool {
        self.shared.is_enabled()
    }

    /// Takes these STUN or TURN servers from now on.
    pub fn set_ice_servers(&mut self, servers: Vec<IceServer>) {
        self.shared.set_ice_servers(servers);
    }

    fn want(&mut self, wanted: Wanted) {
        if wanted.reply.is_canceled() {
            return;
        }
        let carriers = self.carriers.get(&wanted.peer);
        let carrier = carriers.and_then(|carriers| {
            let relayed = carriers.iter().find(|carrier| carrier.relayed);
            relayed.or(carriers.first())
        });
        if let Some(carrier) = carrier {
            let connection = carrier.connection;
            self.open(connection, wanted);
            return;
        }
        // The swarm is dialing this peer already: the dial that waits for this one.
        let opts = DialOpts::peer_id(wanted.peer)
            .condition(PeerCondition::Always)
            .addresses(vec![wanted.carrier.clone()])
            .build();
        self.waiting.insert(opts.connection_id(), wanted);
        self.queue.push_back(ToSwarm::Dial { opts });
    }

    fn open(&mut self, connection: ConnectionId, wanted: Wanted) {
        let Wanted { peer, reply, .. } = wanted;
        match self.negotiations.offer(peer) {
            Ok((entry, called_off)) => self.queue.push_back(ToSwarm::NotifyHandler {
                peer_id: peer,
                handler: NotifyHandler::One(connection),
                event: Open {
                    entry,
                    called_off,
                    reply,
                },
            }),
            Err(refused) => {
                // Whoever dialed may have gone.
                let _ = reply.send(Err(refused.into()));
            }
        }
    }

    fn tell(&mut self, news: ToTransport) {
        self.untold.push_back(news);
    }

    fn on_offer(&mut self, peer: PeerId, connection: ConnectionId, stream: Stream) {
        let (entry, called_off) = match self.negotiations.offered(peer, now()) {
            Ok(accepted) => accepted,
            Err(why) => {
                tracing::debug!(%peer, code = why.code(), "offer refused");
                if self.queue.len() < EVENTS_MAX {
                    let event = Event::Refused { peer, why };
                    self.queue.push_back(ToSwarm::GenerateEvent(event));
                }
                return;
            }
        };
        let carrier = self.carriers.get(&peer).and_then(|carriers| {
            let mut carriers = carriers.iter();
            carriers.find(|carrier| carrier.connection == connection)
        });
        let offered = Offered {
            peer,
            stream,
            entry,
            called_off,
            over: carrier.map_or_else(Multiaddr::empty, |carrier| carrier.address.clone()),
        };
        let offered = ToTransport::Offered(Box::new(offered));
        // As many fit as may be under way at once; the entry counts them.
        if self.to_transport.try_send(offered).is_err() {
            tracing::debug!(%peer, "the transport takes no offers now");
        }
    }

    fn handler(&self, address: &Multiaddr) -> Handler {
        Handler::new(Arc::clone(&self.shared), !is_webrtc(address))
    }
}

impl NetworkBehaviour for Behaviour {
    type ConnectionHandler = Handler;
    type ToSwarm = Event;

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        local: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(local))
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        address: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(self.handler(address))
    }

    // The swarm's events are not ours to list: the others do not concern us.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                let (address, listener) = match established.endpoint {
                    libp2p_core::ConnectedPoint::Dialer { address, .. } => (address, None),
                    libp2p_core::ConnectedPoint::Listener {
                        local_addr,
                        send_back_addr,
                    } => (local_addr, Some(send_back_addr)),
                };
                let relayed = is_relayed(address) || listener.is_some_and(is_relayed);
                if !is_webrtc(address) {
                    let carrier = Carrier {
                        connection: established.connection_id,
                        relayed,
                        address: up_to_circuit(address),
                    };
                    let carriers = self.carriers.entry(established.peer_id).or_default();
                    carriers.push(carrier);
                }
                if let Some(wanted) = self.waiting.remove(&established.connection_id) {
                    self.open(established.connection_id, wanted);
                }
            }
            FromSwarm::ConnectionClosed(closed) => {
                if let Some(carriers) = self.carriers.get_mut(&closed.peer_id) {
                    carriers.retain(|carrier| carrier.connection != closed.connection_id);
                    if carriers.is_empty() {
                        self.carriers.remove(&closed.peer_id);
                    }
                }
            }
            FromSwarm::DialFailure(failure) => {
                if let Some(wanted) = self.waiting.remove(&failure.connection_id) {
                    let why = failure.error.to_string();
                    // Whoever dialed may have gone.
                    let _ = wanted.reply.send(Err(Error::Carrier(why)));
                }
            }
            FromSwarm::NewListenAddr(new) if is_relayed(new.addr) => {
                self.tell(ToTransport::Reachable(new.addr.clone()));
            }
            FromSwarm::ExpiredListenAddr(expired) if is_relayed(expired.addr) => {
                self.tell(ToTransport::Unreachable(expired.addr.clone()));
            }
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        stream: THandlerOutEvent<Self>,
    ) {
        self.on_offer(peer, connection, stream);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<Event, THandlerInEvent<Self>>> {
        while !self.untold.is_empty() {
            match self.to_transport.poll_ready(cx) {
                Poll::Ready(Ok(())) => {
                    if let Some(news) = self.untold.pop_front() {
                        // There is room, and if the transport has gone there is nobody to tell.
                        let _ = self.to_transport.start_send(news);
                    }
                }
                Poll::Ready(Err(_)) => self.untold.clear(),
                Poll::Pending => break,
            }
        }
        loop {
            if let Some(command) = self.queue.pop_front() {
                return Poll::Ready(command);
            }
            match self.wanted.poll_next_unpin(cx) {
                Poll::Ready(Some(wanted)) => self.want(wanted),
                Poll::Ready(None) | Poll::Pending => return Poll::Pending,
            }
        }
    }
}
