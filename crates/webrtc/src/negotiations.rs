//! Negotiations under way: with whom, begun by whom, and what is done when both sides begin at once.

use std::collections::{HashMap, HashSet};
use std::sync::{Arc, Mutex};

use futures::channel::oneshot;
use libp2p_identity::PeerId;
use web_time::Instant;

use crate::config::lock;
use crate::limits::{Limits, Rates, Refused};

/// The table of them, shared by the futures that negotiate, each of which strikes itself out when it ends.
#[derive(Clone, Debug)]
pub(crate) struct Negotiations {
    table: Arc<Mutex<Table>>,
    me: PeerId,
}

#[derive(Debug)]
struct Table {
    limits: Limits,
    rates: Rates,
    /// Our own offers that were made, each with the way to call it off.
    outbound: HashMap<PeerId, oneshot::Sender<()>>,
    inbound: HashSet<PeerId>,
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
enum Direction {
    Outbound,
    Inbound,
}

/// An entry of the table; dropped when the negotiation ends.
#[derive(Debug)]
pub(crate) struct Entry {
    table: Arc<Mutex<Table>>,
    peer: PeerId,
    direction: Direction,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        match self.direction {
            Direction::Outbound => {
                table.outbound.remove(&self.peer);
            }
            Direction::Inbound => {
                table.inbound.remove(&self.peer);
            }
        }
    }
}

impl Negotiations {
    pub(crate) fn new(me: PeerId, limits: Limits) -> Self {
        let table = Table {
            limits,
            rates: Rates::new(limits),
            outbound: HashMap::new(),
            inbound: HashSet::new(),
        };
        Self {
            table: Arc::new(Mutex::new(table)),
            me,
        }
    }

    /// We are about to make an offer. The receiver hears when it is to be called off because the remote's goes on.
    pub(crate) fn offer(&self, peer: PeerId) -> Result<(Entry, oneshot::Receiver<()>), Refused> {
        let mut table = lock(&self.table);
        if table.inbound.contains(&peer) || table.outbound.contains_key(&peer) {
            return Err(Refused::Already);
        }
        let (call_off, called_off) = oneshot::channel();
        table.outbound.insert(peer, call_off);
        Ok((self.entry(peer, Direction::Outbound), called_off))
    }

    /// The remote is about to make an offer. Where both do, the one of the lower peer goes on: both sides decide alike.
    pub(crate) fn offered(&self, peer: PeerId, now: Instant) -> Result<Entry, Refused> {
        let mut table = lock(&self.table);
        if table.inbound.contains(&peer) {
            return Err(Refused::Already);
        }
        if table.inbound.len() >= table.limits.at_once {
            return Err(Refused::Busy);
        }
        table.rates.take(peer, now)?;
        if table.outbound.contains_key(&peer) {
            if self.me.to_bytes() < peer.to_bytes() {
                return Err(Refused::Glare);
            }
            if let Some(call_off) = table.outbound.remove(&peer) {
                // It may have ended just now, which is as good.
                let _ = call_off.send(());
            }
        }
        table.inbound.insert(peer);
        Ok(self.entry(peer, Direction::Inbound))
    }

    fn entry(&self, peer: PeerId, direction: Direction) -> Entry {
        Entry {
            table: Arc::clone(&self.table),
            peer,
            direction,
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn two() -> (PeerId, PeerId) {
        let (a, b) = (PeerId::random(), PeerId::random());
        if a.to_bytes() < b.to_bytes() {
            (a, b)
        } else {
            (b, a)
        }
    }

    #[test]
    fn when_both_dial_at_once_exactly_one_offer_goes_on() {
        let (lower, higher) = two();
        let at_lower = Negotiations::new(lower, Limits::default());
        let at_higher = Negotiations::new(higher, Limits::default());
        let (_mine, mut lower_called_off) = at_lower.offer(higher).unwrap();
        let (_yours, mut higher_called_off) = at_higher.offer(lower).unwrap();
        let now = crate::clock::now();
        assert_eq!(at_lower.offered(higher, now).unwrap_err(), Refused::Glare);
        assert!(at_higher.offered(lower, now).is_ok());
        assert_eq!(higher_called_off.try_recv(), Ok(Some(())));
        assert_eq!(lower_called_off.try_recv(), Ok(None));
    }

    #[test]
    fn one_negotiation_with_a_peer_at_a_time_and_another_after_it() {
        let (me, peer) = two();
        let negotiations = Negotiations::new(me, Limits::default());
        let now = crate::clock::now();
        let first = negotiations.offered(peer, now).unwrap();
        assert_eq!(
            negotiations.offered(peer, now).unwrap_err(),
            Refused::Already
        );
        assert_eq!(negotiations.offer(peer).unwrap_err(), Refused::Already);
        drop(first);
        assert!(negotiations.offered(peer, now).is_ok());
        assert!(negotiations.offer(peer).is_ok());
    }

    #[test]
    fn strangers_cannot_begin_more_than_the_bound_at_once() {
        let negotiations = Negotiations::new(PeerId::random(), Limits::default());
        let now = crate::clock::now();
        let entries: Vec<_> = (0..Limits::default().at_once)
            .map(|_| negotiations.offered(PeerId::random(), now).unwrap())
            .collect();
        assert_eq!(
            negotiations.offered(PeerId::random(), now).unwrap_err(),
            Refused::Busy
        );
        drop(entries);
        assert!(negotiations.offered(PeerId::random(), now).is_ok());
    }
}
