//! Keeps a behaviour off relayed connections, or on nothing but them.
//!
//! A circuit through a relay is short-lived and has a limit in bytes. Gossipsub keeps one queue per *peer* and writes it to
//! whichever of the peer's connections comes first: over a circuit, frames would use up what is meant for quotes, and be
//! lost when the circuit is cut. [`DirectOnly`] gives such connections no handler and does not tell the behaviour inside
//! that they exist; counts of "other" and "remaining" connections are corrected to match.
//!
//! An address is relayed if it has `/p2p-circuit` and no `/webrtc` after it: `…/p2p-circuit/webrtc/p2p/X` names a direct
//! channel that was only *arranged* through the relay.

use std::collections::{BTreeMap, BTreeSet};
use std::task::{Context, Poll};

use either::Either;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::behaviour::{ConnectionClosed, ConnectionEstablished};
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, NotifyHandler, THandler,
    THandlerInEvent, THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::addr::{is_relayed, is_relayed_endpoint};

/// A behaviour that sees only direct connections.
pub type DirectOnly<B> = Only<false, B>;

/// A behaviour that sees only relayed connections. Beside a [`DirectOnly`] of the same kind, its owner chooses the path of
/// whatever is sent.
pub type RelayedOnly<B> = Only<true, B>;

/// A behaviour that sees only relayed or only direct connections.
#[derive(Debug)]
pub struct Only<const RELAYED: bool, B> {
    inner: B,
    /// The connections that the behaviour inside knows.
    known: BTreeMap<PeerId, BTreeSet<ConnectionId>>,
}

impl<const RELAYED: bool, B> Only<RELAYED, B> {
    /// Wraps a behaviour.
    #[must_use]
    pub const fn new(inner: B) -> Self {
        Self {
            inner,
            known: BTreeMap::new(),
        }
    }

    /// Whether there is a connection to this peer that it sees.
    #[must_use]
    pub fn sees(&self, peer: &PeerId) -> bool {
        self.known.contains_key(peer)
    }

    /// Peers with a connection that it sees.
    pub fn peers(&self) -> impl Iterator<Item = &PeerId> {
        self.known.keys()
    }

    fn knows(&self, peer: &PeerId, connection: ConnectionId) -> bool {
        self.known
            .get(peer)
            .is_some_and(|connections| connections.contains(&connection))
    }
}

impl<const RELAYED: bool, B> core::ops::Deref for Only<RELAYED, B> {
    type Target = B;
    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<const RELAYED: bool, B> core::ops::DerefMut for Only<RELAYED, B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<const RELAYED: bool, B: NetworkBehaviour> NetworkBehaviour for Only<RELAYED, B> {
    type ConnectionHandler = Either<THandler<B>, dummy::ConnectionHandler>;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        if (is_relayed(local) || is_relayed(remote)) != RELAYED {
            return Ok(());
        }
        self.inner
            .handle_pending_inbound_connection(connection, local, remote)
    }

    fn handle_established_inbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if (is_relayed(local) || is_relayed(remote)) != RELAYED {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.inner
            .handle_established_inbound_connection(connection, peer, local, remote)
            .map(Either::Left)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        self.inner
            .handle_pending_outbound_connection(connection, peer, addresses, role)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        if is_relayed(address) != RELAYED {
            return Ok(Either::Right(dummy::ConnectionHandler));
        }
        self.inner
            .handle_established_outbound_connection(connection, peer, address, role, port_use)
            .map(Either::Left)
    }

    // The swarm's events are not ours to list: all that do not concern one connection pass unchanged.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionEstablished(established) => {
                if is_relayed_endpoint(established.endpoint) != RELAYED {
                    return;
                }
                let known = self.known.entry(established.peer_id).or_default();
                let other_established = known.len();
                known.insert(established.connection_id);
                self.inner.on_swarm_event(FromSwarm::ConnectionEstablished(
                    ConnectionEstablished {
                        other_established,
                        ..established
                    },
                ));
            }
            FromSwarm::ConnectionClosed(closed) => {
                let Some(known) = self.known.get_mut(&closed.peer_id) else {
                    return;
                };
                if !known.remove(&closed.connection_id) {
                    return;
                }
                let remaining_established = known.len();
                if remaining_established == 0 {
                    self.known.remove(&closed.peer_id);
                }
                self.inner
                    .on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
                        remaining_established,
                        ..closed
                    }));
            }
            FromSwarm::AddressChange(change) => {
                if self.knows(&change.peer_id, change.connection_id) {
                    self.inner.on_swarm_event(FromSwarm::AddressChange(change));
                }
            }
            other => self.inner.on_swarm_event(other),
        }
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {
            Either::Left(event) => {
                self.inner
                    .on_connection_handler_event(peer, connection, event);
            }
            Either::Right(never) => match never {},
        }
    }

    // As above: the commands that concern no single connection pass unchanged.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<B::ToSwarm, THandlerInEvent<Self>>> {
        loop {
            let command = match self.inner.poll(cx) {
                Poll::Ready(command) => command,
                Poll::Pending => return Poll::Pending,
            };
            return Poll::Ready(match command {
                // "Any connection" must not become one whose handler would not understand.
                ToSwarm::NotifyHandler {
                    peer_id,
                    handler: NotifyHandler::Any,
                    event,
                } => {
                    let Some(connection) = self
                        .known
                        .get(&peer_id)
                        .and_then(|connections| connections.first())
                    else {
                        continue;
                    };
                    ToSwarm::NotifyHandler {
                        peer_id,
                        handler: NotifyHandler::One(*connection),
                        event: Either::Left(event),
                    }
                }
                other => other.map_in(Either::Left),
            });
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use libp2p::core::ConnectedPoint;

    /// Writes down what it is told.
    #[derive(Debug, Default)]
    struct Probe {
        heard: Vec<(&'static str, usize)>,
        handlers: usize,
        orders: Vec<PeerId>,
    }

    impl NetworkBehaviour for Probe {
        type ConnectionHandler = libp2p::swarm::OneShotHandler<
            libp2p::core::upgrade::ReadyUpgrade<&'static str>,
            libp2p::core::upgrade::ReadyUpgrade<&'static str>,
            Nothing,
        >;
        type ToSwarm = ();

        fn handle_established_inbound_connection(
            &mut self,
            _: ConnectionId,
            _: PeerId,
            _: &Multiaddr,
            _: &Multiaddr,
        ) -> Result<THandler<Self>, ConnectionDenied> {
            self.handlers += 1;
            Ok(handler())
        }

        fn handle_established_outbound_connection(
            &mut self,
            _: ConnectionId,
            _: PeerId,
            _: &Multiaddr,
            _: Endpoint,
            _: PortUse,
        ) -> Result<THandler<Self>, ConnectionDenied> {
            self.handlers += 1;
            Ok(handler())
        }

        #[allow(clippy::wildcard_enum_match_arm)]
        fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
            match event {
                FromSwarm::ConnectionEstablished(e) => {
                    self.heard.push(("established", e.other_established));
                }
                FromSwarm::ConnectionClosed(e) => {
                    self.heard.push(("closed", e.remaining_established));
                }
                FromSwarm::AddressChange(_) => self.heard.push(("moved", 0)),
                _ => self.heard.push(("other", 0)),
            }
        }

        fn on_connection_handler_event(
            &mut self,
            _: PeerId,
            _: ConnectionId,
            _: THandlerOutEvent<Self>,
        ) {
        }

        fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<(), THandlerInEvent<Self>>> {
            match self.orders.pop() {
                Some(peer_id) => Poll::Ready(ToSwarm::NotifyHandler {
                    peer_id,
                    handler: NotifyHandler::Any,
                    event: libp2p::core::upgrade::ReadyUpgrade::new("/x"),
                }),
                None => Poll::Pending,
            }
        }
    }

    #[derive(Debug)]
    struct Nothing;
    impl From<libp2p::Stream> for Nothing {
        fn from(_: libp2p::Stream) -> Self {
            Self
        }
    }

    fn handler() -> THandler<Probe> {
        libp2p::swarm::OneShotHandler::new(
            libp2p::swarm::SubstreamProtocol::new(
                libp2p::core::upgrade::ReadyUpgrade::new("/x"),
                (),
            ),
            libp2p::swarm::OneShotHandlerConfig::default(),
        )
    }

    fn address(text: &str) -> Multiaddr {
        text.parse().unwrap()
    }

    fn dialed(text: &str) -> ConnectedPoint {
        ConnectedPoint::Dialer {
            address: address(text),
            role_override: Endpoint::Dialer,
            port_use: PortUse::Reuse,
        }
    }

    fn established<const RELAYED: bool>(
        probe: &mut Only<RELAYED, Probe>,
        peer: PeerId,
        id: usize,
        endpoint: &ConnectedPoint,
        others: usize,
    ) {
        probe.on_swarm_event(FromSwarm::ConnectionEstablished(ConnectionEstablished {
            peer_id: peer,
            connection_id: ConnectionId::new_unchecked(id),
            endpoint,
            failed_addresses: &[],
            other_established: others,
        }));
    }

    fn closed(
        probe: &mut DirectOnly<Probe>,
        peer: PeerId,
        id: usize,
        endpoint: &ConnectedPoint,
        remaining: usize,
    ) {
        probe.on_swarm_event(FromSwarm::ConnectionClosed(ConnectionClosed {
            peer_id: peer,
            connection_id: ConnectionId::new_unchecked(id),
            endpoint,
            cause: None,
            remaining_established: remaining,
        }));
    }

    const RELAY: &str =
        "/ip4/10.0.0.1/tcp/1/ws/p2p/12D3KooWDpJ7As7BWAwRMfu1VU2WCqNjvq387JEYKDBj4kx6nXTN";

    #[test]
    fn beside_it_one_that_sees_only_circuits_sees_exactly_the_others() {
        let mut probe: RelayedOnly<Probe> = RelayedOnly::new(Probe::default());
        let peer = PeerId::random();
        let circuit = dialed(&format!("{RELAY}/p2p-circuit"));
        let direct = dialed("/ip4/10.0.0.2/tcp/2");
        established(&mut probe, peer, 1, &direct, 0);
        assert!(!probe.sees(&peer));
        established(&mut probe, peer, 2, &circuit, 1);
        assert!(probe.sees(&peer));
        assert_eq!(probe.inner.heard, [("established", 0)]);
    }

    #[test]
    fn the_behaviour_inside_never_hears_of_a_circuit_and_counts_without_it() {
        let mut probe = DirectOnly::new(Probe::default());
        let peer = PeerId::random();
        let circuit = dialed(&format!("{RELAY}/p2p-circuit"));
        let direct = dialed("/ip4/10.0.0.2/tcp/2");
        let channel = dialed(&format!("{RELAY}/p2p-circuit/webrtc"));

        established(&mut probe, peer, 1, &circuit, 0);
        assert!(!probe.sees(&peer));
        established(&mut probe, peer, 2, &direct, 1);
        established(&mut probe, peer, 3, &channel, 2);
        closed(&mut probe, peer, 1, &circuit, 2);
        closed(&mut probe, peer, 2, &direct, 1);
        assert!(probe.sees(&peer));
        closed(&mut probe, peer, 3, &channel, 0);
        assert!(!probe.sees(&peer));
        assert_eq!(
            probe.heard,
            [
                ("established", 0),
                ("established", 1),
                ("closed", 1),
                ("closed", 0)
            ]
        );
    }

    #[test]
    fn the_last_direct_connection_closes_as_the_last_even_while_a_circuit_stays() {
        let mut probe = DirectOnly::new(Probe::default());
        let peer = PeerId::random();
        let circuit = dialed(&format!("{RELAY}/p2p-circuit"));
        let direct = dialed("/ip4/10.0.0.2/tcp/2");
        established(&mut probe, peer, 1, &direct, 0);
        established(&mut probe, peer, 2, &circuit, 1);
        closed(&mut probe, peer, 1, &direct, 1);
        closed(&mut probe, peer, 2, &circuit, 0);
        assert_eq!(probe.heard, [("established", 0), ("closed", 0)]);
    }

    #[test]
    fn circuits_get_an_empty_handler_inbound_and_outbound() {
        let mut probe = DirectOnly::new(Probe::default());
        let (peer, id) = (PeerId::random(), ConnectionId::new_unchecked(1));
        let circuit = address(&format!("{RELAY}/p2p-circuit"));
        let source = address(&format!("/p2p/{}", PeerId::random()));
        let plain = address("/ip4/10.0.0.2/tcp/2");

        let inbound = probe.handle_established_inbound_connection(id, peer, &circuit, &source);
        assert!(matches!(inbound, Ok(Either::Right(_))));
        let outbound = probe.handle_established_outbound_connection(
            id,
            peer,
            &circuit,
            Endpoint::Dialer,
            PortUse::Reuse,
        );
        assert!(matches!(outbound, Ok(Either::Right(_))));
        let direct = probe.handle_established_inbound_connection(id, peer, &plain, &plain);
        assert!(matches!(direct, Ok(Either::Left(_))));
        assert_eq!(probe.handlers, 1);
    }

    #[test]
    fn a_word_to_any_connection_goes_to_a_direct_one_or_nowhere() {
        let mut probe = DirectOnly::new(Probe::default());
        let (peer, other) = (PeerId::random(), PeerId::random());
        let circuit = dialed(&format!("{RELAY}/p2p-circuit"));
        let direct = dialed("/ip4/10.0.0.2/tcp/2");
        established(&mut probe, peer, 1, &circuit, 0);
        established(&mut probe, peer, 2, &direct, 1);
        established(&mut probe, other, 3, &circuit, 0);
        // The last is asked first.
        probe.orders = vec![peer, other];
        let waker = futures::task::noop_waker();
        let poll = probe.poll(&mut Context::from_waker(&waker));
        let Poll::Ready(ToSwarm::NotifyHandler {
            peer_id, handler, ..
        }) = poll
        else {
            panic!("a word for the direct connection, not {poll:?}");
        };
        assert_eq!(peer_id, peer);
        assert!(matches!(handler, NotifyHandler::One(id) if id == ConnectionId::new_unchecked(2)));
        assert!(probe.poll(&mut Context::from_waker(&waker)).is_pending());
    }
}
