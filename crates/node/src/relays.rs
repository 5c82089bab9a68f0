//! Which relays are known, how each stands, and what is to be done next.
//!
//! Bookkeeping only: the loop reports what happened and carries out the [`Step`]s of [`Relays::plan`]. A relay that
//! cannot be reached is tried again after a wait that doubles each time and is never the same for two peers, so that a
//! relay that comes back is not run over by everybody at once. Any relay may vanish: beside the chosen ones, further
//! relays that Kademlia told of are connected to while there are too few, and remembered.

use std::collections::BTreeMap;
use std::time::Duration;

use haggle_net::RelayAddr;
use haggle_net::addr::{self, Here};
use haggle_protocol::PublicKey;
use haggle_protocol::names::PROTOCOL_BOOK;
use haggle_protocol::reach::Circuit;
use libp2p::core::transport::ListenerId;
use libp2p::multiaddr::Protocol;
use libp2p::{Multiaddr, PeerId, StreamProtocol};

use crate::clock::Instant;
use crate::event::{RelayState, RelayView};
use crate::peer::jitter;
use crate::swarm::can_dial;

/// Relays to be connected to at least, as long as that many are known: one may vanish at any time.
const ENOUGH: usize = 2;
/// Chosen relays connected to at most; the others stand by.
const CHOSEN_MAX: usize = 4;
/// Places held at relays at the same time: as many as one Reach record names.
const PLACES_MAX: usize = haggle_protocol::limits::REACH_ENTRIES_MAX;
/// Relays that are known at most, chosen ones included.
const KNOWN_MAX: usize = 64;
/// Addresses kept of one relay.
const ADDRESSES_MAX: usize = 6;
/// Relays found that are remembered for the next start.
const REMEMBERED_MAX: usize = 16;
/// A relay that others told of is forgotten after so many failures in a row.
const FORGOTTEN_AFTER: u32 = 5;
/// The first wait after a failure.
const FIRST_WAIT: Duration = Duration::from_secs(1);
/// The longest wait after a failure: a person who plugs the cable in again looks at the screen for no longer.
const LONGEST_WAIT: Duration = Duration::from_secs(30);
/// A relay that gave no place is asked again after this long.
const NO_PLACE_WAIT: Duration = Duration::from_secs(30);
/// By this protocol a relay gives places.
const HOP: &str = "/libp2p/circuit/relay/0.2.0/hop";

/// Where we know a relay from.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord)]
enum Origin {
    /// Handed in at the start.
    Given,
    /// Added by the person; remembered.
    Added,
    /// Other relays told of it.
    Found,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Stand {
    Idle,
    Dialing,
    Connected,
    Waiting(Instant),
}

/// Our place at a relay, at which others reach us.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    None,
    Asked(ListenerId),
    Held(ListenerId),
    Denied(Instant),
}

#[derive(Debug)]
struct Relay {
    /// The first one is shown. Empty if none can be dialed here.
    addresses: Vec<RelayAddr>,
    /// As given, if nothing can be dialed.
    shown: String,
    origin: Origin,
    /// Drawn anew at each start, so that not everybody who has the same list turns to the same ones of it.
    lot: u32,
    stand: Stand,
    place: Place,
    tries: u32,
    reason: Option<&'static str>,
    /// Whether it has shown, since the start, that it gives places and keeps a book.
    proven: bool,
    books: bool,
}

/// What is to be done.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum Step {
    Dial(PeerId, Vec<Multiaddr>),
    /// Ask for a place: listen on this address.
    Reserve(PeerId, Multiaddr),
}

/// What is remembered from start to start.
#[derive(Debug, Default, PartialEq, Eq, serde::Serialize, serde::Deserialize)]
#[serde(default)]
pub(crate) struct Remembered {
    added: Vec<String>,
    found: Vec<String>,
}

#[derive(Debug)]
pub(crate) struct Relays {
    all: BTreeMap<PeerId, Relay>,
    /// Given addresses that are none, with why.
    malformed: Vec<(String, &'static str)>,
    me: PeerId,
    /// Whether the person hides the network address: then others' word about a relay is taken only in need.
    hides: bool,
}

impl Relays {
    pub(crate) fn new(me: PeerId, given: &[String], remembered: &Remembered) -> Self {
        let mut relays = Self {
            all: BTreeMap::new(),
            malformed: Vec::new(),
            me,
            hides: false,
        };
        let given = given.iter().map(|text| (text, Origin::Given));
        let added = remembered.added.iter().map(|text| (text, Origin::Added));
        for (text, origin) in given.chain(added) {
            match RelayAddr::parse(text) {
                Ok(address) => relays.put(address, origin),
                Err(error) if relays.malformed.len() < KNOWN_MAX => {
                    relays.malformed.push((text.clone(), error.code()));
                }
                Err(_) => {}
            }
        }
        for text in &remembered.found {
            if let Ok(address) = RelayAddr::parse(text) {
                relays.put(address, Origin::Found);
            }
        }
        relays
    }

    fn put(&mut self, address: RelayAddr, origin: Origin) {
        if address.peer() == self.me {
            return;
        }
        let full = self.all.len() >= KNOWN_MAX;
        let shown = address.to_string();
        let relay = match self.all.entry(address.peer()) {
            std::collections::btree_map::Entry::Vacant(_) if full => return,
            std::collections::btree_map::Entry::Vacant(entry) => entry.insert(Relay {
                addresses: Vec::new(),
                shown,
                origin,
                lot: jitter(),
                stand: Stand::Idle,
                place: Place::None,
                tries: 0,
                reason: None,
                proven: false,
                books: false,
            }),
            std::collections::btree_map::Entry::Occupied(entry) => entry.into_mut(),
        };
        relay.origin = relay.origin.min(origin);
        let new = can_dial(&address) && !relay.addresses.contains(&address);
        if new && relay.addresses.len() < ADDRESSES_MAX {
            relay.addresses.push(address);
        }
    }

    /// The person hides the network address from now on, or does not.
    pub(crate) const fn set_hides(&mut self, hides: bool) {
        self.hides = hides;
    }

    /// Whether those that only others told of are left alone: each one dialed sees where we are, so who hides dials them only when none of his
    /// own can be reached.
    fn leaves_found_alone(&self) -> bool {
        let chosen = self.all.values();
        let mut chosen = chosen.filter(|relay| relay.origin != Origin::Found);
        self.hides
            && chosen.any(|relay| {
                let failed = matches!(relay.stand, Stand::Waiting(_));
                !failed && !relay.addresses.is_empty()
            })
    }

    /// The person wants this one too.
    pub(crate) fn add(&mut self, address: RelayAddr) -> bool {
        let peer = address.peer();
        self.put(address, Origin::Added);
        let Some(relay) = self.all.get_mut(&peer) else {
            return false;
        };
        if let Stand::Waiting(_) = relay.stand {
            relay.stand = Stand::Idle;
            relay.tries = 0;
        }
        true
    }

    /// The person does not want this one; returns whom to hang up on. The text may be any of its addresses or its id.
    pub(crate) fn remove(&mut self, text: &str) -> Option<Option<PeerId>> {
        let known = self.malformed.len();
        self.malformed.retain(|(malformed, _)| malformed != text);
        if self.malformed.len() != known {
            return Some(None);
        }
        let by_address = RelayAddr::parse(text).map(|address| address.peer());
        let peer = by_address.ok().or_else(|| text.parse().ok())?;
        self.all.remove(&peer).map(|_| Some(peer))
    }

    /// Another relay told of this one. Strangers name only public `wss` addresses, or loopback ones among loopback relays.
    pub(crate) fn found(&mut self, peer: PeerId, addresses: impl IntoIterator<Item = Multiaddr>) {
        for address in addresses {
            let named = match address.iter().last() {
                Some(Protocol::P2p(named)) => Some(named),
                Some(_) | None => None,
            };
            let address = match named {
                Some(_) => address,
                None => address.with(Protocol::P2p(peer)),
            };
            if !self.may_dial(&address) {
                continue;
            }
            if let Ok(address) = RelayAddr::new(address)
                && address.peer() == peer
                && can_dial(&address)
            {
                self.put(address, Origin::Found);
            }
        }
    }

    /// Where we are: on one machine if a chosen relay is.
    pub(crate) fn here(&self) -> Here {
        let local = self
            .all
            .values()
            .filter(|relay| relay.origin != Origin::Found)
            .flat_map(|relay| &relay.addresses)
            .any(|address| addr::is_loopback(address.address()));
        if local { Here::Loopback } else { Here::Public }
    }

    fn may_dial(&self, address: &Multiaddr) -> bool {
        addr::is_public_wss(address)
            || (self.here() == Here::Loopback && addr::is_loopback_ws(address))
    }

    pub(crate) fn is_known(&self, peer: &PeerId) -> bool {
        self.all.contains_key(peer)
    }

    /// Whether the person has it in his list, and not only others told of it.
    pub(crate) fn is_chosen(&self, peer: &PeerId) -> bool {
        let relay = self.all.get(peer);
        relay.is_some_and(|relay| relay.origin != Origin::Found)
    }

    /// The ways to a peer through the chosen relays that are connected. Others may be of whoever has that peer.
    pub(crate) fn circuits_to(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let connected = self.all.iter().filter(|(relay, known)| {
            known.stand == Stand::Connected && known.origin != Origin::Found && *relay != peer
        });
        let at = connected.filter_map(|(_, relay)| relay.addresses.first());
        at.map(|address| address.listen_address().with(Protocol::P2p(*peer)))
            .collect()
    }

    /// An address of a known relay.
    pub(crate) fn address(&self, peer: &PeerId) -> Option<&RelayAddr> {
        self.all.get(peer)?.addresses.first()
    }

    /// Every address of a known relay.
    pub(crate) fn addresses(&self, peer: &PeerId) -> Vec<Multiaddr> {
        let relay = self.all.get(peer).into_iter();
        let addresses = relay.flat_map(|relay| &relay.addresses);
        addresses.map(|one| one.address().clone()).collect()
    }

    /// Relays that are connected and keep a book.
    pub(crate) fn books(&self) -> impl Iterator<Item = PeerId> + '_ {
        self.all
            .iter()
            .filter(|(_, relay)| relay.stand == Stand::Connected && relay.books)
            .map(|(peer, _)| *peer)
    }

    pub(crate) fn connected(&self) -> usize {
        self.all
            .values()
            .filter(|relay| relay.stand == Stand::Connected)
            .count()
    }

    /// Whether more relays are wanted than there are.
    pub(crate) fn too_few(&self) -> bool {
        self.connected() < ENOUGH
    }

    /// A direct connection to this peer was made.
    pub(crate) fn on_connected(&mut self, peer: &PeerId) {
        if let Some(relay) = self.all.get_mut(peer) {
            relay.stand = Stand::Connected;
            relay.tries = 0;
            relay.reason = None;
        }
    }

    /// The last direct connection to this peer is gone. `jitter` is random.
    pub(crate) fn on_disconnected(&mut self, peer: &PeerId, now: Instant, jitter: u32) {
        if let Some(relay) = self.all.get_mut(peer) {
            relay.place = Place::None;
            relay.books = false;
            relay.fail("closed", now, jitter);
        }
    }

    /// It could not be dialed.
    pub(crate) fn on_dial_failed(
        &mut self,
        peer: &PeerId,
        reason: &'static str,
        now: Instant,
        jitter: u32,
    ) {
        let Some(relay) = self.all.get_mut(peer) else {
            return;
        };
        if relay.stand == Stand::Connected {
            return;
        }
        relay.fail(reason, now, jitter);
        if relay.origin == Origin::Found && relay.tries >= FORGOTTEN_AFTER {
            self.all.remove(peer);
        }
    }

    /// It told what it speaks and where it listens. Returns whether what is remembered has changed.
    pub(crate) fn on_identified(
        &mut self,
        peer: &PeerId,
        protocols: &[StreamProtocol],
        listening: &[Multiaddr],
    ) -> bool {
        let Some(relay) = self.all.get_mut(peer) else {
            return false;
        };
        let speaks = |name: &str| protocols.iter().any(|protocol| protocol.as_ref() == name);
        relay.books = speaks(PROTOCOL_BOOK);
        let proven = speaks(HOP) && relay.books;
        let changed = proven && !relay.proven && relay.origin == Origin::Found;
        relay.proven = proven;
        self.found(*peer, listening.iter().take(16).cloned());
        changed
    }

    /// A place was asked for under this listener; without one, it could not even be asked for.
    pub(crate) fn on_asked(&mut self, peer: &PeerId, listener: Option<ListenerId>, now: Instant) {
        if let Some(relay) = self.all.get_mut(peer) {
            relay.place = listener.map_or(Place::Denied(now + NO_PLACE_WAIT), Place::Asked);
        }
    }

    /// It gave a place. Returns whether that is news.
    pub(crate) fn on_place(&mut self, peer: &PeerId) -> bool {
        match self.all.get_mut(peer).map(|relay| &mut relay.place) {
            Some(place @ Place::Asked(_)) => {
                if let Place::Asked(listener) = *place {
                    *place = Place::Held(listener);
                }
                true
            }
            Some(Place::None | Place::Held(_) | Place::Denied(_)) | None => false,
        }
    }

    /// A listener has ended: the place is gone or was never given. Returns whether a place was lost.
    pub(crate) fn on_listener_closed(&mut self, closed: ListenerId, now: Instant) -> bool {
        for relay in self.all.values_mut() {
            match relay.place {
                Place::Held(listener) if listener == closed => {
                    relay.place = Place::None;
                    return true;
                }
                Place::Asked(listener) if listener == closed => {
                    relay.place = Place::Denied(now + NO_PLACE_WAIT);
                    relay.reason = Some("reservation-refused");
                    return false;
                }
                Place::Held(_) | Place::Asked(_) | Place::None | Place::Denied(_) => {}
            }
        }
        false
    }

    /// Where this peer can be reached, chosen relays first.
    pub(crate) fn places(&self, me: &PublicKey) -> Vec<Circuit> {
        let mut held: Vec<&Relay> = self
            .all
            .values()
            .filter(|relay| matches!(relay.place, Place::Held(_)))
            .collect();
        held.sort_by_key(|relay| relay.origin == Origin::Found);
        held.into_iter()
            .filter_map(|relay| {
                // Whoever reads it may sit in a browser.
                let for_browsers = relay.addresses.iter().find(|a| a.is_for_browsers());
                let address = for_browsers.or(relay.addresses.first())?;
                addr::circuit_through(address, me)
            })
            .take(PLACES_MAX)
            .collect()
    }

    /// What is to be done now.
    pub(crate) fn plan(&mut self, now: Instant) -> Vec<Step> {
        let mut steps = Vec::new();
        let mut order: Vec<PeerId> = self.all.keys().copied().collect();
        order.sort_by_key(|peer| self.all.get(peer).map(|relay| (relay.origin, relay.lot)));
        let mut busy = self
            .all
            .values()
            .filter(|relay| matches!(relay.stand, Stand::Connected | Stand::Dialing))
            .count();
        let mut places = self
            .all
            .values()
            .filter(|relay| matches!(relay.place, Place::Asked(_) | Place::Held(_)))
            .count();
        for peer in order {
            // Chosen ones come first, and may be dialed again by now.
            let leaves_found_alone = self.leaves_found_alone();
            let Some(relay) = self.all.get_mut(&peer) else {
                continue;
            };
            let most = match relay.origin {
                Origin::Given | Origin::Added => CHOSEN_MAX,
                Origin::Found => ENOUGH,
            };
            let due = match relay.stand {
                Stand::Idle => true,
                Stand::Waiting(until) => until <= now,
                Stand::Dialing | Stand::Connected => false,
            };
            let left_alone = leaves_found_alone && relay.origin == Origin::Found;
            if due && !left_alone && busy < most && !relay.addresses.is_empty() {
                relay.stand = Stand::Dialing;
                busy += 1;
                let addresses = relay.addresses.iter();
                let addresses = addresses.map(|address| address.address().clone());
                steps.push(Step::Dial(peer, addresses.collect()));
            }
            let wants = match relay.place {
                Place::None => true,
                Place::Denied(until) => until <= now,
                Place::Asked(_) | Place::Held(_) => false,
            };
            // One that was only found has to show first that it is a relay.
            let trusted = relay.origin != Origin::Found || relay.proven;
            let connected = relay.stand == Stand::Connected;
            if let Some(address) = relay.addresses.first()
                && wants
                && trusted
                && connected
                && places < PLACES_MAX
            {
                places += 1;
                steps.push(Step::Reserve(peer, address.listen_address()));
            }
        }
        steps
    }

    /// What is to be remembered.
    pub(crate) fn remembered(&self) -> Remembered {
        let texts = |origin: Origin, proven: bool| {
            self.all
                .values()
                .filter(move |relay| relay.origin == origin && (relay.proven || !proven))
                .filter_map(|relay| relay.addresses.first())
                .map(ToString::to_string)
        };
        Remembered {
            added: texts(Origin::Added, false).collect(),
            found: texts(Origin::Found, true).take(REMEMBERED_MAX).collect(),
        }
    }

    /// Whether none is connected, none is being dialed for the first time, and all have failed.
    pub(crate) fn all_failed(&self) -> bool {
        self.all
            .values()
            .all(|relay| relay.addresses.is_empty() || relay.tries > 0)
    }

    /// As shown, chosen ones first.
    pub(crate) fn views(&self, now: Instant) -> Vec<RelayView> {
        let mut all: Vec<(&PeerId, &Relay)> = self
            .all
            .iter()
            // One that was found and is not in use is of no interest to anybody.
            .filter(|(_, relay)| relay.origin != Origin::Found || relay.stand != Stand::Idle)
            .collect();
        all.sort_by_key(|(_, relay)| relay.origin);
        let malformed = self.malformed.iter().map(|(address, reason)| RelayView {
            address: address.clone(),
            peer: String::new(),
            state: RelayState::Refused,
            configured: true,
            reason: Some((*reason).to_owned()),
        });
        all.into_iter()
            .map(|(peer, relay)| relay.view(peer, now))
            .chain(malformed)
            .collect()
    }
}

impl Relay {
    fn fail(&mut self, reason: &'static str, now: Instant, jitter: u32) {
        self.stand = Stand::Waiting(now + wait(self.tries, jitter));
        self.tries = self.tries.saturating_add(1);
        self.reason = Some(reason);
    }

    fn view(&self, peer: &PeerId, now: Instant) -> RelayView {
        let unsupported = self.addresses.is_empty();
        let state = match (self.stand, self.place) {
            _ if unsupported => RelayState::Refused,
            (Stand::Connected, Place::Held(_)) => RelayState::Reserved,
            (Stand::Connected, Place::None | Place::Asked(_) | Place::Denied(_)) => {
                RelayState::Connected
            }
            (Stand::Dialing, _) => RelayState::Connecting,
            (Stand::Idle, _) => RelayState::Waiting { retry_in: 0 },
            (Stand::Waiting(until), _) => RelayState::Waiting {
                retry_in: until.saturating_duration_since(now).as_secs(),
            },
        };
        let reason = if unsupported {
            Some("unsupported-address")
        } else {
            self.reason
        };
        RelayView {
            address: self
                .addresses
                .first()
                .map_or_else(|| self.shown.clone(), ToString::to_string),
            peer: peer.to_string(),
            state,
            configured: self.origin != Origin::Found,
            reason: reason.map(str::to_owned),
        }
    }
}

/// How long to wait after so many failures: doubling, cut at [`LONGEST_WAIT`], and between half and the whole of it by
/// `jitter`.
fn wait(tries: u32, jitter: u32) -> Duration {
    let whole = FIRST_WAIT
        .saturating_mul(1 << tries.min(10))
        .min(LONGEST_WAIT);
    whole / 2 + (whole / 2).mul_f64(f64::from(jitter) / f64::from(u32::MAX))
}

#[cfg(test)]
mod tests {
    use libp2p::identity::Keypair;

    use super::*;
    use crate::clock;

    fn peer(seed: u8) -> PeerId {
        let identity = Keypair::ed25519_from_bytes([seed; 32]).unwrap();
        identity.public().to_peer_id()
    }

    fn loopback(seed: u8) -> String {
        format!(
            "/ip4/127.0.0.1/tcp/{}/ws/p2p/{}",
            4000 + u16::from(seed),
            peer(seed)
        )
    }

    fn public(seed: u8) -> Multiaddr {
        let text = format!(
            "/dns4/relay{seed}.haggle.market/tcp/443/wss/p2p/{}",
            peer(seed)
        );
        text.parse().unwrap()
    }

    fn known(given: &[u8]) -> Relays {
        let given: Vec<String> = given.iter().map(|seed| loopback(*seed)).collect();
        Relays::new(peer(0), &given, &Remembered::default())
    }

    fn dialed(steps: &[Step]) -> Vec<PeerId> {
        steps
            .iter()
            .filter_map(|step| match step {
                Step::Dial(peer, _) => Some(*peer),
                Step::Reserve(..) => None,
            })
            .collect()
    }

    #[test]
    fn a_relay_that_cannot_be_reached_is_tried_again_after_ever_longer_waits() {
        let mut relays = known(&[1]);
        let mut now = clock::instant();
        for (tries, seconds) in [(0, 1), (1, 2), (2, 4), (3, 8), (4, 16), (5, 30), (6, 30)] {
            assert_eq!(dialed(&relays.plan(now)), [peer(1)], "try {tries}");
            relays.on_dial_failed(&peer(1), "unreachable", now, u32::MAX);
            now += Duration::from_secs(seconds) - Duration::from_millis(1);
            assert!(dialed(&relays.plan(now)).is_empty(), "try {tries}");
            now += Duration::from_millis(1);
        }
    }

    #[test]
    fn two_peers_that_lost_the_same_relay_do_not_come_back_in_the_same_moment() {
        assert_eq!(wait(3, 0), Duration::from_secs(4));
        assert_eq!(wait(3, u32::MAX), Duration::from_secs(8));
    }

    #[test]
    fn found_relays_are_dialed_only_while_there_are_too_few_and_only_at_public_names() {
        let mut relays = Relays::new(peer(0), &[public(1).to_string()], &Remembered::default());
        let now = clock::instant();
        relays.found(peer(2), [loopback(2).parse().unwrap()]);
        assert!(
            !relays.is_known(&peer(2)),
            "a stranger sends us to our own machine"
        );
        relays.found(peer(2), ["/ip4/192.168.1.1/tcp/80/ws".parse().unwrap()]);
        assert!(
            !relays.is_known(&peer(2)),
            "a stranger sends us to our own network"
        );
        relays.found(peer(3), [public(2)]);
        assert!(!relays.is_known(&peer(3)), "an address of somebody else");
        if !relays.address(&peer(1)).is_some_and(|_| true) {
            panic!("a wss address can be dialed everywhere");
        }
        for seed in 2..6 {
            relays.found(peer(seed), [public(seed)]);
        }
        let tried = dialed(&relays.plan(now));
        assert_eq!(tried.len(), ENOUGH);
        assert_eq!(tried[0], peer(1), "chosen ones come first");
    }

    #[test]
    fn who_hides_dials_relays_of_others_word_only_when_none_of_his_own_can_be_reached() {
        let mut relays = Relays::new(peer(0), &[public(1).to_string()], &Remembered::default());
        relays.set_hides(true);
        relays.found(peer(2), [public(2)]);
        let mut now = clock::instant();
        assert_eq!(dialed(&relays.plan(now)), [peer(1)]);
        assert!(dialed(&relays.plan(now)).is_empty(), "it may yet come");
        relays.on_connected(&peer(1));
        assert!(dialed(&relays.plan(now)).is_empty());
        let way = |relays: &Relays| relays.circuits_to(&peer(3));
        assert_eq!(way(&relays).len(), 1);
        relays.on_disconnected(&peer(1), now, u32::MAX);
        assert_eq!(dialed(&relays.plan(now)), [peer(2)]);
        relays.on_connected(&peer(2));
        assert!(
            way(&relays).is_empty(),
            "it may be of whoever is hidden from"
        );
        relays.on_disconnected(&peer(2), now, u32::MAX);
        relays.on_dial_failed(&peer(2), "unreachable", now, u32::MAX);
        now += LONGEST_WAIT;
        assert_eq!(dialed(&relays.plan(now)), [peer(1)], "his own first");
        relays.set_hides(false);
        assert_eq!(dialed(&relays.plan(now)), [peer(2)]);
    }

    #[test]
    fn among_loopback_relays_a_loopback_relay_is_found() {
        let mut relays = known(&[1]);
        relays.found(peer(2), [loopback(2).parse().unwrap()]);
        assert!(relays.is_known(&peer(2)));
    }

    #[test]
    fn a_place_is_asked_for_once_and_again_only_when_it_is_lost() {
        let mut relays = known(&[1]);
        let now = clock::instant();
        relays.plan(now);
        relays.on_connected(&peer(1));
        let steps = relays.plan(now);
        assert!(matches!(steps[..], [Step::Reserve(at, _)] if at == peer(1)));
        let first = ListenerId::next();
        relays.on_asked(&peer(1), Some(first), now);
        assert!(relays.plan(now).is_empty());
        assert!(relays.on_place(&peer(1)));
        assert!(!relays.on_place(&peer(1)), "a renewal is no news");
        assert_eq!(relays.places(&PublicKey([7; 32])).len(), 1);
        assert!(relays.on_listener_closed(first, now));
        assert_eq!(relays.plan(now).len(), 1);
        let second = ListenerId::next();
        relays.on_asked(&peer(1), Some(second), now);
        assert!(!relays.on_listener_closed(second, now));
        assert!(
            relays.plan(now).is_empty(),
            "a relay that refused is left alone for a while"
        );
        assert_eq!(relays.plan(now + NO_PLACE_WAIT).len(), 1);
    }

    #[test]
    fn only_found_relays_that_proved_to_be_relays_are_remembered() {
        let mut relays = known(&[1]);
        relays.found(peer(2), [loopback(2).parse().unwrap()]);
        assert_eq!(relays.remembered(), Remembered::default());
        relays.on_connected(&peer(2));
        let book = StreamProtocol::new(PROTOCOL_BOOK);
        assert!(!relays.on_identified(&peer(2), std::slice::from_ref(&book), &[]));
        assert!(relays.on_identified(&peer(2), &[book, StreamProtocol::new(HOP)], &[]));
        assert_eq!(relays.remembered().found, [loopback(2)]);
        let again = Relays::new(peer(0), &[loopback(1)], &relays.remembered());
        assert!(again.is_known(&peer(2)));
    }

    #[test]
    fn a_stranger_relay_that_never_answers_is_forgotten_and_a_chosen_one_never() {
        let mut relays = known(&[1]);
        relays.found(peer(2), [loopback(2).parse().unwrap()]);
        let now = clock::instant();
        for _ in 0..FORGOTTEN_AFTER {
            relays.on_dial_failed(&peer(1), "unreachable", now, 0);
            relays.on_dial_failed(&peer(2), "unreachable", now, 0);
        }
        assert!(relays.is_known(&peer(1)));
        assert!(!relays.is_known(&peer(2)));
    }

    #[test]
    fn of_a_long_list_each_start_picks_others() {
        let picked = || {
            let mut relays = known(&[1, 2, 3, 4, 5, 6, 7, 8, 9, 10, 11, 12]);
            let mut picked = dialed(&relays.plan(clock::instant()));
            assert_eq!(picked.len(), CHOSEN_MAX);
            picked.sort();
            picked
        };
        let first = picked();
        // One of 495 choices: forty equal ones in a row do not happen.
        assert!((0..40).any(|_| picked() != first));
    }

    #[test]
    fn a_given_address_that_is_none_is_shown_with_why() {
        let relays = Relays::new(peer(0), &["nonsense".to_owned()], &Remembered::default());
        let views = relays.views(clock::instant());
        assert_eq!(views[0].state, RelayState::Refused);
        assert_eq!(views[0].reason.as_deref(), Some("not-an-address"));
    }
}
