//! How much a book takes, from whom, and how fast.

use haggle_protocol::limits::{FRAME_MAX, POW_FLOOR};
use haggle_protocol::{PublicKey, Timestamp};

/// By which way a frame came.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Source {
    /// Said here. No rate, no share and no eviction: one's own intent is never crowded out of one's own book.
    Own,
    /// Passed on by a peer that was not asked. The 32 bytes are its Ed25519 key, or a hash of its peer id.
    Peer(PublicKey),
    /// Handed over by a peer whose book was asked for a page or for frames by id. A page is a thousand frames at
    /// once, so it has no rate of its own, and what was taken elsewhere at a quiet time needs no more work than the
    /// floor; its share of the room is that of the same peer's gossip.
    Book(PublicKey),
}

impl Source {
    /// Whose share of the room it uses.
    pub(crate) const fn peer(self) -> Option<PublicKey> {
        match self {
            Self::Own => None,
            Self::Peer(peer) | Self::Book(peer) => Some(peer),
        }
    }
}

/// How much a book takes.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Limits {
    /// Memory for frames, in bytes, counted by [`Limits::cost`].
    pub bytes: usize,
    /// Frames of one intent key: an intent or its revision, a close, a reach, and the rest for kinds that we do not
    /// know, of which only the newest of each is kept.
    pub live_per_key: usize,
    /// Frames an intent key may have taken at once. A person publishes, is reached, moves and closes.
    pub author_burst: u64,
    /// Seconds until an intent key has earned one more.
    pub author_seconds: u64,
    /// Frames a peer may pass on at once.
    pub source_burst: u64,
    /// Frames a peer may pass on each second after that.
    pub source_per_second: u64,
    /// The percentage of `bytes` that frames brought by one peer may fill once the book is crowded.
    pub source_share: usize,
    /// The percentage of `bytes` from which on the book is crowded.
    pub crowded: usize,
    /// Peers whose rate is remembered at once. Beyond it, frames of further peers are refused until some rest.
    pub sources: usize,
    /// Leading zero bits of work asked of an empty book; the protocol's floor at least.
    pub min_work: u32,
}

/// What an entry costs beside its bytes: its places in the orders by time, work and source, its slot, and
/// the fixed part of what was decoded. Measured (a test holds it): 1,000 to 1,520 bytes, with a source of its own.
const ENTRY_COST: usize = 1_536;

impl Limits {
    /// For a relay: 16 MiB, between 4,000 long and 8,000 short intents. It hears each peer's own voice, so one
    /// peer's share is small.
    #[must_use]
    pub const fn relay() -> Self {
        Self {
            bytes: 16 << 20,
            live_per_key: 7,
            author_burst: 6,
            author_seconds: 20,
            source_burst: 50,
            source_per_second: 10,
            source_share: 5,
            crowded: 50,
            sources: 4_096,
            min_work: POW_FLOOR,
        }
    }

    /// For a peer in a tab: 8 MiB. It hears most of the network through one or two relays, so one source's share
    /// is half, and a source may pass on what several of its own neighbours said: at 50 frames a second, the signatures and the
    /// work of what one source brings cost a few per cent of a processor.
    #[must_use]
    pub const fn peer() -> Self {
        Self {
            bytes: 8 << 20,
            source_burst: 250,
            source_per_second: 50,
            source_share: 50,
            sources: 256,
            ..Self::relay()
        }
    }

    /// The memory that a frame of `len` bytes is counted with: itself, its decoded form of about the same size, and
    /// its places in the book's orders.
    #[must_use]
    pub const fn cost(len: usize) -> usize {
        2 * len + ENTRY_COST
    }

    /// Room below which not even one frame of the largest size would fit.
    pub(crate) const LEAST_BYTES: usize = Self::cost(FRAME_MAX);

    pub(crate) const fn percent(&self, percent: usize) -> usize {
        // Divided first: `bytes` may be near the end of a 32-bit `usize`.
        self.bytes / 100 * percent
    }

    pub(crate) const fn author(&self) -> Rate {
        Rate {
            burst: self.author_burst,
            cost: self.author_seconds,
            per_second: 1,
        }
    }

    pub(crate) const fn source(&self) -> Rate {
        Rate {
            burst: self.source_burst,
            cost: 1,
            per_second: self.source_per_second,
        }
    }
}

/// `burst` at once, then `per_second` / `cost` each second. Whole numbers: a rate below one a second is a higher cost.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Rate {
    burst: u64,
    cost: u64,
    per_second: u64,
}

/// How much of a rate was used up, and when that was counted. A full allowance is the default: 0 used.
#[derive(Clone, Copy, Debug, Default)]
pub(crate) struct Used {
    used: u64,
    at: Timestamp,
}

impl Used {
    fn now(self, rate: Rate, now: Timestamp) -> u64 {
        let earned = now.since(self.at).saturating_mul(rate.per_second);
        self.used.saturating_sub(earned)
    }

    /// Whether one more is allowed.
    pub(crate) fn allows(self, rate: Rate, now: Timestamp) -> bool {
        self.now(rate, now).saturating_add(rate.cost) <= rate.burst.saturating_mul(rate.cost)
    }

    /// Counts one more.
    pub(crate) fn count(&mut self, rate: Rate, now: Timestamp) {
        self.used = self.now(rate, now).saturating_add(rate.cost);
        // A clock that was set back must not earn the same seconds twice.
        self.at = self.at.max(now);
    }

    /// Whether nothing of it is used up any more, so that it need not be remembered.
    pub(crate) fn rested(self, rate: Rate, now: Timestamp) -> bool {
        self.now(rate, now) == 0
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_rate_allows_its_burst_at_once_and_then_one_for_each_span() {
        let rate = Limits::relay().author();
        let mut used = Used::default();
        let start = Timestamp(1_000);
        let mut taken = 0;
        while used.allows(rate, start) {
            used.count(rate, start);
            taken += 1;
        }
        assert_eq!(taken, 6);
        assert!(!used.allows(rate, start + 19));
        assert!(used.allows(rate, start + 20));
        used.count(rate, start + 20);
        assert!(!used.allows(rate, start + 39));
        assert!(!used.rested(rate, start + 60));
        assert!(used.rested(rate, start + 140));
    }

    #[test]
    fn a_clock_that_is_set_back_earns_nothing() {
        let rate = Limits::relay().source();
        let mut used = Used::default();
        for _ in 0..50 {
            used.count(rate, Timestamp(1_000));
        }
        used.count(rate, Timestamp(10));
        assert!(!used.allows(rate, Timestamp(1_000)));
    }
}
