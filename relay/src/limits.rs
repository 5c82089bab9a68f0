//! Fairness by place: what one household may hold of a relay.
//!
//! A peer id costs nothing, an address costs something. So connections, reservations and circuits are counted by the
//! address they come from: an IPv4 address, or an IPv6 /56 (one household) and /48 (one site). The library's own limiters
//! count IPv6 by single addresses, let everything without an address pass, bound only how *fast* reservations come and not
//! how many are *held*, and keep buckets without bound.

use std::collections::BTreeMap;
use std::net::{IpAddr, Ipv4Addr};
use std::sync::{Arc, Mutex, PoisonError};
use std::task::{Context, Poll};
use std::time::{Duration, Instant};

use haggle_net::addr::is_relayed;
use libp2p::core::Endpoint;
use libp2p::core::transport::PortUse;
use libp2p::multiaddr::Protocol;
use libp2p::relay::RateLimiter;
use libp2p::swarm::{
    ConnectionDenied, ConnectionId, FromSwarm, NetworkBehaviour, THandler, THandlerInEvent,
    THandlerOutEvent, ToSwarm, dummy,
};
use libp2p::{Multiaddr, PeerId};

use crate::proxy::{cut4, cut6};

/// Where somebody comes from, as coarsely as is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub enum Place {
    /// One IPv4 address.
    V4(u32),
    /// One IPv6 /56.
    V6(u64),
}

impl Place {
    /// The place of an address.
    #[must_use]
    pub fn of(ip: IpAddr) -> Self {
        match ip.to_canonical() {
            IpAddr::V4(ip) => Self::V4(cut4(ip, 32)),
            // 56 bits fit.
            IpAddr::V6(ip) => Self::V6(u64::try_from(cut6(ip, 56)).unwrap_or(u64::MAX)),
        }
    }

    /// The IPv6 /48 around it.
    const fn site(self) -> Option<u64> {
        match self {
            Self::V4(_) => None,
            Self::V6(bits) => Some(bits >> 8),
        }
    }
}

/// The IP address with which a multiaddr begins.
#[must_use]
pub fn ip_of(address: &Multiaddr) -> Option<IpAddr> {
    match address.iter().next() {
        Some(Protocol::Ip4(ip)) => Some(ip.into()),
        Some(Protocol::Ip6(ip)) => Some(ip.into()),
        _ => None,
    }
}

/// Whether this address can be reached from everywhere, as far as its number tells.
#[must_use]
pub fn is_public(ip: IpAddr) -> bool {
    match ip.to_canonical() {
        IpAddr::V4(ip) => {
            let [a, b, ..] = ip.octets();
            !(ip.is_private()
                || ip.is_loopback()
                || ip.is_link_local()
                || ip.is_unspecified()
                || ip.is_broadcast()
                || ip.is_documentation()
                || ip.is_multicast()
                // Carrier NAT (RFC 6598), "this network", benchmarks (RFC 2544), reserved.
                || (a == 100 && b & 0xc0 == 64)
                || a == 0
                || (a == 198 && b & 0xfe == 18)
                || a >= 240)
        }
        // Global unicast is 2000::/3; the rest is private, local or reserved.
        IpAddr::V6(ip) => {
            ip.segments()[0] & 0xe000 == 0x2000 && ip.segments()[..2] != [0x2001, 0xdb8]
        }
    }
}

/// Whether this address is left out of counting.
fn is_exempt(ip: IpAddr, loopback_exempt: bool) -> bool {
    loopback_exempt && ip.to_canonical().is_loopback()
}

/// Who holds a reservation, and from where.
#[derive(Debug, Default)]
struct Held {
    peers: BTreeMap<PeerId, Option<Place>>,
    places: BTreeMap<Place, u32>,
    sites: BTreeMap<u64, u32>,
}

/// Bounds how many reservations one place *holds* at the same time. It must be the last of the relay's limiters: what it
/// lets pass it counts as held, until [`Reservations::release`].
#[derive(Clone, Debug)]
pub struct Reservations {
    per_place: u32,
    loopback_exempt: bool,
    held: Arc<Mutex<Held>>,
}

impl Reservations {
    /// `per_place` from one IPv4 address or IPv6 /56, four times as many from one IPv6 /48.
    #[must_use]
    pub fn new(per_place: u32, loopback_exempt: bool) -> Self {
        Self {
            per_place,
            loopback_exempt,
            held: Arc::default(),
        }
    }

    /// How many peers hold one.
    #[must_use]
    pub fn count(&self) -> usize {
        self.lock().peers.len()
    }

    /// Whether this peer may hold one from this address; counts it if so. A peer that holds one already is renewing it.
    #[must_use]
    pub fn take(&self, peer: PeerId, ip: Option<IpAddr>) -> bool {
        let mut held = self.lock();
        if held.peers.contains_key(&peer) {
            return true;
        }
        // A peer without an address comes from nowhere that could be counted.
        let Some(ip) = ip else {
            return false;
        };
        if is_exempt(ip, self.loopback_exempt) {
            held.peers.insert(peer, None);
            return true;
        }
        let place = Place::of(ip);
        let here = held.places.get(&place).copied().unwrap_or(0);
        let around = place
            .site()
            .map_or(0, |site| held.sites.get(&site).copied().unwrap_or(0));
        if here >= self.per_place || around >= self.per_place.saturating_mul(4) {
            return false;
        }
        *held.places.entry(place).or_default() += 1;
        if let Some(site) = place.site() {
            *held.sites.entry(site).or_default() += 1;
        }
        held.peers.insert(peer, Some(place));
        true
    }

    /// This peer holds none any more.
    pub fn release(&self, peer: &PeerId) {
        let mut held = self.lock();
        let Some(Some(place)) = held.peers.remove(peer) else {
            return;
        };
        let less = |count: &mut u32| {
            *count = count.saturating_sub(1);
            *count > 0
        };
        if held
            .places
            .get_mut(&place)
            .is_some_and(|count| !less(count))
        {
            held.places.remove(&place);
        }
        if let Some(site) = place.site()
            && held.sites.get_mut(&site).is_some_and(|count| !less(count))
        {
            held.sites.remove(&site);
        }
    }

    fn lock(&self) -> std::sync::MutexGuard<'_, Held> {
        // Nothing panics while it is held; a poisoned count would still be a count.
        self.held.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

impl RateLimiter for Reservations {
    fn try_next(&mut self, peer: PeerId, address: &Multiaddr, _now: Instant) -> bool {
        self.take(peer, ip_of(address))
    }
}

/// By what a rate is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum By {
    /// Each peer has its own.
    Peer,
    /// Each place has its own.
    Place,
}

/// Whose is counted.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Who {
    /// A peer's.
    Peer(PeerId),
    /// Everybody's from one place.
    Place(Place),
    /// Everybody's who comes through this relay …
    Through(PeerId),
    /// … or through one at this place, whose name the circuit does not tell.
    Behind(Place),
}

/// How many are remembered; the rested ones are forgotten first, and while all are busy newcomers wait.
const REMEMBERED_MAX: usize = 16_384;

/// `burst` at once, then one each `interval`.
#[derive(Clone, Debug)]
pub struct Rate {
    by: By,
    burst: u32,
    interval: Duration,
    loopback_exempt: bool,
    /// When each one's allowance will be whole again.
    whole_at: BTreeMap<Who, Instant>,
}

impl Rate {
    /// `burst` at once, then one each `interval`.
    #[must_use]
    pub const fn new(by: By, burst: u32, interval: Duration, loopback_exempt: bool) -> Self {
        Self {
            by,
            burst,
            interval,
            loopback_exempt,
            whole_at: BTreeMap::new(),
        }
    }
}

impl RateLimiter for Rate {
    fn try_next(&mut self, peer: PeerId, address: &Multiaddr, now: Instant) -> bool {
        let Some(ip) = ip_of(address) else {
            return false;
        };
        if is_exempt(ip, self.loopback_exempt) {
            return true;
        }
        let who = match self.by {
            By::Peer => Who::Peer(peer),
            By::Place => Who::Place(Place::of(ip)),
        };
        self.allow(who, now)
    }
}

impl Rate {
    /// Whether one more is allowed now; if so, it is counted.
    pub(crate) fn allow(&mut self, who: Who, now: Instant) -> bool {
        let whole_at = self.whole_at.get(&who).copied().unwrap_or(now).max(now);
        let next = whole_at + self.interval;
        if next > now + self.interval * self.burst {
            return false;
        }
        if !self.whole_at.contains_key(&who) && self.whole_at.len() >= REMEMBERED_MAX {
            self.whole_at.retain(|_, at| *at > now);
            if self.whole_at.len() >= REMEMBERED_MAX {
                return false;
            }
        }
        self.whole_at.insert(who, next);
        true
    }
}

/// There are too many connections from one place.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("too many connections from one address")]
pub struct TooManyFromOnePlace;

/// Connections through one other relay: it counts places itself and we cannot, so all of them together get what a few households have.
const THROUGH_ONE_RELAY: u32 = 128;

/// Who comes over a circuit, by where it was accepted: through a relay that we have dialed, or from the place of one that has dialed us.
fn through(local: &Multiaddr) -> Option<Who> {
    if !is_relayed(local) {
        return None;
    }
    let mut parts = local
        .iter()
        .take_while(|part| *part != Protocol::P2pCircuit);
    let relay = parts.find_map(|part| {
        let Protocol::P2p(relay) = part else {
            return None;
        };
        Some(relay)
    });
    let place = || Place::of(ip_of(local).unwrap_or(Ipv4Addr::UNSPECIFIED.into()));
    Some(relay.map_or_else(|| Who::Behind(place()), Who::Through))
}

/// Bounds how many connections come from one place, counted from the first packet on.
#[derive(Debug)]
pub struct PlaceLimits {
    per_place: u32,
    loopback_exempt: bool,
    /// Incoming connections, established or not yet.
    connections: BTreeMap<ConnectionId, Who>,
    places: BTreeMap<Who, u32>,
}

impl PlaceLimits {
    /// `per_place` from one IPv4 address or IPv6 /56.
    #[must_use]
    pub const fn new(per_place: u32, loopback_exempt: bool) -> Self {
        Self {
            per_place,
            loopback_exempt,
            connections: BTreeMap::new(),
            places: BTreeMap::new(),
        }
    }

    /// From where this connection comes, if it is counted.
    pub(crate) fn place(&self, connection: ConnectionId) -> Option<Who> {
        self.connections.get(&connection).copied()
    }

    fn enter(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), TooManyFromOnePlace> {
        let (place, most) = match (through(local), ip_of(remote)) {
            (Some(who), _) => (who, THROUGH_ONE_RELAY),
            (None, Some(ip)) if !is_exempt(ip, self.loopback_exempt) => {
                (Who::Place(Place::of(ip)), self.per_place)
            }
            (None, _) => return Ok(()),
        };
        let count = self.places.entry(place).or_default();
        if *count >= most {
            return Err(TooManyFromOnePlace);
        }
        *count += 1;
        self.connections.insert(connection, place);
        Ok(())
    }

    fn leave(&mut self, connection: ConnectionId) {
        let Some(place) = self.connections.remove(&connection) else {
            return;
        };
        if let Some(count) = self.places.get_mut(&place) {
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.places.remove(&place);
            }
        }
    }
}

impl NetworkBehaviour for PlaceLimits {
    type ConnectionHandler = dummy::ConnectionHandler;
    type ToSwarm = std::convert::Infallible;

    fn handle_pending_inbound_connection(
        &mut self,
        connection: ConnectionId,
        local: &Multiaddr,
        remote: &Multiaddr,
    ) -> Result<(), ConnectionDenied> {
        self.enter(connection, local, remote)
            .map_err(ConnectionDenied::new)
    }

    fn handle_established_inbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: &Multiaddr,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    fn handle_established_outbound_connection(
        &mut self,
        _: ConnectionId,
        _: PeerId,
        _: &Multiaddr,
        _: Endpoint,
        _: PortUse,
    ) -> Result<THandler<Self>, ConnectionDenied> {
        Ok(dummy::ConnectionHandler)
    }

    // The swarm's events are not ours to list; only these two end a connection.
    #[allow(clippy::wildcard_enum_match_arm)]
    fn on_swarm_event(&mut self, event: FromSwarm<'_>) {
        match event {
            FromSwarm::ConnectionClosed(closed) => self.leave(closed.connection_id),
            FromSwarm::ListenFailure(failure) => self.leave(failure.connection_id),
            _ => {}
        }
    }

    fn on_connection_handler_event(
        &mut self,
        _: PeerId,
        _: ConnectionId,
        event: THandlerOutEvent<Self>,
    ) {
        match event {}
    }

    fn poll(&mut self, _: &mut Context<'_>) -> Poll<ToSwarm<Self::ToSwarm, THandlerInEvent<Self>>> {
        Poll::Pending
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn ip(text: &str) -> IpAddr {
        text.parse().unwrap()
    }

    #[test]
    fn public_addresses_are_told_from_the_others() {
        for public in ["93.184.216.34", "1.1.1.1", "2606:2800:220:1::1"] {
            assert!(is_public(ip(public)), "{public}");
        }
        for other in [
            "10.1.2.3",
            "192.168.0.1",
            "172.16.9.9",
            "127.0.0.1",
            "169.254.1.1",
            "100.64.0.1",
            "0.0.0.0",
            "255.255.255.255",
            "198.18.0.1",
            "::1",
            "fe80::1",
            "fd00::1",
            "2001:db8::1",
            "::ffff:10.0.0.1",
        ] {
            assert!(!is_public(ip(other)), "{other}");
        }
    }

    #[test]
    fn the_seventeenth_reservation_from_one_address_is_refused() {
        let limiter = Reservations::new(16, true);
        let peers: Vec<_> = (0..17).map(|_| PeerId::random()).collect();
        for peer in &peers[..16] {
            assert!(limiter.take(*peer, Some(ip("203.0.113.7"))));
        }
        assert!(!limiter.take(peers[16], Some(ip("203.0.113.7"))));
        assert!(
            limiter.take(peers[3], Some(ip("203.0.113.7"))),
            "a renewal is no new one"
        );
        assert!(
            limiter.take(peers[16], Some(ip("203.0.113.8"))),
            "a neighbour has his own"
        );
        limiter.release(&peers[0]);
        assert!(limiter.take(PeerId::random(), Some(ip("203.0.113.7"))));
        assert_eq!(limiter.count(), 17);
    }

    #[test]
    fn one_household_with_many_ipv6_addresses_counts_once_and_a_site_four_times() {
        let limiter = Reservations::new(2, true);
        let take = |text: &str| limiter.take(PeerId::random(), Some(ip(text)));
        assert!(take("2001:db8:1:100::1"));
        assert!(take("2001:db8:1:1ff::2"));
        assert!(!take("2001:db8:1:1aa::3"), "the same /56");
        for n in 2..5 {
            assert!(take(&format!("2001:db8:1:{n}00::1")));
            assert!(take(&format!("2001:db8:1:{n}00::2")));
        }
        assert!(!take("2001:db8:1:900::1"), "another /56 of the same /48");
        assert!(take("2001:db8:2:900::1"));
    }

    #[test]
    fn loopback_is_left_out_only_if_wished_and_nowhere_counts_as_nobody() {
        let wished = Reservations::new(1, true);
        assert!((0..50).all(|_| wished.take(PeerId::random(), Some(ip("127.0.0.1")))));
        assert!((0..50).all(|_| wished.take(PeerId::random(), Some(ip("::1")))));
        let strict = Reservations::new(1, false);
        assert!(strict.take(PeerId::random(), Some(ip("127.0.0.1"))));
        assert!(!strict.take(PeerId::random(), Some(ip("127.0.0.1"))));
        assert!(!strict.take(PeerId::random(), None));
    }

    #[test]
    fn what_was_released_leaves_nothing_behind() {
        let limiter = Reservations::new(4, false);
        let peers: Vec<_> = (0..8).map(|_| PeerId::random()).collect();
        for (n, peer) in peers.iter().enumerate() {
            assert!(limiter.take(*peer, Some(ip(&format!("2001:db8:1:{n}00::1")))));
        }
        for peer in &peers {
            limiter.release(peer);
            limiter.release(peer);
        }
        let held = limiter.lock();
        assert!(held.peers.is_empty() && held.places.is_empty() && held.sites.is_empty());
    }

    #[test]
    // The limiter's own trait asks for an instant.
    #[allow(clippy::disallowed_methods)]
    fn a_rate_allows_its_burst_and_then_one_each_interval() {
        let mut rate = Rate::new(By::Place, 3, Duration::from_secs(10), true);
        let start = Instant::now();
        let address: Multiaddr = "/ip4/203.0.113.7/tcp/1".parse().unwrap();
        let mut ask =
            |at: u64| rate.try_next(PeerId::random(), &address, start + Duration::from_secs(at));
        assert_eq!((0..9).filter(|_| ask(0)).count(), 3);
        assert!(!ask(9));
        assert!(ask(10));
        assert!(!ask(10));
        assert_eq!((0..9).filter(|_| ask(100)).count(), 3);
        let nowhere: Multiaddr = "/dns4/a.org/tcp/1".parse().unwrap();
        assert!(!rate.try_next(PeerId::random(), &nowhere, start));
    }

    #[test]
    fn connections_of_one_place_are_counted_from_the_first_packet_until_they_end() {
        let mut limits = PlaceLimits::new(2, true);
        let here: Multiaddr = "/ip4/203.0.113.7/udp/1/quic-v1".parse().unwrap();
        let local: Multiaddr = "/ip4/127.0.0.1/tcp/1/ws".parse().unwrap();
        let door: Multiaddr = "/ip4/0.0.0.0/tcp/1/ws".parse().unwrap();
        let id = ConnectionId::new_unchecked;
        assert!(limits.enter(id(1), &door, &here).is_ok());
        assert!(limits.enter(id(2), &door, &here).is_ok());
        assert!(limits.enter(id(3), &door, &here).is_err());
        limits.leave(id(3));
        assert!(
            limits.enter(id(4), &door, &here).is_err(),
            "a refused one frees nothing"
        );
        limits.leave(id(1));
        limits.leave(id(1));
        assert!(limits.enter(id(5), &door, &here).is_ok());
        assert!(limits.enter(id(6), &door, &here).is_err());
        assert!((7..99).all(|n| limits.enter(id(n), &door, &local).is_ok()));
        limits.leave(id(2));
        limits.leave(id(5));
        assert!(limits.places.is_empty());
    }
    #[test]
    fn connections_through_one_relay_are_bounded_together_and_not_by_where_it_stands() {
        let mut limits = PlaceLimits::new(2, true);
        let relay = PeerId::random();
        let door = |at: &str, relay: PeerId| -> Multiaddr {
            let text = format!("{at}/p2p/{relay}/p2p-circuit");
            text.parse().unwrap()
        };
        let far = door("/ip4/203.0.113.7/tcp/1", relay);
        let near = door("/ip4/127.0.0.1/tcp/1/ws", relay);
        let id = |n: u32| ConnectionId::new_unchecked(usize::try_from(n).unwrap());
        let from = || Multiaddr::empty().with(Protocol::P2p(PeerId::random()));
        for n in 0..THROUGH_ONE_RELAY {
            let door = if n % 2 == 0 { &far } else { &near };
            assert!(limits.enter(id(n), door, &from()).is_ok());
        }
        let next = id(THROUGH_ONE_RELAY);
        assert!(limits.enter(next, &far, &from()).is_err());
        assert_eq!(limits.place(id(0)), Some(Who::Through(relay)));
        let other = door("/ip4/203.0.113.7/tcp/1", PeerId::random());
        assert!(limits.enter(next, &other, &from()).is_ok());
        // One that has dialed us is known by its place, loopback or not.
        let dialed_us: Multiaddr = "/ip4/127.0.0.1/tcp/1/ws/p2p-circuit".parse().unwrap();
        let ids = (0..THROUGH_ONE_RELAY).map(|n| id(1_000 + n));
        for id in ids {
            assert!(limits.enter(id, &dialed_us, &from()).is_ok());
        }
        assert!(limits.enter(id(5_000), &dialed_us, &from()).is_err());
        let place = Place::of(Ipv4Addr::LOCALHOST.into());
        assert_eq!(limits.place(id(1_000)), Some(Who::Behind(place)));
        limits.leave(id(0));
        let last = id(THROUGH_ONE_RELAY + 1);
        assert!(limits.enter(last, &near, &from()).is_ok());
    }
}
