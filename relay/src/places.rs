//! Places at other relays, for whoever hides his network address from the operator of a mint.
//!
//! He asks through a relay that he is connected with anyway. A relay lets circuits through only to peers that hold a place with it, so one that
//! carries to a mint asks each relay that it knows for one, as soon as it is connected, and again when the place is gone. Renewals are the
//! library's.

use std::collections::BTreeMap;
use std::time::{Duration, Instant};

use haggle_net::RelayAddr;
use libp2p::core::transport::ListenerId;
use libp2p::{Multiaddr, PeerId};

/// A relay that gave no place, or took it back, is asked again after this long: one that is full does not empty within seconds.
const ASK_AGAIN: Duration = Duration::from_secs(30);

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Place {
    /// To be asked for from then on.
    From(Option<Instant>),
    /// Asked for or held.
    At(ListenerId),
}

/// The places at other relays.
#[derive(Debug)]
pub(crate) struct Places {
    relays: BTreeMap<PeerId, (Multiaddr, Place)>,
}

impl Places {
    /// At these relays.
    pub(crate) fn new(relays: &[RelayAddr]) -> Self {
        let place = |relay: &RelayAddr| {
            let listen = relay.listen_address();
            (relay.peer(), (listen, Place::From(None)))
        };
        Self {
            relays: relays.iter().map(place).collect(),
        }
    }

    /// Whom of those who are connected to ask now, and by listening where. What became of it is told by [`Places::asked`].
    pub(crate) fn due(
        &self,
        now: Instant,
        is_connected: impl Fn(&PeerId) -> bool,
    ) -> Vec<(PeerId, Multiaddr)> {
        let is_due = |(relay, (_, place)): &(&PeerId, &(Multiaddr, Place))| {
            let is_time = match place {
                Place::From(from) => from.is_none_or(|from| from <= now),
                Place::At(_) => false,
            };
            is_time && is_connected(relay)
        };
        let due = self.relays.iter().filter(is_due);
        due.map(|(relay, (address, _))| (*relay, address.clone()))
            .collect()
    }

    /// A relay was asked for a place, which is there as long as this listener; without one it could not even be asked.
    pub(crate) fn asked(&mut self, relay: &PeerId, listener: Option<ListenerId>, now: Instant) {
        if let Some((_, place)) = self.relays.get_mut(relay) {
            *place = listener.map_or(Place::From(Some(now + ASK_AGAIN)), Place::At);
        }
    }

    /// A listener has ended. Returns whether it was one of these.
    pub(crate) fn closed(&mut self, listener: ListenerId, now: Instant) -> bool {
        let mut places = self.relays.values_mut();
        let gone = places.find(|(_, place)| *place == Place::At(listener));
        let Some((_, place)) = gone else {
            return false;
        };
        *place = Place::From(Some(now + ASK_AGAIN));
        true
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::clock;

    #[test]
    fn a_connected_relay_is_asked_for_one_place_and_again_a_while_after_it_is_gone() {
        let address = |n: u8| {
            let key = haggle_protocol::keys::SigningKey::from_seed(&[n; 32]).public();
            let peer = haggle_net::addr::peer_of(&key).unwrap();
            RelayAddr::parse(&format!("/ip4/127.0.0.1/tcp/1/ws/p2p/{peer}")).unwrap()
        };
        let (there, away) = (address(1), address(2));
        let now = clock::instant();
        let mut places = Places::new(&[there.clone(), there.clone(), away]);
        let due = |places: &Places, now| places.due(now, |relay| *relay == there.peer());
        assert_eq!(due(&places, now), [(there.peer(), there.listen_address())]);
        let listener = ListenerId::next();
        places.asked(&there.peer(), Some(listener), now);
        assert!(due(&places, now + ASK_AGAIN).is_empty());
        assert!(!places.closed(ListenerId::next(), now), "another listener");
        assert!(places.closed(listener, now));
        assert!(!places.closed(listener, now));
        assert!(due(&places, now).is_empty());
        assert_eq!(due(&places, now + ASK_AGAIN).len(), 1);
        places.asked(&there.peer(), None, now);
        assert!(due(&places, now).is_empty(), "it could not be asked");
        assert_eq!(due(&places, now + ASK_AGAIN).len(), 1);
        assert_eq!(places.due(now, |_| true).len(), 1, "the other one");
    }
}
