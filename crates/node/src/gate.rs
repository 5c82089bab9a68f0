//! Keeps Kademlia from dialing whatever strangers name.
//!
//! A query follows the addresses it is told of, and whoever answers it could send a crowd of browsers to somebody's
//! router. Peers dial only public names over `wss` on a stranger's word, or loopback among loopback relays; every other
//! address that the behaviour inside offers for a dial is left out.
//!
//! Of those who hide where they are Kademlia dials nobody, and a peer that shall not see it is dialed through relays only, by everybody.

use std::collections::BTreeSet;
use std::task::{Context, Poll};

use haggle_net::addr::{Here, is_loopback_ws, is_public_wss, is_relayed};
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm,
};
use libp2p::{Multiaddr, PeerId};

/// Peers that are kept off at most: a person names a few mints.
const KEPT_OFF_MAX: usize = 64;

/// This peer shall not see where we are.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("this peer is reached through relays only")]
struct ThroughRelaysOnly;

/// Nobody is dialed whose address nobody has named for it.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("who hides dials no one on others' word")]
struct Quiet;

/// A behaviour whose addresses are looked at before they are dialed.
pub(crate) struct Gated<B> {
    inner: B,
    here: Here,
    /// Whether nobody is dialed without an address that was named for it.
    quiet: bool,
    /// Whom nobody here dials directly.
    kept_off: BTreeSet<PeerId>,
}

impl<B> Gated<B> {
    pub(crate) const fn new(inner: B) -> Self {
        Self {
            inner,
            here: Here::Public,
            quiet: false,
            kept_off: BTreeSet::new(),
        }
    }

    /// From now on the behaviour inside asks those who are connected and dials nobody by itself, or does: its dials name no addresses.
    pub(crate) const fn set_quiet(&mut self, quiet: bool) {
        self.quiet = quiet;
    }

    /// From now on this peer is dialed through relays only. Returns whether it is: of too many the next one is not.
    pub(crate) fn keep_off(&mut self, peer: PeerId) -> bool {
        if self.kept_off.len() < KEPT_OFF_MAX {
            self.kept_off.insert(peer);
        }
        self.kept_off.contains(&peer)
    }

    /// Whether this peer is dialed through relays only.
    pub(crate) fn keeps_off(&self, peer: &PeerId) -> bool {
        self.kept_off.contains(peer)
    }

    /// Who is dialed through relays only.
    pub(crate) const fn kept_off(&self) -> &BTreeSet<PeerId> {
        &self.kept_off
    }

    /// This peer may be dialed again. Returns whether it could not be.
    pub(crate) fn let_in(&mut self, peer: &PeerId) -> bool {
        self.kept_off.remove(peer)
    }

    /// Everybody may be dialed again.
    pub(crate) fn let_in_all(&mut self) {
        self.kept_off.clear();
    }

    /// Where we are decides what may be dialed.
    pub(crate) const fn set_here(&mut self, here: Here) {
        self.here = here;
    }
}

impl<B> core::ops::Deref for Gated<B> {
    type Target = B;
    fn deref(&self) -> &B {
        &self.inner
    }
}

impl<B> core::ops::DerefMut for Gated<B> {
    fn deref_mut(&mut self) -> &mut B {
        &mut self.inner
    }
}

impl<B: NetworkBehaviour> NetworkBehaviour for Gated<B> {
    type ConnectionHandler = B::ConnectionHandler;
    type ToSwarm = B::ToSwarm;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
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
        self.inner
            .handle_established_inbound_connection(connection, peer, local, remote)
    }

    fn handle_pending_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: Option<PeerId>,
        addresses: &[Multiaddr],
        role: Endpoint,
    ) -> Result<Vec<Multiaddr>, ConnectionDenied> {
        if peer.is_some_and(|peer| self.keeps_off(&peer)) {
            // One without addresses of its own would take whatever is known here.
            return if !addresses.is_empty() && addresses.iter().all(is_relayed) {
                Ok(Vec::new())
            } else {
                Err(ConnectionDenied::new(ThroughRelaysOnly))
            };
        }
        if self.quiet && addresses.is_empty() {
            // Kademlia's own: whatever anybody here has heard of that peer would be added to it.
            return Err(ConnectionDenied::new(Quiet));
        }
        let mut offered = self
            .inner
            .handle_pending_outbound_connection(connection, peer, addresses, role)?;
        let here = self.here;
        offered.retain(|address| {
            is_public_wss(address) || (here == Here::Loopback && is_loopback_ws(address))
        });
        Ok(offered)
    }

    fn handle_established_outbound_connection(
        &mut self,
        connection: ConnectionId,
        peer: PeerId,
        address: &Multiaddr,
        role: Endpoint,
        port_use: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        self.inner
            .handle_established_outbound_connection(connection, peer, address, role, port_use)
    }

    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        self.inner.on_swarm_event(event);
    }

    fn on_connection_handler_event(
        &mut self,
        peer: PeerId,
        connection: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        self.inner
            .on_connection_handler_event(peer, connection, event);
    }

    fn poll(&mut self, cx: &mut Context<'_>) -> Poll<ToSwarm<B::ToSwarm, THandlerInEvent<Self>>> {
        self.inner.poll(cx)
    }
}

#[cfg(test)]
mod tests {
    use libp2p::swarm::dummy;

    use super::*;

    #[test]
    fn who_is_kept_off_is_dialed_through_relays_and_in_no_other_way() {
        let (mint, relay) = (PeerId::random(), PeerId::random());
        let address = |text: String| text.parse::<Multiaddr>().unwrap();
        let direct = address(format!("/dns4/mint.example.org/tcp/443/wss/p2p/{mint}"));
        let circuit = address(format!(
            "/dns4/relay.example.org/tcp/443/wss/p2p/{relay}/p2p-circuit/p2p/{mint}"
        ));
        let dial = |gate: &mut Gated<dummy::Behaviour>, peer, addresses: &[Multiaddr]| {
            let id = ConnectionId::new_unchecked(1);
            let role = Endpoint::Dialer;
            gate.handle_pending_outbound_connection(id, Some(peer), addresses, role)
                .is_ok()
        };
        let mut gate = Gated::new(dummy::Behaviour);
        assert!(dial(&mut gate, mint, std::slice::from_ref(&direct)));
        assert!(gate.keep_off(mint));
        assert!(!dial(&mut gate, mint, std::slice::from_ref(&direct)));
        assert!(!dial(&mut gate, mint, &[circuit.clone(), direct.clone()]));
        assert!(!dial(&mut gate, mint, &[]), "others would say where");
        assert!(dial(&mut gate, mint, &[circuit]));
        assert!(dial(&mut gate, relay, &[]), "somebody else");
        assert!(gate.let_in(&mint) && !gate.let_in(&mint));
        assert!(dial(&mut gate, mint, std::slice::from_ref(&direct)));
        gate.keep_off(mint);
        gate.let_in_all();
        assert!(dial(&mut gate, mint, &[direct]));
        for _ in 0..KEPT_OFF_MAX {
            assert!(gate.keep_off(PeerId::random()));
        }
        assert!(!gate.keep_off(PeerId::random()), "there is no room");
    }
    #[test]
    fn of_who_hides_nobody_is_dialed_without_an_address_that_was_named_for_it() {
        let peer = PeerId::random();
        let named: Multiaddr = format!("/dns4/a.example.org/tcp/443/wss/p2p/{peer}")
            .parse()
            .unwrap();
        let mut gate = Gated::new(dummy::Behaviour);
        let dial = |gate: &mut Gated<dummy::Behaviour>, addresses: &[Multiaddr]| {
            let (id, role) = (ConnectionId::new_unchecked(1), Endpoint::Dialer);
            gate.handle_pending_outbound_connection(id, Some(peer), addresses, role)
                .is_ok()
        };
        assert!(dial(&mut gate, &[]));
        gate.set_quiet(true);
        assert!(!dial(&mut gate, &[]));
        assert!(dial(&mut gate, &[named]));
        gate.set_quiet(false);
        assert!(dial(&mut gate, &[]));
    }
}
