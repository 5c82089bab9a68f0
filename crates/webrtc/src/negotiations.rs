//! Negotiations under way: with whom, begun by whom, and what is done when both sides begin at once.

use std::collections::HashMap;
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
    /// Offers of others, each with its number and the way to call it off.
    inbound: HashMap<PeerId, (u64, oneshot::Sender<()>)>,
    next: u64,
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
    number: u64,
}

impl Drop for Entry {
    fn drop(&mut self) {
        let mut table = lock(&self.table);
        match self.direction {
            Direction::Outbound => {
                table.outbound.remove(&self.peer);
            }
            Direction::Inbound => {
                // A later offer of the same peer may have taken its place.
                let mine = table.inbound.get(&self.peer);
                if mine.is_some_and(|(number, _)| *number == self.number) {
                    table.inbound.remove(&self.peer);
                }
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
            inbound: HashMap::new(),
            next: 0,
        };
        Self {
            table: Arc::new(Mutex::new(table)),
            me,
        }
    }

    /// We are about to make an offer. The receiver hears when it is to be called off because the remote's goes on.
    pub(crate) fn offer(&self, peer: PeerId) -> Result<(Entry, oneshot::Receiver<()>), Refused> {
        let mut table = lock(&self.table);
        if table.inbound.contains_key(&peer) || table.outbound.contains_key(&peer) {
            return Err(Refused::Already);
        }
        let (call_off, called_off) = oneshot::channel();
        table.outbound.insert(peer, call_off);
        Ok((self.entry(peer, Direction::Outbound, 0), called_off))
    }

    /// The remote is about to make an offer. Where both do, the one of the lower peer goes on: both sides decide alike. A second offer of the
    /// same peer takes the place of its first, which it has given up: this side may notice that only much later.
    pub(crate) fn offered(
        &self,
        peer: PeerId,
        now: Instant,
    ) -> Result<(Entry, oneshot::Receiver<()>), Refused> {
        let mut table = lock(&self.table);
        let first = !table.inbound.contains_key(&peer);
        if first && table.inbound.len() >= table.limits.at_once {
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
        let number = table.next;
        table.next += 1;
        let (call_off, called_off) = oneshot::channel();
        if let Some((_, given_up)) = table.inbound.insert(peer, (number, call_off)) {
            // It may have ended just now, which is as good.
            let _ = given_up.send(());
        }
        Ok((self.entry(peer, Direction::Inbound, number), called_off))
    }

    fn entry(&self, peer: PeerId, direction: Direction, number: u64) -> Entry {
        Entry {
            table: Arc::clone(&self.table),
            peer,
            direction,
            number,
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
    fn a_second_offer_of_a_peer_takes_the_place_of_its_first() {
        let (me, peer) = two();
        let negotiations = Negotiations::new(me, Limits::default());
        let now = crate::clock::now();
        let (first, mut called_off) = negotiations.offered(peer, now).unwrap();
        assert_eq!(called_off.try_recv(), Ok(None));
        let (second, mut second_called_off) = negotiations.offered(peer, now).unwrap();
        assert_eq!(called_off.try_recv(), Ok(Some(())));
        assert_eq!(negotiations.offer(peer).unwrap_err(), Refused::Already);
        // The end of the first says nothing of the second.
        drop(first);
        assert_eq!(second_called_off.try_recv(), Ok(None));
        assert_eq!(negotiations.offer(peer).unwrap_err(), Refused::Already);
        drop(second);
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
