//! Where the frames stand: every frame once, and the orders in which they are looked for.
//!
//! All orders change in [`Shelf::put`] and [`Shelf::remove`] and nowhere else, so they cannot disagree.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::Arc;

use haggle_protocol::{Frame, FrameId, Intent, PublicKey, Reach, Timestamp};

use crate::limits::{Limits, Source};

/// What a frame was read as.
#[derive(Debug)]
pub(crate) enum Read {
    /// An intent: the first frame, without a number, or a revision.
    Intent {
        rev: Option<u64>,
        intent: Box<Intent>,
    },
    Close {
        rev: u64,
    },
    Reach(Box<Reach>),
    Opaque,
}

/// One frame in the book.
#[derive(Debug)]
pub(crate) struct Held {
    pub(crate) frame: Arc<Frame>,
    pub(crate) read: Read,
    pub(crate) source: Source,
}

impl Held {
    pub(crate) fn cost(&self) -> usize {
        Limits::cost(self.frame.bytes().len())
    }

    pub(crate) fn key(&self) -> PublicKey {
        self.frame.header().key
    }
}

/// What one peer brought.
#[derive(Debug, Default)]
pub(crate) struct Brought {
    pub(crate) bytes: usize,
    /// By work, then by arrival: what makes room first stands first.
    pub(crate) order: BTreeSet<(u32, u64)>,
}

/// Every frame once, by the number of its arrival.
#[derive(Debug, Default)]
pub(crate) struct Shelf {
    held: BTreeMap<u64, Held>,
    ids: BTreeMap<FrameId, u64>,
    expiry: BTreeSet<(Timestamp, u64)>,
    /// By work, then by arrival, without one's own.
    order: BTreeSet<(u32, u64)>,
    brought: BTreeMap<PublicKey, Brought>,
    /// Peers by how much they brought.
    weight: BTreeSet<(usize, PublicKey)>,
    bytes: usize,
    last: u64,
}

impl Shelf {
    pub(crate) fn put(&mut self, held: Held) -> u64 {
        self.last += 1;
        let at = self.last;
        let (cost, work) = (held.cost(), held.frame.work());
        self.bytes += cost;
        self.ids.insert(held.frame.id(), at);
        self.expiry.insert((held.frame.header().expires, at));
        if let Some(peer) = held.source.peer() {
            self.order.insert((work, at));
            let brought = self.brought.entry(peer).or_default();
            self.weight.remove(&(brought.bytes, peer));
            brought.bytes += cost;
            brought.order.insert((work, at));
            self.weight.insert((brought.bytes, peer));
        }
        self.held.insert(at, held);
        at
    }

    pub(crate) fn remove(&mut self, at: u64) -> Option<Held> {
        let held = self.held.remove(&at)?;
        let (cost, work) = (held.cost(), held.frame.work());
        self.bytes -= cost;
        self.ids.remove(&held.frame.id());
        self.expiry.remove(&(held.frame.header().expires, at));
        self.order.remove(&(work, at));
        if let Some(peer) = held.source.peer()
            && let Some(brought) = self.brought.get_mut(&peer)
        {
            self.weight.remove(&(brought.bytes, peer));
            brought.bytes -= cost;
            brought.order.remove(&(work, at));
            if brought.order.is_empty() {
                self.brought.remove(&peer);
            } else {
                self.weight.insert((brought.bytes, peer));
            }
        }
        Some(held)
    }

    pub(crate) fn at(&self, at: u64) -> Option<&Held> {
        self.held.get(&at)
    }

    pub(crate) fn find(&self, id: &FrameId) -> Option<&Held> {
        self.held.get(self.ids.get(id)?)
    }

    pub(crate) fn knows(&self, id: &FrameId) -> bool {
        self.ids.contains_key(id)
    }

    /// Frames that arrived after `at`, in the order of their arrival.
    pub(crate) fn after(&self, at: u64) -> impl Iterator<Item = (u64, &Held)> {
        let from = at.saturating_add(1);
        self.held.range(from..).map(|(at, held)| (*at, held))
    }

    /// The first frame to end, and when.
    pub(crate) fn next_expiry(&self) -> Option<(Timestamp, u64)> {
        self.expiry.first().copied()
    }

    /// Strangers' frames, those that make room first in front.
    pub(crate) fn order(&self) -> impl Iterator<Item = (u32, u64)> {
        self.order.iter().copied()
    }

    pub(crate) fn brought(&self, peer: &PublicKey) -> Option<&Brought> {
        self.brought.get(peer)
    }

    /// What peers brought, the most in front.
    pub(crate) fn heaviest(&self) -> impl Iterator<Item = &Brought> {
        let heaviest_first = self.weight.iter().rev();
        heaviest_first.filter_map(|(_, peer)| self.brought.get(peer))
    }

    pub(crate) const fn bytes(&self) -> usize {
        self.bytes
    }

    pub(crate) fn len(&self) -> usize {
        self.held.len()
    }

    /// The number of the latest arrival.
    pub(crate) const fn last(&self) -> u64 {
        self.last
    }

    /// Panics unless all orders agree with what is held.
    #[cfg(test)]
    pub(crate) fn check(&self) {
        let costs =
            |frames: &mut dyn Iterator<Item = &Held>| -> usize { frames.map(Held::cost).sum() };
        assert_eq!(self.bytes, costs(&mut self.held.values()));
        assert_eq!(self.ids.len(), self.held.len());
        assert_eq!(self.expiry.len(), self.held.len());
        let strangers = self.held.values().filter(|held| held.source != Source::Own);
        assert_eq!(self.order.len(), strangers.count());
        assert_eq!(self.weight.len(), self.brought.len());
        for (peer, brought) in &self.brought {
            let mut theirs = self
                .held
                .values()
                .filter(|held| held.source.peer() == Some(*peer));
            assert_eq!(brought.bytes, costs(&mut theirs));
            assert!(self.weight.contains(&(brought.bytes, *peer)));
        }
        for (at, held) in &self.held {
            assert_eq!(self.ids.get(&held.frame.id()), Some(at));
            assert!(self.expiry.contains(&(held.frame.header().expires, *at)));
        }
    }
}
